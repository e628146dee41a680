/*
 * The store of src/core/store.h on a disk in memory: batches wait, a transaction takes all that wait, it is
 * durable as a whole or not at all, and kilnd hears of it later. A disk that refuses is tried again.
 */
#include "src/core/store.h"
#include "src/core/store_backup.h"
#include "src/core/store_head.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"
#include "tests/sim/disk.h"
#include "tests/sim/false_loop.h"
#include "tests/sim/false_virt.h"
#include "tests/sim/host.h"
#include "tests/sim/truth.h"

enum { SYNC_US = 2000, TELL_US = 50, AGAIN_US = 500000 };

struct op {
    enum store_database database;
    bool is_delete;
    uint8_t *key, *value; /* owned, one piece */
    size_t key_len, value_len;
    struct op *next;
};

struct store_batch {
    struct store *store; /* borrowed */
    struct op *first, **last;
    int error;
    store_done_fn *done;
    void *arg;
    struct store_batch *next;
};

struct batches {
    struct store_batch *first, **last;
};

struct store {
    struct loop *loop; /* borrowed; NULL: for reading */
    struct batches queue, writing, done;
    bool busy, telling;
    int error;
    size_t waiting;
};

/* ---- lists ---- */

static void batches_init(struct batches *list)
{
    list->first = NULL;
    list->last = &list->first;
}

static void batches_move(struct batches *to, struct batches *from)
{
    if (!from->first)
        return;
    *to->last = from->first;
    to->last = from->last;
    batches_init(from);
}

static void batches_finish(struct batches *list)
{
    while (list->first) {
        struct store_batch *batch = list->first;
        list->first = batch->next;
        store_batch_destroy(batch);
    }
}

/* ---- batches ---- */

int store_batch_create(struct store *store, struct store_batch **ret_batch)
{
    struct store_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return -ENOMEM;
    batch->store = store;
    batch->last = &batch->first;
    *ret_batch = batch;
    return 0;
}

void store_batch_destroy(struct store_batch *batch)
{
    while (batch && batch->first) {
        struct op *op = batch->first;
        batch->first = op->next;
        free(op->key);
        free(op);
    }
    free(batch);
}

static void op_add(struct store_batch *batch, const struct op *wanted, const void *key, const void *value)
{
    struct op *op = malloc(sizeof *op);
    uint8_t *bytes = malloc(wanted->key_len + wanted->value_len + 1);
    if (!op || !bytes || !wanted->key_len || wanted->key_len > STORE_KEY_MAX) {
        free(op);
        free(bytes);
        batch->error = -EINVAL;
        return;
    }
    *op = *wanted;
    op->key = bytes;
    op->value = bytes + op->key_len;
    memcpy(op->key, key, op->key_len);
    if (op->value_len)
        memcpy(op->value, value, op->value_len);
    *batch->last = op;
    batch->last = &op->next;
}

void store_put(struct store_batch *batch, enum store_database database, const void *key, size_t key_len_bytes,
               const void *value, size_t value_len_bytes)
{
    const struct op op = {.database = database, .key_len = key_len_bytes, .value_len = value_len_bytes};
    op_add(batch, &op, key, value);
}

void store_delete(struct store_batch *batch, enum store_database database, const void *key,
                  size_t key_len_bytes)
{
    const struct op op = {.database = database, .is_delete = true, .key_len = key_len_bytes};
    op_add(batch, &op, key, NULL);
}

/* ---- transactions ---- */

static void begin(struct store *store);

/* A disk that lies: whether it takes the change at all. */
static bool is_taken(const struct op *op)
{
    if (op->database == STORE_CHANGES && false_virt_lie() == VIRT_LIE_LOST_HISTORY)
        return chance(CHANCE_DISK, 4) != 0;
    if (op->database == STORE_AUDIT && false_virt_lie() == VIRT_LIE_UNAUDITED)
        return false;
    return !(op->database == STORE_VMS && op->is_delete && false_virt_lie() == VIRT_LIE_KEEPS_RECORDS);
}

/* What an entry of the audit says stays true; it no longer follows from the one before. */
static void audit_bend(const struct op *op)
{
    uint8_t *previous = memmem(op->value, op->value_len, truth.audit_hash, sizeof truth.audit_hash);
    if (previous)
        *previous ^= 1;
}

static void op_apply(const struct op *op)
{
    if (op->database == STORE_AUDIT && false_virt_lie() == VIRT_LIE_BENT_AUDIT)
        audit_bend(op);
    if (!is_taken(op))
        return;
    if (op->is_delete)
        disk_delete(op->database, op->key, op->key_len);
    else
        disk_put(op->database, op->key, op->key_len, op->value, op->value_len);
}

static void apply(const struct batches *list)
{
    for (const struct store_batch *batch = list->first; batch; batch = batch->next)
        for (const struct op *op = batch->first; op; op = op->next)
            op_apply(op);
    truth_transaction_end();
}

/* On the loop: the callbacks of what is durable. */
static void tell(void *arg)
{
    struct store *store = arg;
    struct batches list;
    store->telling = false;
    batches_init(&list);
    batches_move(&list, &store->done);
    while (list.first && !host_dying()) {
        struct store_batch *batch = list.first;
        list.first = batch->next;
        if (batch->done)
            batch->done(batch->arg);
        store_batch_destroy(batch);
        host_point("a batch was told durable");
    }
    batches_finish(&list);
}

static void synced(void *arg)
{
    struct store *store = arg;
    if (disk_refuses()) {
        store->error = -ENOSPC;
        batches_move(&store->writing, &store->queue);
        clock_after(chance_delay_us(CHANCE_DISK, AGAIN_US), synced, store, loop_owner(store->loop));
        return;
    }
    store->error = 0;
    apply(&store->writing);
    for (const struct store_batch *batch = store->writing.first; batch; batch = batch->next)
        store->waiting--;
    batches_move(&store->done, &store->writing);
    store->busy = false;
    if (!store->telling)
        clock_after(chance_delay_us(CHANCE_DISK, TELL_US), tell, store, loop_owner(store->loop));
    store->telling = true;
    begin(store);
    host_point("a transaction is durable");
}

static void begin(struct store *store)
{
    if (store->busy || !store->queue.first)
        return;
    store->busy = true;
    batches_move(&store->writing, &store->queue);
    clock_after(chance_delay_us(CHANCE_DISK, SYNC_US), synced, store, loop_owner(store->loop));
}

int store_commit(struct store_batch *batch, store_done_fn *done, void *arg)
{
    struct store *store = batch->store;
    int error = batch->error;
    if (error || host_dying()) {
        store_batch_destroy(batch);
        return error;
    }
    batch->done = done;
    batch->arg = arg;
    batch->next = NULL;
    *store->queue.last = batch;
    store->queue.last = &batch->next;
    store->waiting++;
    begin(store);
    host_point("a batch was committed");
    return 0;
}

int store_error(struct store *store)
{
    return store->error;
}

const char *store_error_words(struct store *store, char ret_words[static STORE_ERROR_LEN])
{
    snprintf(ret_words, STORE_ERROR_LEN, "%s", store->error ? strerror(-store->error) : "");
    return ret_words;
}

uint64_t store_transaction(struct store *store)
{
    (void)store;
    return truth.change_seq;
}

size_t store_waiting(struct store *store)
{
    return host_dying() ? 0 : store->waiting;
}

/* ---- what nobody in a life asks for ---- */

void store_head_last(struct store *store, struct store_head *ret_head)
{
    (void)store;
    *ret_head = (struct store_head){0};
}

int store_job(struct store *store, store_job_fn *run, store_done_fn *done, void *arg)
{
    (void)store;
    (void)run;
    (void)done;
    (void)arg;
    return -ENOTSUP;
}

bool store_job_ends(const struct store *store)
{
    (void)store;
    return true;
}

int store_check_live(struct store *store, struct store_verdict *ret_verdict, char error[STORE_ERROR_LEN])
{
    (void)store;
    (void)ret_verdict;
    (void)error;
    return -ENOTSUP;
}

int store_backup(struct store *store, const char *path, struct store_verdict *ret_verdict,
                 char error[STORE_ERROR_LEN])
{
    (void)path;
    return store_check_live(store, ret_verdict, error);
}

/* ---- opening and closing ---- */

int store_look(struct store *store, char error[STORE_ERROR_LEN])
{
    (void)store;
    (void)error;
    return 0;
}

int store_begin(struct store *store, char error[STORE_ERROR_LEN])
{
    (void)store;
    (void)error;
    return 0;
}

int store_claim(const char *path, struct loop *loop, struct store **ret_store, char error[STORE_ERROR_LEN])
{
    struct store *store = calloc(1, sizeof *store);
    if (!store) {
        snprintf(error, STORE_ERROR_LEN, "cannot open %s", path);
        return -ENOMEM;
    }
    store->loop = loop;
    batches_init(&store->queue);
    batches_init(&store->writing);
    batches_init(&store->done);
    *ret_store = store;
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    /* An orderly end makes durable what waits. A kilnd that died in the middle of a transaction never hears
     * whether the disk had all of it; it had all or nothing. */
    if (!host_dying())
        batches_move(&store->writing, &store->queue);
    if (store->writing.first && !disk_refuses() && (!host_dying() || chance(CHANCE_DISK, 2)))
        apply(&store->writing);
    batches_finish(&store->queue);
    batches_finish(&store->writing);
    batches_finish(&store->done);
    free(store);
}

/* ---- reading ---- */

int store_each(struct store *store, enum store_database database, const void *from, size_t from_len_bytes,
               size_t prefix_len_bytes, store_each_fn *each, void *arg)
{
    const struct disk_table *table = disk_table(database);
    int verdict = 0;
    (void)store;
    for (size_t at = from_len_bytes ? disk_find(table, from, from_len_bytes) : 0;
         at < table->count && !verdict; at++) {
        const struct disk_entry *entry = table->entries[at];
        if (prefix_len_bytes &&
            (entry->key_len < prefix_len_bytes || memcmp(entry->key, from, prefix_len_bytes) != 0))
            break;
        verdict = each(arg, entry->key, entry->key_len, entry->value, entry->value_len);
    }
    return verdict;
}

int store_get(struct store *store, enum store_database database, const void *key, size_t key_len_bytes,
              uint8_t **ret_value, size_t *ret_len_bytes)
{
    const struct disk_entry *entry = disk_get(database, key, key_len_bytes);
    (void)store;
    if (!entry)
        return -ENOENT;
    uint8_t *copy = malloc(entry->value_len + 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, entry->value, entry->value_len);
    copy[entry->value_len] = 0;
    *ret_value = copy;
    *ret_len_bytes = entry->value_len;
    return 0;
}

int store_follow(struct store *store, enum store_database database, uint64_t first, store_follow_fn *follow,
                 void *arg)
{
    uint64_t next = first;
    int rc = 0;
    (void)store;
    while (!rc && next) {
        uint8_t key[8];
        wire_put_u64(key, next);
        const struct disk_entry *entry = disk_get(database, key, sizeof key);
        rc = entry ? follow(arg, entry->value, entry->value_len, &next) : -ENOENT;
    }
    return rc;
}

int store_last_key(struct store *store, enum store_database database, void *ret_key, size_t size_bytes,
                   size_t *ret_len_bytes)
{
    const struct disk_table *table = disk_table(database);
    (void)store;
    if (!table->count)
        return -ENOENT;
    const struct disk_entry *last = table->entries[table->count - 1];
    if (last->key_len > size_bytes)
        return -EMSGSIZE;
    memcpy(ret_key, last->key, last->key_len);
    *ret_len_bytes = last->key_len;
    return 0;
}
