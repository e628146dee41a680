/*
 * Log in by challenge (protocol/README 8.2): nonces, which of them opened a session, and how often a key
 * failed.
 *
 * In: fingerprints, nonces, the caller's monotonic clock. Out: nonces; whether one may be used; how long the
 * answer to a failure is held back. Kept: a secret by which a nonce is known again, so that whoever asks for
 * many takes nobody's place; those that were used, and failures: both bounded, in memory only.
 */
#ifndef KILN_CORE_CHALLENGE_H
#define KILN_CORE_CHALLENGE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CHALLENGE_NONCE_BYTES = 32,
    CHALLENGE_KEY_BYTES = 32, /* fingerprint */
    CHALLENGE_LIFE_MS = 60 * 1000,
    CHALLENGES_USED_MAX = 8192, /* log ins in CHALLENGE_LIFE_MS; no more are taken */
    CHALLENGES_USED_PER_KEY_MAX = 1024
};

struct challenges;

/* Returns 0 or -ENOMEM. */
int challenges_create(struct challenges **ret_challenges);
void challenges_destroy(struct challenges *challenges);

/* A fresh nonce for a key, known or not. `now_ms` is monotonic, here and below. */
void challenge_give(const struct challenges *challenges, const uint8_t key[CHALLENGE_KEY_BYTES],
                    int64_t now_ms, uint8_t ret_nonce[CHALLENGE_NONCE_BYTES]);

/* False: it was not given to this key, was used before, or is too old. */
bool challenge_check(const struct challenges *challenges, const uint8_t key[CHALLENGE_KEY_BYTES],
                     const uint8_t nonce[CHALLENGE_NONCE_BYTES], int64_t now_ms);

/* Uses a nonce up that was checked, and that the key has signed: who cannot sign uses up nothing. Returns 0,
 * or -ENOSPC: the key, or all together, logged in too often just now. */
int challenge_use(struct challenges *challenges, const uint8_t key[CHALLENGE_KEY_BYTES],
                  const uint8_t nonce[CHALLENGE_NONCE_BYTES], int64_t now_ms);

/* Counts a failure; returns for how many milliseconds its answer shall be held back: 250, doubling with each
 * failure in a row to 8,000. A good signature is never held back, so nobody can lock another out. KEY may
 * also be the hash of an address. RET_SLOWER: longer than the last one's. */
uint32_t challenge_failed(struct challenges *challenges, const uint8_t key[CHALLENGE_KEY_BYTES],
                          int64_t now_ms, bool *ret_slower);
void challenge_passed(struct challenges *challenges, const uint8_t key[CHALLENGE_KEY_BYTES]);

#endif
