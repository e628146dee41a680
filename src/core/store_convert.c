/*
 * Store: what an older kilnd wrote becomes the present format, in the first transaction of this one.
 *
 * In: a store of any format, or none yet. Out: its databases, and what changed places. Kept: nothing.
 * Formats 1 and 2 had each history entry under its VM and number (uuid | u64 seq), which made every change
 * write a page of its own, and an index from number to VM. Now the entries are one after the other by number,
 * and each names the one before it of its VM; and VMs, which were by uuid, are by the number of their first.
 */
#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"
#include "src/core/record.h"
#include "src/core/store_check.h"
#include "src/core/store_private.h"

enum { SEQ_BYTES = 8, BY_VM_BYTES = VM_UUID_LEN + SEQ_BYTES, PREVIOUS_BYTES = 2 + 4 + 8 };

struct conversion {
    struct store *store;
    MDB_txn *txn;
    struct store_sums *sums;
    MDB_cursor *history; /* by VM and number */
};

static int databases_make(struct store *store, MDB_txn *txn)
{
    int rc = 0;
    for (int i = 0; !rc && i < STORE_DATABASE_COUNT; i++)
        rc = mdb_dbi_open(txn, store_database_name((enum store_database)i), MDB_CREATE, &store->dbi[i]);
    return rc;
}

/* The VM's change before the one that the cursor is at; 0 when that is its first. */
static int previous_find(struct conversion *conversion, const uint8_t uuid[static VM_UUID_LEN],
                         uint64_t *ret_previous)
{
    MDB_val key, value;
    int rc = mdb_cursor_get(conversion->history, &key, &value, MDB_PREV);
    *ret_previous = 0;
    if (rc)
        return rc == MDB_NOTFOUND ? 0 : rc;
    if (key.mv_size == BY_VM_BYTES && memcmp(key.mv_data, uuid, VM_UUID_LEN) == 0)
        *ret_previous = wire_get_u64((const uint8_t *)key.mv_data + VM_UUID_LEN);
    return 0;
}

/* The entry, with one more member at its end (record.h). */
static int change_put(struct conversion *conversion, MDB_val seq, MDB_val entry, uint64_t previous)
{
    MDB_val value = {.mv_size = entry.mv_size + (previous ? PREVIOUS_BYTES : 0)};
    MDB_dbi changes = conversion->store->dbi[STORE_CHANGES];
    int rc = mdb_put(conversion->txn, changes, &seq, &value, MDB_RESERVE | MDB_APPEND);
    if (rc)
        return rc;
    memcpy(value.mv_data, entry.mv_data, entry.mv_size);
    if (previous) {
        uint8_t *at = (uint8_t *)value.mv_data + entry.mv_size;
        at[0] = RECORD_HISTORY_PREVIOUS >> 8;
        at[1] = RECORD_HISTORY_PREVIOUS & 0xff;
        wire_put_u32(at + 2, sizeof previous);
        wire_put_u64(at + 6, previous);
    }
    store_sums_add(conversion->sums, STORE_CHANGES, seq.mv_data, seq.mv_size, value.mv_data, value.mv_size);
    return 0;
}

/* The record of the VM whose first change is SEQ, if it is not forgotten. */
static int vm_convert(struct conversion *conversion, MDB_val seq, const uint8_t uuid[static VM_UUID_LEN])
{
    MDB_dbi vms = conversion->store->dbi[STORE_VMS];
    MDB_val key = {.mv_size = VM_UUID_LEN, .mv_data = (void *)uuid};
    MDB_val old, moved;
    int rc = mdb_get(conversion->txn, vms, &key, &old);
    if (rc)
        return rc == MDB_NOTFOUND ? 0 : rc;
    /* Its place is written over by what comes into it. */
    uint8_t *bytes = malloc(old.mv_size);
    if (!bytes)
        return ENOMEM;
    memcpy(bytes, old.mv_data, old.mv_size);
    moved = (MDB_val){.mv_size = old.mv_size, .mv_data = bytes};
    store_sums_remove(conversion->sums, STORE_VMS, key.mv_data, key.mv_size, bytes, moved.mv_size);
    store_sums_add(conversion->sums, STORE_VMS, seq.mv_data, seq.mv_size, bytes, moved.mv_size);
    rc = mdb_del(conversion->txn, vms, &key, NULL);
    if (!rc)
        rc = mdb_put(conversion->txn, vms, &seq, &moved, MDB_NOOVERWRITE);
    free(bytes);
    return rc;
}

static int change_convert(struct conversion *conversion, MDB_val seq, MDB_val uuid)
{
    uint8_t by_vm[BY_VM_BYTES];
    MDB_val key = {.mv_size = sizeof by_vm, .mv_data = by_vm};
    MDB_val entry;
    uint64_t previous;
    if (seq.mv_size != SEQ_BYTES || uuid.mv_size != VM_UUID_LEN)
        return MDB_CORRUPTED;
    memcpy(by_vm, uuid.mv_data, VM_UUID_LEN);
    memcpy(by_vm + VM_UUID_LEN, seq.mv_data, SEQ_BYTES);
    int rc = mdb_cursor_get(conversion->history, &key, &entry, MDB_SET_KEY);
    if (!rc)
        rc = previous_find(conversion, by_vm, &previous);
    if (!rc)
        rc = change_put(conversion, seq, entry, previous);
    if (!rc && !previous)
        rc = vm_convert(conversion, seq, by_vm);
    return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
}

static int changes_convert(struct conversion *conversion)
{
    MDB_cursor *sequence;
    MDB_val seq, uuid;
    int rc = mdb_cursor_open(conversion->txn, conversion->store->dbi[STORE_FORMER_SEQUENCE], &sequence);
    if (rc)
        return rc;
    while (!(rc = mdb_cursor_get(sequence, &seq, &uuid, MDB_NEXT)))
        if ((rc = store_look_ends(conversion->store) ? ECANCELED : change_convert(conversion, seq, uuid)))
            break;
    mdb_cursor_close(sequence);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int former_drop(struct conversion *conversion, enum store_database database)
{
    conversion->sums->of[database] = (struct store_sum){0};
    return mdb_drop(conversion->txn, conversion->store->dbi[database], 0);
}

int store_convert(struct store *store, MDB_txn *txn, struct store_sums *sums)
{
    struct conversion conversion = {.store = store, .txn = txn, .sums = sums};
    int rc = databases_make(store, txn);
    if (!rc)
        rc = mdb_cursor_open(txn, store->dbi[STORE_FORMER_HISTORY], &conversion.history);
    if (rc)
        return rc;
    rc = changes_convert(&conversion);
    mdb_cursor_close(conversion.history);
    if (!rc)
        rc = former_drop(&conversion, STORE_FORMER_HISTORY);
    return rc ? rc : former_drop(&conversion, STORE_FORMER_SEQUENCE);
}
