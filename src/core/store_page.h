/*
 * Store pages: an LMDB file of data version 1, page by page, with none of it trusted.
 *
 * In: a file, page numbers. Out: pages whose every offset, length and count was looked at; where it is
 * damaged, in words. Kept: struct store_pages, until finished: which pages were met.
 * LMDB itself believes what it maps: a damaged page makes it crash, or free and later overwrite pages that
 * are in use. So what is on the disk is read here first, by pread(2), and LMDB opens only what is whole.
 */
#ifndef KILN_CORE_STORE_PAGE_H
#define KILN_CORE_STORE_PAGE_H

#include <stdbool.h>

#include "src/core/store.h"

enum { STORE_PAGE_KEY_MAX = 511, STORE_PAGE_DEPTH_MAX = 16, STORE_PAGE_BYTES_MAX = 65536 };

#define STORE_PAGE_NONE UINT64_MAX /* the root of an empty tree */

/* LMDB's MDB_db: a tree. */
struct store_tree {
    uint32_t pad; /* of the free tree: the page size */
    uint16_t flags, depth;
    uint64_t branch_pages, leaf_pages, overflow_pages, entries, root;
};

/* LMDB's MDB_meta. */
struct store_meta {
    uint32_t magic, version;
    uint64_t address, map_bytes;
    struct store_tree free, main;
    uint64_t last_page, transaction;
};

enum store_node_kind { STORE_NODE_VALUE, STORE_NODE_OVERFLOW, STORE_NODE_TREE };

/* An entry of a page. Pointers are borrowed from the page. */
struct store_node {
    enum store_node_kind kind; /* of a leaf's */
    uint64_t child;            /* of a branch's; of STORE_NODE_OVERFLOW: its first page */
    const uint8_t *key, *value;
    size_t key_len_bytes, value_len_bytes;
};

struct store_page {
    bool is_branch;
    size_t nodes;
    const uint8_t *bytes; /* borrowed: the caller's */
};

struct store_pages {
    int fd; /* borrowed */
    size_t page_bytes;
    uint64_t file_bytes, count;
    uint8_t *met;         /* owned: a bit a page */
    const char *database; /* borrowed: what is walked now, for words */
    char *error;          /* borrowed: STORE_ERROR_LEN bytes */
};

/* Finds the snapshot of TRANSACTION (0: the newest) of FD. -EUCLEAN damaged, -ENODATA the file is empty,
 * -ESTALE the file holds that snapshot no more, -ENOTSUP another LMDB wrote it, -ENOMEM, errno of reading;
 * ERROR in words, borrowed until the end. */
int store_pages_init(struct store_pages *pages, int fd, uint64_t transaction, struct store_meta *ret_meta,
                     char error[STORE_ERROR_LEN]);
void store_pages_finish(struct store_pages *pages);

/* Says what is wrong with a page. Returns -EUCLEAN. */
int store_pages_damaged(struct store_pages *pages, uint64_t number, const char *words);

/* Notes that COUNT pages from NUMBER are in use, or free, and nothing else is on them. -EUCLEAN */
int store_pages_take(struct store_pages *pages, uint64_t number, uint64_t count);
/* Pages that nobody took: harmless, never used again. */
uint64_t store_pages_lost(const struct store_pages *pages);

/* Takes and reads a page of a tree into BYTES (page_bytes long) and looks at all its nodes. */
int store_page_read(struct store_pages *pages, uint64_t number, uint8_t *bytes, struct store_page *ret_page);
/* Node INDEX of a page that was read. */
void store_page_node(const struct store_page *page, size_t index, struct store_node *ret_node);
/* Takes and reads a value that has pages of its own, into malloc'd bytes (the caller's), and says how many
 * they are. */
int store_page_read_value(struct store_pages *pages, const struct store_node *node, uint8_t **ret_bytes,
                          uint64_t *ret_pages);

#endif
