/*
 * Store: batches of changes, collected on the loop.
 *
 * In: puts and deletes. Out: a batch for the commit thread. Kept: copies of keys and values, one after the
 * other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/store_private.h"

void store_list_init(struct store_list *list)
{
    list->first = NULL;
    list->last = &list->first;
}

void store_list_move(struct store_list *to, struct store_list *from)
{
    if (!from->first)
        return;
    *to->last = from->first;
    to->last = from->last;
    store_list_init(from);
}

void store_list_finish(struct store_list *list)
{
    while (list->first) {
        struct store_batch *batch = list->first;
        list->first = batch->next;
        store_batch_destroy(batch);
    }
    store_list_init(list);
}

int store_batch_create(struct store *store, struct store_batch **ret_batch)
{
    struct store_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return -ENOMEM;
    batch->store = store;
    *ret_batch = batch;
    return 0;
}

void store_batch_destroy(struct store_batch *batch)
{
    if (!batch)
        return;
    free(batch->bytes);
    free(batch);
}

static int room_make(struct store_batch *batch, size_t more_bytes)
{
    if (batch->room_bytes - batch->len_bytes >= more_bytes)
        return 0;
    size_t room = batch->room_bytes ? batch->room_bytes : 1024;
    while (room - batch->len_bytes < more_bytes)
        room *= 2;
    uint8_t *bytes = realloc(batch->bytes, room);
    if (!bytes)
        return -ENOMEM;
    batch->bytes = bytes;
    batch->room_bytes = room;
    return 0;
}

static void bytes_add(struct store_batch *batch, const void *bytes, size_t len_bytes)
{
    if (len_bytes)
        memcpy(batch->bytes + batch->len_bytes, bytes, len_bytes);
    batch->len_bytes += len_bytes;
}

static void op_add(struct store_batch *batch, struct store_op op, const void *key, const void *value)
{
    if (batch->error)
        return;
    /* LMDB takes no empty key, and a transaction must not fail for what one batch asks. */
    if (op.key_len_bytes == 0 || op.key_len_bytes > STORE_KEY_MAX) {
        batch->error = -EINVAL;
        return;
    }
    batch->error = room_make(batch, sizeof op + op.key_len_bytes + op.value_len_bytes);
    if (batch->error)
        return;
    bytes_add(batch, &op, sizeof op);
    bytes_add(batch, key, op.key_len_bytes);
    bytes_add(batch, value, op.value_len_bytes);
}

void store_put(struct store_batch *batch, enum store_database database, const void *key, size_t key_len_bytes,
               const void *value, size_t value_len_bytes)
{
    if (key_len_bytes > STORE_KEY_MAX || value_len_bytes > UINT32_MAX) {
        batch->error = -EINVAL;
        return;
    }
    struct store_op op = {.database = database,
                          .key_len_bytes = (uint32_t)key_len_bytes,
                          .value_len_bytes = (uint32_t)value_len_bytes};
    op_add(batch, op, key, value);
}

void store_delete(struct store_batch *batch, enum store_database database, const void *key,
                  size_t key_len_bytes)
{
    if (key_len_bytes > STORE_KEY_MAX) {
        batch->error = -EINVAL;
        return;
    }
    struct store_op op = {.database = database, .is_delete = 1, .key_len_bytes = (uint32_t)key_len_bytes};
    op_add(batch, op, key, NULL);
}
