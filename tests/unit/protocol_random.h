/*
 * A source of "randomness" that repeats: SHA-256 of a seed and a counter. For tests alone.
 */
#ifndef KILN_TESTS_UNIT_PROTOCOL_RANDOM_H
#define KILN_TESTS_UNIT_PROTOCOL_RANDOM_H

#include <string.h>

#include "protocol/crypto.h"
#include "protocol/wire.h"

struct fixed_random {
    uint64_t seed, counter;
};

static inline int fixed_random_fill(void *arg, uint8_t *out, size_t len)
{
    struct fixed_random *random = arg;
    while (len > 0) {
        uint8_t block[16], hash[CRYPTO_HASH_BYTES];
        size_t take = len < sizeof hash ? len : sizeof hash;
        wire_put_u64(block, random->seed);
        wire_put_u64(block + 8, random->counter++);
        crypto_hash(block, sizeof block, hash);
        memcpy(out, hash, take);
        out += take;
        len -= take;
    }
    return 0;
}

#endif
