/*
 * Store sums: a sum over all records of each database, kept with them, so that a record that is changed,
 * missing or one too many shows.
 *
 * In: records. Out: sums; their bytes. Kept: nothing.
 * A record's 128 bits are XXH3 of its value, seeded by XXH3 of its key, seeded by its database; a sum adds
 * them up, so that a change of one record changes it by two of these. It finds what a disk does, not what
 * somebody who can compute it does: for that there is the audit chain.
 */
#ifndef KILN_CORE_STORE_SUM_H
#define KILN_CORE_STORE_SUM_H

#include <stdbool.h>

#include "src/core/store.h"

/* Key in STORE_META; itself in no sum. */
#define STORE_SUMS_KEY "sums"

struct store_sum {
    uint64_t low, high;
};

struct store_sums {
    uint64_t transaction; /* LMDB's number of the one that wrote them */
    struct store_sum of[STORE_DATABASE_COUNT];
};

/* u64 transaction | (u64 high | u64 low) a database | u64 XXH3 of these; big-endian. Format 2 had no
 * STORE_CHANGES. */
enum { STORE_SUMS_BYTES = 8 + 16 * STORE_DATABASE_COUNT + 8, STORE_SUMS_BY_VM_BYTES = STORE_SUMS_BYTES - 16 };

void store_sums_add(struct store_sums *sums, enum store_database database, const void *key,
                    size_t key_len_bytes, const void *value, size_t value_len_bytes);
void store_sums_remove(struct store_sums *sums, enum store_database database, const void *key,
                       size_t key_len_bytes, const void *value, size_t value_len_bytes);
bool store_sum_same(const struct store_sum *a, const struct store_sum *b);

void store_sums_encode(const struct store_sums *sums, uint8_t ret_bytes[static STORE_SUMS_BYTES]);
/* Of this format, or of format 2. -EBADMSG */
int store_sums_decode(const void *bytes, size_t len_bytes, struct store_sums *ret_sums);

/* 64 bits over a few bytes that are kept with them. */
uint64_t store_sum_bytes(const void *bytes, size_t len_bytes);

#endif
