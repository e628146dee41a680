/*
 * Sessions of owners: who a token stands for (protocol/README 8.2).
 *
 * In: tokens, the caller's monotonic clock. Out: fingerprints of users.
 * Kept: SHA-256 of each token, in memory only, so neither a core nor a log can give one away. A restart of
 * kilnd ends every session.
 */
#ifndef KILN_CORE_SESSION_H
#define KILN_CORE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SESSION_TOKEN_BYTES = 32,
    SESSION_HASH_BYTES = 32,
    SESSION_USER_BYTES = 32,              /* fingerprint */
    SESSION_IDLE_MS = 15 * 60 * 1000,     /* unused for so long: ended */
    SESSION_LIFE_MS = 8 * 60 * 60 * 1000, /* ended whatever happens */
    SESSIONS_MAX = 1024,                  /* the least recently used one makes room */
    SESSIONS_PER_USER_MAX = 16            /* as above, among the user's own: nobody pushes out others */
};

struct sessions;

/* Returns 0 or -ENOMEM. */
int sessions_create(struct sessions **ret_sessions);
void sessions_destroy(struct sessions *sessions);

/* Opens a session of a user; the token is the caller's to wipe. `now_ms` is monotonic, here and below. */
void session_open(struct sessions *sessions, const uint8_t user[SESSION_USER_BYTES], int64_t now_ms,
                  uint8_t ret_token[SESSION_TOKEN_BYTES]);

/* Whose session it is, and counts as use. False: there is none, or it has ended. */
bool session_use(struct sessions *sessions, const uint8_t token[SESSION_TOKEN_BYTES], int64_t now_ms,
                 uint8_t ret_user[SESSION_USER_BYTES]);

/* By what a session is known to those who wait beside it, without its token. session_keep counts as use;
 * false: it has ended. */
void session_hash(const uint8_t token[SESSION_TOKEN_BYTES], uint8_t ret_hash[SESSION_HASH_BYTES]);
bool session_keep(struct sessions *sessions, const uint8_t hash[SESSION_HASH_BYTES], int64_t now_ms);

/* Ends one session; false when there was none. Ends all of a user. */
bool session_close(struct sessions *sessions, const uint8_t token[SESSION_TOKEN_BYTES]);
void sessions_close_user(struct sessions *sessions, const uint8_t user[SESSION_USER_BYTES]);

#endif
