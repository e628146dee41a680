/*
 * Log in: challenge.h says what is kept.
 */
#include "src/core/challenge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/crypto.h"
#include "protocol/wire.h"
#include "src/io/random.h"

enum {
    FAILURES_MAX = 1024, /* keys remembered; the one that failed longest ago makes room */
    FAILURE_FORGOTTEN_MS = 600 * 1000,
    HOLD_FIRST_MS = 250,
    HOLD_MAX_MS = 8000
};

struct nonce {
    bool open;
    uint8_t key[CHALLENGE_KEY_BYTES];
    uint8_t value[CHALLENGE_NONCE_BYTES];
    int64_t given_ms;
};

struct failures {
    uint8_t key[CHALLENGE_KEY_BYTES];
    uint32_t hold_ms; /* of the last answer; 0: this place is free */
    int64_t last_ms;
};

struct challenges {
    struct nonce nonces[CHALLENGES_MAX];
    struct failures failures[FAILURES_MAX];
};

int challenges_create(struct challenges **ret_challenges)
{
    struct challenges *challenges = calloc(1, sizeof *challenges);
    if (!challenges)
        return -ENOMEM;
    *ret_challenges = challenges;
    return 0;
}

void challenges_destroy(struct challenges *challenges)
{
    free(challenges);
}

/* The place for a new nonce, chosen as for a session (session.c). */
static struct nonce *find_place(struct challenges *challenges, const uint8_t *key, int64_t now_ms)
{
    struct nonce *own = NULL, *place = NULL;
    int owned = 0;
    for (struct nonce *n = challenges->nonces; n < challenges->nonces + CHALLENGES_MAX; n++) {
        n->open = n->open && now_ms - n->given_ms < CHALLENGE_LIFE_MS;
        if (n->open && memcmp(n->key, key, CHALLENGE_KEY_BYTES) == 0) {
            owned++;
            if (!own || n->given_ms < own->given_ms)
                own = n;
        }
        if (!place || (place->open && (!n->open || n->given_ms < place->given_ms)))
            place = n;
    }
    return owned >= CHALLENGES_PER_KEY_MAX ? own : place;
}

void challenge_give(struct challenges *challenges, const uint8_t key[CHALLENGE_KEY_BYTES], int64_t now_ms,
                    uint8_t ret_nonce[CHALLENGE_NONCE_BYTES])
{
    struct nonce *nonce = find_place(challenges, key, now_ms);
    random_fill(ret_nonce, CHALLENGE_NONCE_BYTES);
    nonce->open = true;
    nonce->given_ms = now_ms;
    memcpy(nonce->key, key, CHALLENGE_KEY_BYTES);
    memcpy(nonce->value, ret_nonce, CHALLENGE_NONCE_BYTES);
}

bool challenge_take(struct challenges *challenges, const uint8_t key[CHALLENGE_KEY_BYTES],
                    const uint8_t nonce[CHALLENGE_NONCE_BYTES], int64_t now_ms)
{
    for (struct nonce *n = challenges->nonces; n < challenges->nonces + CHALLENGES_MAX; n++) {
        if (!n->open || !wire_equal(n->value, nonce, CHALLENGE_NONCE_BYTES) ||
            memcmp(n->key, key, CHALLENGE_KEY_BYTES) != 0)
            continue;
        n->open = false;
        return now_ms - n->given_ms < CHALLENGE_LIFE_MS;
    }
    return false;
}

static struct failures *find_failures(struct challenges *challenges, const uint8_t *key)
{
    for (struct failures *f = challenges->failures; f < challenges->failures + FAILURES_MAX; f++)
        if (f->hold_ms > 0 && memcmp(f->key, key, CHALLENGE_KEY_BYTES) == 0)
            return f;
    return NULL;
}

static struct failures *oldest_failures(struct challenges *challenges)
{
    struct failures *oldest = challenges->failures;
    for (struct failures *f = challenges->failures; f < challenges->failures + FAILURES_MAX; f++)
        if (f->hold_ms == 0 || (oldest->hold_ms > 0 && f->last_ms < oldest->last_ms))
            oldest = f;
    return oldest;
}

uint32_t challenge_failed(struct challenges *challenges, const uint8_t key[CHALLENGE_KEY_BYTES],
                          int64_t now_ms, bool *ret_slower)
{
    struct failures *f = find_failures(challenges, key);
    uint32_t before_ms = f && now_ms - f->last_ms < FAILURE_FORGOTTEN_MS ? f->hold_ms : 0;
    if (f && now_ms - f->last_ms < FAILURE_FORGOTTEN_MS) {
        f->hold_ms = f->hold_ms * 2 < HOLD_MAX_MS ? f->hold_ms * 2 : HOLD_MAX_MS;
    } else {
        f = f ? f : oldest_failures(challenges);
        memcpy(f->key, key, CHALLENGE_KEY_BYTES);
        f->hold_ms = HOLD_FIRST_MS;
    }
    f->last_ms = now_ms;
    *ret_slower = f->hold_ms > before_ms;
    return f->hold_ms;
}

void challenge_passed(struct challenges *challenges, const uint8_t key[CHALLENGE_KEY_BYTES])
{
    struct failures *f = find_failures(challenges, key);
    if (f)
        f->hold_ms = 0;
}
