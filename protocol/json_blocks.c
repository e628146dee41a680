/*
 * JSON blocks. See json_blocks.h.
 */
#include "protocol/json_blocks.h"

#include <stdlib.h>

#include "protocol/crypto.h"

enum {
    FIRST_BYTES = 1024,
    MAX_BYTES = 65536 /* unless one piece needs more */
};

struct json_block {
    struct json_block *next;
    size_t used, room;
    max_align_t bytes[];
};

static struct json_block *block_add(struct json_blocks *blocks, size_t need)
{
    size_t room = blocks->newest ? blocks->newest->room * 2 : FIRST_BYTES;
    if (room > MAX_BYTES)
        room = MAX_BYTES;
    if (room < need)
        room = need;
    struct json_block *block = malloc(sizeof *block + room);
    if (!block)
        return NULL;
    block->next = blocks->newest;
    block->used = 0;
    block->room = room;
    blocks->newest = block;
    return block;
}

void *json_blocks_take(struct json_blocks *blocks, size_t len, bool aligned)
{
    struct json_block *block = blocks->newest;
    size_t at = block ? block->used : 0;
    if (aligned)
        at = (at + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    if (!block || at > block->room || len > block->room - at) {
        block = block_add(blocks, len);
        at = 0;
    }
    if (!block)
        return NULL;
    block->used = at + len;
    return (char *)block->bytes + at;
}

static void finish(struct json_blocks *blocks, bool wipes)
{
    while (blocks->newest) {
        struct json_block *block = blocks->newest;
        blocks->newest = block->next;
        if (wipes)
            crypto_wipe(block->bytes, block->used);
        free(block);
    }
}

void json_blocks_finish(struct json_blocks *blocks)
{
    finish(blocks, false);
}

void json_blocks_finish_wiped(struct json_blocks *blocks)
{
    finish(blocks, true);
}
