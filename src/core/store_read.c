/*
 * Store: reading what is durable.
 *
 * In: keys. Out: values. Kept: nothing; a read sees one moment.
 */
#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"
#include "src/core/store_private.h"

int store_read_begin(struct store *store, MDB_txn **ret_txn)
{
    pthread_rwlock_rdlock(&store->map_lock);
    int rc = store->env ? mdb_txn_begin(store->env, NULL, MDB_RDONLY, ret_txn) : EIO;
    if (rc)
        pthread_rwlock_unlock(&store->map_lock);
    return store_errno(rc);
}

void store_read_end(struct store *store, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    pthread_rwlock_unlock(&store->map_lock);
}

int store_each(struct store *store, enum store_database database, const void *from, size_t from_len_bytes,
               size_t prefix_len_bytes, store_each_fn *each, void *arg)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor;
    int rc = store_read_begin(store, &txn);
    if (rc)
        return rc;
    rc = mdb_cursor_open(txn, store->dbi[database], &cursor);
    if (rc) {
        store_read_end(store, txn);
        return store_errno(rc);
    }
    MDB_val key = {.mv_size = from_len_bytes, .mv_data = (void *)from};
    MDB_val value;
    int verdict = 0;
    for (rc = mdb_cursor_get(cursor, &key, &value, from_len_bytes ? MDB_SET_RANGE : MDB_FIRST);
         !rc && !verdict; rc = rc ? rc : mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        if (prefix_len_bytes &&
            (key.mv_size < prefix_len_bytes || memcmp(key.mv_data, from, prefix_len_bytes) != 0))
            break;
        verdict = each(arg, key.mv_data, key.mv_size, value.mv_data, value.mv_size);
    }
    mdb_cursor_close(cursor);
    store_read_end(store, txn);
    if (verdict)
        return verdict;
    return rc == MDB_NOTFOUND ? 0 : store_errno(rc);
}

int store_follow(struct store *store, enum store_database database, uint64_t first, store_follow_fn *follow,
                 void *arg)
{
    MDB_txn *txn = NULL;
    uint64_t next = first;
    int rc = store_read_begin(store, &txn);
    if (rc)
        return rc;
    while (!rc && next) {
        uint8_t number[8];
        MDB_val key = {.mv_size = sizeof number, .mv_data = number};
        MDB_val value;
        wire_put_u64(number, next);
        rc = store_errno(mdb_get(txn, store->dbi[database], &key, &value));
        if (!rc)
            rc = follow(arg, value.mv_data, value.mv_size, &next);
    }
    store_read_end(store, txn);
    return rc;
}

int store_get(struct store *store, enum store_database database, const void *key, size_t key_len_bytes,
              uint8_t **ret_value, size_t *ret_len_bytes)
{
    MDB_txn *txn = NULL;
    int rc = store_read_begin(store, &txn);
    if (rc)
        return rc;
    MDB_val wanted = {.mv_size = key_len_bytes, .mv_data = (void *)key};
    MDB_val found;
    rc = store_errno(mdb_get(txn, store->dbi[database], &wanted, &found));
    if (!rc) {
        uint8_t *copy = malloc(found.mv_size + 1);
        if (copy) {
            memcpy(copy, found.mv_data, found.mv_size);
            copy[found.mv_size] = 0; /* texts can be used as such */
            *ret_value = copy;
            *ret_len_bytes = found.mv_size;
        }
        rc = copy ? 0 : -ENOMEM;
    }
    store_read_end(store, txn);
    return rc;
}

int store_last_key(struct store *store, enum store_database database, void *ret_key, size_t size_bytes,
                   size_t *ret_len_bytes)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor;
    MDB_val key, value;
    int rc = store_read_begin(store, &txn);
    if (rc)
        return rc;
    rc = store_errno(mdb_cursor_open(txn, store->dbi[database], &cursor));
    if (!rc) {
        rc = store_errno(mdb_cursor_get(cursor, &key, &value, MDB_LAST));
        if (!rc && key.mv_size > size_bytes)
            rc = -EMSGSIZE;
        if (!rc) {
            memcpy(ret_key, key.mv_data, key.mv_size);
            *ret_len_bytes = key.mv_size;
        }
        mdb_cursor_close(cursor);
    }
    store_read_end(store, txn);
    return rc;
}
