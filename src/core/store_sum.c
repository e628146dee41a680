/*
 * Store sums: see store_sum.h.
 */
#include "src/core/store_sum.h"

#include <errno.h>
#include <xxhash.h>

#include "protocol/wire.h"

/* A database's number is its seed and never another's. */
static struct store_sum record_sum(enum store_database database, const void *key, size_t key_len_bytes,
                                   const void *value, size_t value_len_bytes)
{
    XXH64_hash_t seed = XXH3_64bits_withSeed(key, key_len_bytes, (XXH64_hash_t)database + 1);
    XXH128_hash_t hash = XXH3_128bits_withSeed(value, value_len_bytes, seed);
    return (struct store_sum){.low = hash.low64, .high = hash.high64};
}

void store_sums_add(struct store_sums *sums, enum store_database database, const void *key,
                    size_t key_len_bytes, const void *value, size_t value_len_bytes)
{
    struct store_sum *sum = &sums->of[database];
    struct store_sum record = record_sum(database, key, key_len_bytes, value, value_len_bytes);
    sum->low += record.low;
    sum->high += record.high;
}

void store_sums_remove(struct store_sums *sums, enum store_database database, const void *key,
                       size_t key_len_bytes, const void *value, size_t value_len_bytes)
{
    struct store_sum *sum = &sums->of[database];
    struct store_sum record = record_sum(database, key, key_len_bytes, value, value_len_bytes);
    sum->low -= record.low;
    sum->high -= record.high;
}

bool store_sum_same(const struct store_sum *a, const struct store_sum *b)
{
    return a->low == b->low && a->high == b->high;
}

uint64_t store_sum_bytes(const void *bytes, size_t len_bytes)
{
    return XXH3_64bits(bytes, len_bytes);
}

void store_sums_encode(const struct store_sums *sums, uint8_t ret_bytes[static STORE_SUMS_BYTES])
{
    uint8_t *at = ret_bytes;
    wire_put_u64(at, sums->transaction);
    at += 8;
    for (int i = 0; i < STORE_DATABASE_COUNT; i++, at += 16) {
        wire_put_u64(at, sums->of[i].high);
        wire_put_u64(at + 8, sums->of[i].low);
    }
    wire_put_u64(at, store_sum_bytes(ret_bytes, STORE_SUMS_BYTES - 8));
}

int store_sums_decode(const void *bytes, size_t len_bytes, struct store_sums *ret_sums)
{
    const uint8_t *at = bytes, *end;
    if ((len_bytes != STORE_SUMS_BYTES && len_bytes != STORE_SUMS_BY_VM_BYTES) ||
        wire_get_u64(at + len_bytes - 8) != store_sum_bytes(bytes, len_bytes - 8))
        return -EBADMSG;
    *ret_sums = (struct store_sums){.transaction = wire_get_u64(at)};
    end = at + len_bytes - 8;
    at += 8;
    for (int i = 0; at < end; i++, at += 16)
        ret_sums->of[i] = (struct store_sum){.high = wire_get_u64(at), .low = wire_get_u64(at + 8)};
    return 0;
}
