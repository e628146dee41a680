/*
 * Index: see index.h.
 */
#include "src/core/index.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void index_init(struct index *index, size_t key_offset, size_t key_len_bytes)
{
    *index = (struct index){.key_offset = key_offset, .key_len_bytes = key_len_bytes};
}

void index_finish(struct index *index)
{
    free(index->items);
    index->items = NULL;
    index->count = index->room = 0;
}

/* The place of KEY, or where it belongs. */
static size_t place(const struct index *index, const void *key, bool *ret_there)
{
    size_t low = 0, high = index->count;
    *ret_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp((const char *)index->items[middle] + index->key_offset, key, index->key_len_bytes);
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

int index_add(struct index *index, void *item)
{
    bool there;
    size_t at = place(index, (const char *)item + index->key_offset, &there);
    if (there)
        return -EEXIST;
    if (index->count == index->room) {
        size_t room = index->room ? index->room * 2 : 64;
        void **items = realloc(index->items, room * sizeof *items);
        if (!items)
            return -ENOMEM;
        index->items = items;
        index->room = room;
    }
    memmove(index->items + at + 1, index->items + at, (index->count - at) * sizeof *index->items);
    index->items[at] = item;
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
    index->count--;
    memmove(index->items + at, index->items + at + 1, (index->count - at) * sizeof *index->items);
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
