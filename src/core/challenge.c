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
    TIME_BYTES = 8,
    RANDOM_BYTES = 8,
    BODY_BYTES = TIME_BYTES + RANDOM_BYTES,
    MAC_BYTES = CHALLENGE_NONCE_BYTES - BODY_BYTES,
    FAILURES_MAX = 1024, /* keys remembered; the one that failed longest ago makes room */
    FAILURE_FORGOTTEN_MS = 600 * 1000,
    HOLD_FIRST_MS = 250,
    HOLD_MAX_MS = 8000
};

/* One that opened a session, for as long as it would be taken again. */
struct used {
    uint8_t key[CHALLENGE_KEY_BYTES];
    uint8_t nonce[CHALLENGE_NONCE_BYTES];
    int64_t until_ms; /* 0: this place is free */
};

struct failures {
    uint8_t key[CHALLENGE_KEY_BYTES];
    uint32_t hold_ms; /* of the last answer; 0: this place is free */
    int64_t last_ms;
};

struct challenges {
    uint8_t secret[CRYPTO_KEY_BYTES]; /* of this life of kilnd */
    struct used used[CHALLENGES_USED_MAX];
    struct failures failures[FAILURES_MAX];
};

int challenges_create(struct challenges **ret_challenges)
{
    struct challenges *challenges = calloc(1, sizeof *challenges);
    if (!challenges)
        return -ENOMEM;
    random_fill(challenges->secret, sizeof challenges->secret);
    *ret_challenges = challenges;
    return 0;
}

void challenges_destroy(struct challenges *challenges)
{
    if (challenges)
        crypto_wipe(challenges->secret, sizeof challenges->secret);
    free(challenges);
}

/* The MAC of a nonce's time and random bytes, for one key. */
static void seal(const struct challenges *challenges, const uint8_t *key, const uint8_t body[BODY_BYTES],
                 uint8_t ret_mac[CRYPTO_HASH_BYTES])
{
    uint8_t block[CHALLENGE_KEY_BYTES + BODY_BYTES];
    memcpy(block, key, CHALLENGE_KEY_BYTES);
    memcpy(block + CHALLENGE_KEY_BYTES, body, BODY_BYTES);
    crypto_hmac(challenges->secret, sizeof challenges->secret, block, sizeof block, ret_mac);
}

void challenge_give(const struct challenges *challenges, const uint8_t key[CHALLENGE_KEY_BYTES],
                    int64_t now_ms, uint8_t ret_nonce[CHALLENGE_NONCE_BYTES])
{
    uint8_t mac[CRYPTO_HASH_BYTES];
    wire_put_u64(ret_nonce, (uint64_t)now_ms);
    random_fill(ret_nonce + TIME_BYTES, RANDOM_BYTES);
    seal(challenges, key, ret_nonce, mac);
    memcpy(ret_nonce + BODY_BYTES, mac, MAC_BYTES);
}

static int64_t until_of(const uint8_t nonce[CHALLENGE_NONCE_BYTES])
{
    return (int64_t)wire_get_u64(nonce) + CHALLENGE_LIFE_MS;
}

bool challenge_check(const struct challenges *challenges, const uint8_t key[CHALLENGE_KEY_BYTES],
                     const uint8_t nonce[CHALLENGE_NONCE_BYTES], int64_t now_ms)
{
    uint8_t mac[CRYPTO_HASH_BYTES];
    seal(challenges, key, nonce, mac);
    if (!wire_equal(mac, nonce + BODY_BYTES, MAC_BYTES) || now_ms >= until_of(nonce))
        return false;
    for (const struct used *used = challenges->used; used < challenges->used + CHALLENGES_USED_MAX; used++)
        if (used->until_ms > now_ms && memcmp(used->nonce, nonce, CHALLENGE_NONCE_BYTES) == 0)
            return false;
    return true;
}

int challenge_use(struct challenges *challenges, const uint8_t key[CHALLENGE_KEY_BYTES],
                  const uint8_t nonce[CHALLENGE_NONCE_BYTES], int64_t now_ms)
{
    struct used *place = NULL;
    int owned = 0;
    for (struct used *used = challenges->used; used < challenges->used + CHALLENGES_USED_MAX; used++) {
        if (used->until_ms <= now_ms)
            place = used;
        else
            owned += memcmp(used->key, key, CHALLENGE_KEY_BYTES) == 0;
    }
    if (!place || owned >= CHALLENGES_USED_PER_KEY_MAX)
        return -ENOSPC;
    memcpy(place->key, key, CHALLENGE_KEY_BYTES);
    memcpy(place->nonce, nonce, CHALLENGE_NONCE_BYTES);
    place->until_ms = until_of(nonce);
    return 0;
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
