/*
 * Store check: whether a store's file is whole and holds the records that were put into it, no more and no
 * less.
 *
 * In: the file of a store, in use or not, or of a backup. Out: a verdict, in words when it is bad; every
 * record, for who wants them. Kept: nothing.
 */
#ifndef KILN_CORE_STORE_CHECK_H
#define KILN_CORE_STORE_CHECK_H

#include "src/core/store_sum.h"
#include "src/core/store_walk.h"

struct store_verdict {
    struct store_walked walked;
    uint32_t format; /* 0: there are no records at all */
    struct store_sums sums;
    uint64_t records[STORE_DATABASE_COUNT];
    uint8_t audit_end[STORE_AUDIT_END_BYTES]; /* of STORE_META, all zero when there is none */
};

/* Called with each record before the verdict is known; 0 to go on, else that ends the check and is
 * returned. May be NULL. */
typedef int store_check_fn(void *arg, enum store_database database, const void *key, size_t key_len_bytes,
                           const void *value, size_t value_len_bytes);

/* Checks the snapshot of TRANSACTION (0: the newest) in FD. A store of format 1 has no sums: its pages are
 * checked, and sums->transaction is 0. -EUCLEAN damaged, -ENOTSUP of a newer format, -ENODATA an empty file,
 * -ESTALE as store_walk, errno; ERROR in words. */
int store_check(int fd, uint64_t transaction, store_check_fn *each, void *arg,
                struct store_verdict *ret_verdict, char error[STORE_ERROR_LEN]);

/* Of an older format: empty in a store of the present one. */
bool store_database_is_former(enum store_database database);
/* The database's name; its number, -1 when there is none of that name. */
const char *store_database_name(enum store_database database);
int store_database_find(const char *name);

#endif
