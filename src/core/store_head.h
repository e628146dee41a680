/*
 * Store head: what the store last was, kept beside it: FOLDER.head. So a store that goes back, or away,
 * shows, and so does an audit chain that is shorter than it was.
 *
 * In: the number of a transaction and the end of the audit chain, after each commit. Out: the same.
 * Kept: two places in turn, the newer that is whole counts. It is not waited for: after a power cut it may
 * be some transactions behind, never ahead.
 */
#ifndef KILN_CORE_STORE_HEAD_H
#define KILN_CORE_STORE_HEAD_H

#include "src/core/store.h"

struct store_head {
    uint64_t transaction;
    uint8_t audit_end[STORE_AUDIT_END_BYTES]; /* of STORE_META, all zero before the first entry */
};

/* PATH of the head of the store in FOLDER. -ENAMETOOLONG */
int store_head_path(const char *folder, char *ret_path, size_t size_bytes);
/* -ENOENT there is none, -EUCLEAN neither place is whole, errno. RET_FD is for store_head_write. */
int store_head_open(const char *path, int *ret_fd, struct store_head *ret_head);
/* Makes PATH hold HEAD alone, durably. Negative errno. */
int store_head_make(const char *path, const struct store_head *head);
/* Negative errno. */
int store_head_write(int fd, const struct store_head *head);
/* The head as it was last written, or was meant to be. Any thread. (store_commit.c) */
void store_head_last(struct store *store, struct store_head *ret_head);

#endif
