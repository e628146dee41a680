/*
 * Index: pointers to objects, sorted by a key inside each, found by halving. Holds some ten thousand well.
 * In: objects (borrowed). Out: objects. Kept: the array of pointers, and the heads of the keys side by side,
 * so that most of a search reads no object.
 */
#ifndef KILN_CORE_INDEX_H
#define KILN_CORE_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct index {
    void **items;    /* owned array */
    uint64_t *heads; /* owned array: the first eight bytes of each item's key */
    size_t count, room;
    /* The key's place in an object, eight bytes at least, compared as bytes. */
    size_t key_offset, key_len_bytes;
};

void index_init(struct index *index, size_t key_offset, size_t key_len_bytes);
/* Frees the array, not the objects. */
void index_finish(struct index *index);
/* -EEXIST, -ENOMEM */
int index_add(struct index *index, void *item);
/* Takes it out; NULL when it is not there. The object is the caller's again. */
void *index_remove(struct index *index, const void *key);
void *index_find(const struct index *index, const void *key);
/* How many objects have a key that is not greater: the place of the first that has. */
size_t index_after(const struct index *index, const void *key);
/* The first object whose key is greater; NULL after the last. */
void *index_next(const struct index *index, const void *key);

#endif
