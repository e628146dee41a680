/*
 * JSON blocks: the memory of a tree, for json.c only. In: sizes. Out: pieces, which live as long as the
 * blocks. Kept: a few blocks, each twice as large as the one before.
 */
#ifndef KILN_PROTOCOL_JSON_BLOCKS_H
#define KILN_PROTOCOL_JSON_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

struct json_block;

/* All zero: none. */
struct json_blocks {
    struct json_block *newest; /* owned */
};

/* A piece of LEN bytes, not zeroed; ALIGNED for a struct or pointers. NULL: no memory. */
void *json_blocks_take(struct json_blocks *blocks, size_t len, bool aligned);
void json_blocks_finish(struct json_blocks *blocks);
/* The same, overwriting all pieces first. */
void json_blocks_finish_wiped(struct json_blocks *blocks);

#endif
