/*
 * Sessions: session.h says what they are.
 */
#include "src/core/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/crypto.h"
#include "protocol/wire.h"
#include "src/io/random.h"

struct session {
    bool open;
    uint8_t hash[SESSION_HASH_BYTES]; /* of the token */
    uint8_t user[SESSION_USER_BYTES];
    int64_t opened_ms, used_ms;
};

struct sessions {
    struct session list[SESSIONS_MAX];
};

int sessions_create(struct sessions **ret_sessions)
{
    struct sessions *sessions = calloc(1, sizeof *sessions);
    if (!sessions)
        return -ENOMEM;
    *ret_sessions = sessions;
    return 0;
}

void sessions_destroy(struct sessions *sessions)
{
    free(sessions);
}

static bool is_alive(const struct session *session, int64_t now_ms)
{
    return session->open && now_ms - session->used_ms < SESSION_IDLE_MS &&
           now_ms - session->opened_ms < SESSION_LIFE_MS;
}

static bool is_of(const struct session *session, const uint8_t *user)
{
    return session->open && memcmp(session->user, user, SESSION_USER_BYTES) == 0;
}

/* The place for a new session: the user's least recently used one when it has all it may have, else one that
 * is free, else the least recently used of all. */
static struct session *find_place(struct sessions *sessions, const uint8_t *user, int64_t now_ms)
{
    struct session *own = NULL, *place = NULL;
    int owned = 0;
    for (struct session *s = sessions->list; s < sessions->list + SESSIONS_MAX; s++) {
        s->open = is_alive(s, now_ms);
        if (is_of(s, user)) {
            owned++;
            if (!own || s->used_ms < own->used_ms)
                own = s;
        }
        if (!place || (place->open && (!s->open || s->used_ms < place->used_ms)))
            place = s;
    }
    return owned >= SESSIONS_PER_USER_MAX ? own : place;
}

void session_open(struct sessions *sessions, const uint8_t user[SESSION_USER_BYTES], int64_t now_ms,
                  uint8_t ret_token[SESSION_TOKEN_BYTES])
{
    struct session *session = find_place(sessions, user, now_ms);
    random_fill(ret_token, SESSION_TOKEN_BYTES);
    *session = (struct session){.open = true, .opened_ms = now_ms, .used_ms = now_ms};
    memcpy(session->user, user, SESSION_USER_BYTES);
    session_hash(ret_token, session->hash);
}

static struct session *find_hash(struct sessions *sessions, const uint8_t *hash)
{
    struct session *found = NULL;
    for (struct session *s = sessions->list; s < sessions->list + SESSIONS_MAX; s++)
        if (s->open && wire_equal(s->hash, hash, sizeof s->hash))
            found = s;
    return found;
}

static struct session *find_token(struct sessions *sessions, const uint8_t *token)
{
    uint8_t hash[SESSION_HASH_BYTES];
    session_hash(token, hash);
    return find_hash(sessions, hash);
}

void session_hash(const uint8_t token[SESSION_TOKEN_BYTES], uint8_t ret_hash[SESSION_HASH_BYTES])
{
    crypto_hash(token, SESSION_TOKEN_BYTES, ret_hash);
}

bool session_keep(struct sessions *sessions, const uint8_t hash[SESSION_HASH_BYTES], int64_t now_ms)
{
    struct session *session = find_hash(sessions, hash);
    if (!session || !is_alive(session, now_ms))
        return false;
    session->used_ms = now_ms;
    return true;
}

bool session_use(struct sessions *sessions, const uint8_t token[SESSION_TOKEN_BYTES], int64_t now_ms,
                 uint8_t ret_user[SESSION_USER_BYTES])
{
    struct session *session = find_token(sessions, token);
    if (!session || !is_alive(session, now_ms))
        return false;
    session->used_ms = now_ms;
    memcpy(ret_user, session->user, SESSION_USER_BYTES);
    return true;
}

bool session_close(struct sessions *sessions, const uint8_t token[SESSION_TOKEN_BYTES])
{
    struct session *session = find_token(sessions, token);
    if (!session)
        return false;
    session->open = false;
    return true;
}

void sessions_close_user(struct sessions *sessions, const uint8_t user[SESSION_USER_BYTES])
{
    for (struct session *s = sessions->list; s < sessions->list + SESSIONS_MAX; s++)
        if (is_of(s, user))
            s->open = false;
}
