/*
 * Store walk: every record of a snapshot of a store's file, read without LMDB and without trust.
 *
 * In: a file. Out: its records; what is wrong with it, in words. Kept: nothing.
 * Every page is looked at and belongs to one tree, or to the free list, exactly once; keys are in order and
 * where a search looks for them; each tree is as large as it says. So a file that passes is one on which
 * LMDB neither crashes nor writes to pages in use. Whether a record's bytes are the ones that were written
 * is not seen here but by the sums (store_sum.h).
 */
#ifndef KILN_CORE_STORE_WALK_H
#define KILN_CORE_STORE_WALK_H

#include "src/core/store_page.h"

struct store_walked {
    uint64_t transaction; /* the snapshot's */
    uint64_t pages, free_pages, lost_pages;
    uint64_t map_bytes, page_bytes, file_bytes;
};

/* A record, borrowed for the call. Returns 0 to go on; else that ends the walk and is returned. */
typedef int store_walk_fn(void *arg, const char *database, const void *key, size_t key_len_bytes,
                          const void *value, size_t value_len_bytes);

/* Walks the snapshot of TRANSACTION (0: the newest) in FD. On a store in use the caller holds that
 * snapshot by a read transaction. Errors and ERROR as of store_pages_init. */
int store_walk(int fd, uint64_t transaction, store_walk_fn *each, void *arg, struct store_walked *ret_walked,
               char error[STORE_ERROR_LEN]);

#endif
