/*
 * Index: see index.h.
 */
#include "src/core/index.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"

void index_init(struct index *index, size_t key_offset, size_t key_len_bytes)
{
    *index = (struct index){.key_offset = key_offset, .key_len_bytes = key_len_bytes};
}

void index_finish(struct index *index)
{
    free(index->items);
    free(index->heads);
    index->items = NULL;
    index->heads = NULL;
    index->count = index->room = 0;
}

/* How the item AT is to KEY, which begins with HEAD. */
static int compare(const struct index *index, size_t at, const void *key, uint64_t head)
{
    if (index->heads[at] != head)
        return index->heads[at] < head ? -1 : 1;
    return memcmp((const char *)index->items[at] + index->key_offset, key, index->key_len_bytes);
}

/* The place of KEY, or where it belongs. */
static size_t place(const struct index *index, const void *key, bool *ret_there)
{
    size_t low = 0, high = index->count;
    const uint64_t head = wire_get_u64(key);
    *ret_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(index, middle, key, head);
        if (order == 0) {
            *ret_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int room_make(struct index *index)
{
    size_t room = index->room ? index->room * 2 : 64;
    if (index->count < index->room)
        return 0;
    void **items = realloc(index->items, room * sizeof *items);
    if (!items)
        return -ENOMEM;
    index->items = items;
    uint64_t *heads = realloc(index->heads, room * sizeof *heads);
    if (!heads)
        return -ENOMEM;
    index->heads = heads;
    index->room = room;
    return 0;
}

int index_add(struct index *index, void *item)
{
    bool there;
    const void *key = (const char *)item + index->key_offset;
    size_t at = place(index, key, &there), behind = index->count - at;
    if (there)
        return -EEXIST;
    int rc = room_make(index);
    if (rc)
        return rc;
    memmove(index->items + at + 1, index->items + at, behind * sizeof *index->items);
    memmove(index->heads + at + 1, index->heads + at, behind * sizeof *index->heads);
    index->items[at] = item;
    index->heads[at] = wire_get_u64(key);
    index->count++;
    return 0;
}

void *index_remove(struct index *index, const void *key)
{
    bool there;
    size_t at = place(index, key, &there);
    if (!there)
        return NULL;
    void *item = index->items[at];
    size_t behind = --index->count - at;
    memmove(index->items + at, index->items + at + 1, behind * sizeof *index->items);
    memmove(index->heads + at, index->heads + at + 1, behind * sizeof *index->heads);
    return item;
}

void *index_find(const struct index *index, const void *key)
{
    bool there;
    size_t at = place(index, key, &there);
    return there ? index->items[at] : NULL;
}

size_t index_after(const struct index *index, const void *key)
{
    bool there;
    return place(index, key, &there) + there;
}

void *index_next(const struct index *index, const void *key)
{
    size_t at = index_after(index, key);
    return at < index->count ? index->items[at] : NULL;
}
