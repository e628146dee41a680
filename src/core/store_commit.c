/*
 * Store: the commit thread. One transaction for all that was queued while the one before ran.
 *
 * In: batches from the loop. Out: their callbacks, on the loop, once they are durable. Kept: the batches of a
 * transaction that failed, until it succeeds.
 */
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "src/core/store_check.h"
#include "src/core/store_private.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/thread.h"

enum {
    RETRY_FIRST_MS = 50,
    RETRY_MAX_MS = 2000,
    STOP_PATIENCE_MS = 2000, /* how long a full disk may hold up the end of kilnd */
    FULL_BYTES = 1 << 20     /* a disk that failed with less room than this is full */
};

/* ---- one transaction ---- */

static int op_apply(struct store *store, MDB_txn *txn, struct store_sums *sums, const struct store_op *op,
                    const uint8_t *bytes)
{
    enum store_database database = (enum store_database)op->database;
    MDB_val key = {.mv_size = op->key_len_bytes, .mv_data = (void *)bytes};
    MDB_val value = {.mv_size = op->value_len_bytes, .mv_data = (void *)(bytes + op->key_len_bytes)};
    MDB_val old;
    int rc = mdb_get(txn, store->dbi[database], &key, &old);
    if (rc && rc != MDB_NOTFOUND)
        return rc;
    bool is_there = rc == 0;
    if (is_there)
        store_sums_remove(sums, database, key.mv_data, key.mv_size, old.mv_data, old.mv_size);
    if (op->is_delete)
        return is_there ? mdb_del(txn, store->dbi[database], &key, NULL) : 0;
    store_sums_add(sums, database, key.mv_data, key.mv_size, value.mv_data, value.mv_size);
    return mdb_put(txn, store->dbi[database], &key, &value, 0);
}

static int batch_apply(struct store *store, MDB_txn *txn, struct store_sums *sums,
                       const struct store_batch *batch)
{
    size_t at = 0;
    int rc = 0;
    while (!rc && at < batch->len_bytes) {
        struct store_op op;
        memcpy(&op, batch->bytes + at, sizeof op);
        rc = op_apply(store, txn, sums, &op, batch->bytes + at + sizeof op);
        at += sizeof op + op.key_len_bytes + op.value_len_bytes;
    }
    return rc;
}

static int sums_put(struct store *store, MDB_txn *txn, struct store_sums *sums)
{
    uint8_t bytes[STORE_SUMS_BYTES];
    MDB_val key = {.mv_size = sizeof STORE_SUMS_KEY - 1, .mv_data = (void *)STORE_SUMS_KEY};
    MDB_val value = {.mv_size = sizeof bytes, .mv_data = bytes};
    sums->transaction = mdb_txn_id(txn);
    store_sums_encode(sums, bytes);
    return mdb_put(txn, store->dbi[STORE_META], &key, &value, 0);
}

static int list_apply(struct store *store, MDB_txn *txn, struct store_sums *sums,
                      const struct store_list *list)
{
    int rc = 0;
    for (const struct store_batch *batch = list->first; batch && !rc; batch = batch->next)
        rc = batch_apply(store, txn, sums, batch);
    return rc ? rc : sums_put(store, txn, sums);
}

/* What the head repeats of the records. */
static int head_fill(struct store *store, MDB_txn *txn, struct store_head *ret_head)
{
    MDB_val key = {.mv_size = sizeof STORE_AUDIT_END_KEY - 1, .mv_data = (void *)STORE_AUDIT_END_KEY};
    MDB_val value;
    *ret_head = (struct store_head){.transaction = mdb_txn_id(txn)};
    int rc = mdb_get(txn, store->dbi[STORE_META], &key, &value);
    if (!rc && value.mv_size == sizeof ret_head->audit_end)
        memcpy(ret_head->audit_end, value.mv_data, value.mv_size);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* The transaction is durable, with or without: its head only says so elsewhere. */
static void head_write(struct store *store, const struct store_head *head)
{
    int rc = store_head_write(store->head_fd, head);
    pthread_mutex_lock(&store->lock);
    store->transaction = head->transaction;
    store->head = *head;
    pthread_mutex_unlock(&store->lock);
    if (rc)
        log_warning("store", "its head is behind: it cannot be written", "error=%s", strerror(-rc));
}

static int transact_once(struct store *store, const struct store_list *list, bool is_first)
{
    struct store_sums sums = store->sums;
    struct store_head head;
    MDB_txn *txn = NULL;
    int rc = store->env ? mdb_txn_begin(store->env, NULL, 0, &txn) : MDB_PANIC;
    if (rc)
        return rc;
    if (is_first)
        rc = store_convert(store, txn, &sums);
    if (!rc)
        rc = list_apply(store, txn, &sums, list);
    if (!rc)
        rc = head_fill(store, txn, &head);
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    rc = mdb_txn_commit(txn);
    if (rc)
        return rc;
    store->sums = sums;
    head_write(store, &head);
    return 0;
}

static int map_grow(struct store *store)
{
    MDB_envinfo info;
    pthread_rwlock_wrlock(&store->map_lock);
    int rc = mdb_env_info(store->env, &info);
    if (!rc)
        rc = store_file_grow(store, info.me_mapsize * 2);
    if (!rc)
        rc = mdb_env_set_mapsize(store->env, info.me_mapsize * 2);
    pthread_rwlock_unlock(&store->map_lock);
    return rc;
}

/* LMDB calls it an I/O error when the disk takes a part of a write, as one does that fills up in its midst.
 */
static bool is_full(struct store *store)
{
    struct statvfs disk;
    mdb_filehandle_t fd;
    return mdb_env_get_fd(store->env, &fd) == 0 && fstatvfs(fd, &disk) == 0 &&
           disk.f_bavail * disk.f_frsize < FULL_BYTES;
}

int store_transact(struct store *store, const struct store_list *list, bool is_first)
{
    int rc;
    do
        rc = transact_once(store, list, is_first);
    while ((rc == MDB_MAP_FULL || rc == MDB_MAP_RESIZED) && map_grow(store) == 0);
    return rc == EIO && is_full(store) ? ENOSPC : rc;
}

/* ---- until it succeeds ---- */

/* A disk that failed to take the page that makes a transaction valid leaves LMDB not knowing what is on it:
 * it refuses everything from then on. */
static bool env_is_dead(struct store *store)
{
    MDB_txn *txn;
    if (!store->env)
        return true;
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (!rc)
        mdb_txn_abort(txn);
    return rc == MDB_PANIC;
}

/* What is on the disk is looked at again, at once, because nothing can be read meanwhile. */
static int env_revive(struct store *store, char words[STORE_ERROR_LEN])
{
    pthread_rwlock_wrlock(&store->map_lock);
    store_env_close(store);
    int rc = store_look(store, words);
    pthread_rwlock_unlock(&store->map_lock);
    return rc;
}

/* Negative errno, and WORDS. */
static int transaction(struct store *store, const struct store_list *list, char words[STORE_ERROR_LEN])
{
    int rc = store_errno(store_transact(store, list, false));
    snprintf(words, STORE_ERROR_LEN, "%s", rc ? strerror(-rc) : "");
    int dead = rc && env_is_dead(store) ? env_revive(store, words) : 0;
    return dead ? dead : rc;
}

/* Waits for DELAY_MS, or until the store stops. With the lock held. */
static void pause_ms(struct store *store, int64_t delay_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += delay_ms / 1000;
    until.tv_nsec += (delay_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    bool stopping = store->stop;
    while (store->stop == stopping)
        if (pthread_cond_timedwait(&store->wake, &store->lock, &until) == ETIMEDOUT)
            return;
}

static void error_set(struct store *store, int error, const char words[STORE_ERROR_LEN])
{
    if (error && error != store->error)
        log_error("store", "cannot be written, is tried again", "waiting=%zu error=%s", store->waiting,
                  words);
    if (!error && store->error)
        log_info("store", "can be written again", "waiting=%zu", store->waiting);
    store->error = error;
    memcpy(store->words, words, STORE_ERROR_LEN);
}

/* Called and left with the lock held. Returns false when the store stops and the disk still refuses. */
static bool list_commit(struct store *store, struct store_list *list)
{
    int64_t delay_ms = RETRY_FIRST_MS, patience_ms = STOP_PATIENCE_MS;
    char words[STORE_ERROR_LEN];
    for (;;) {
        store_list_move(list, &store->queue);
        pthread_mutex_unlock(&store->lock);
        int rc = transaction(store, list, words);
        pthread_mutex_lock(&store->lock);
        error_set(store, rc, words);
        if (!rc)
            return true;
        if (store->stop && patience_ms <= 0)
            return false;
        pause_ms(store, delay_ms);
        patience_ms -= store->stop ? delay_ms : 0;
        delay_ms = delay_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : delay_ms * 2;
    }
}

void store_done_wake(struct store *store)
{
    const uint64_t one = 1;
    /* It fails only when the counter is full, and then the loop is being woken anyway. */
    while (write(store->done_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

static void list_tell(struct store *store, struct store_list *list)
{
    store_list_move(&store->done, list);
    store_done_wake(store);
}

static void *thread_main(void *arg)
{
    struct store *store = arg;
    struct store_list list;
    store_list_init(&list);
    pthread_mutex_lock(&store->lock);
    for (;;) {
        while (!store->queue.first && !store->stop)
            pthread_cond_wait(&store->wake, &store->lock);
        if (!store->queue.first || !list_commit(store, &list))
            break;
        list_tell(store, &list);
    }
    pthread_mutex_unlock(&store->lock);
    store_list_finish(&list);
    return NULL;
}

/* Those at the front of LIST whose callbacks fit a share of the loop's turn. Returns how many. */
static size_t list_tell_some(struct store_list *list)
{
    int64_t share_us = loop_share_begin();
    size_t told = 0;
    while (list->first && !loop_share_over(share_us)) {
        struct store_batch *batch = list->first;
        list->first = batch->next;
        if (batch->done)
            batch->done(batch->arg);
        store_batch_destroy(batch);
        told++;
    }
    return told;
}

/* On the loop: the callbacks of what became durable, in the order of the commits. */
static void done_tell(int ready, void *arg)
{
    struct store *store = arg;
    struct store_list list;
    uint64_t count;
    (void)ready;
    while (read(store->done_fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
    store_list_init(&list);
    pthread_mutex_lock(&store->lock);
    store_list_move(&list, &store->done);
    pthread_mutex_unlock(&store->lock);
    size_t told = list_tell_some(&list);
    pthread_mutex_lock(&store->lock);
    store->waiting -= told;
    if (list.first) {
        store_list_move(&list, &store->done);
        store_list_move(&store->done, &list);
        store_done_wake(store);
    }
    pthread_mutex_unlock(&store->lock);
    store_job_tell(store);
}

/* ---- on the loop ---- */

/* The turn in which something was committed is over: all of it becomes one transaction. */
static void turn_end(void *arg)
{
    struct store *store = arg;
    pthread_mutex_lock(&store->lock);
    store_list_move(&store->queue, &store->turn);
    pthread_cond_signal(&store->wake);
    pthread_mutex_unlock(&store->lock);
}

int store_bell_make(struct store *store)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&store->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);

    store->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (store->done_fd < 0)
        return -errno;
    int rc = loop_watch_create(store->loop, store->done_fd, done_tell, store, &store->watch);
    if (!rc)
        rc = loop_timer_create(store->loop, turn_end, store, &store->turn_end);
    if (rc)
        return rc;
    loop_watch_set(store->watch, LOOP_READ);
    return 0;
}

int store_thread_start(struct store *store)
{
    int rc = thread_create(&store->thread, thread_main, store);
    store->thread_runs = rc == 0;
    return rc;
}

void store_thread_stop(struct store *store)
{
    if (store->thread_runs) {
        turn_end(store);
        pthread_mutex_lock(&store->lock);
        store->stop = true;
        pthread_cond_signal(&store->wake);
        pthread_mutex_unlock(&store->lock);
        pthread_join(store->thread, NULL);
    }
    if (store->turn_end)
        loop_timer_destroy(store->turn_end);
    if (store->watch)
        loop_watch_destroy(store->watch);
    if (store->done_fd >= 0)
        close(store->done_fd);
}

int store_commit(struct store_batch *batch, store_done_fn *done, void *arg)
{
    struct store *store = batch->store;
    int error = batch->error;
    if (error) {
        store_batch_destroy(batch);
        return error;
    }
    batch->done = done;
    batch->arg = arg;
    batch->next = NULL;
    *store->turn.last = batch;
    store->turn.last = &batch->next;
    if (!loop_timer_armed(store->turn_end))
        loop_timer_arm(store->turn_end, 0);
    pthread_mutex_lock(&store->lock);
    store->waiting++;
    pthread_mutex_unlock(&store->lock);
    return 0;
}

int store_error(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    int error = store->error;
    pthread_mutex_unlock(&store->lock);
    return error;
}

const char *store_error_words(struct store *store, char ret_words[static STORE_ERROR_LEN])
{
    pthread_mutex_lock(&store->lock);
    memcpy(ret_words, store->words, STORE_ERROR_LEN);
    pthread_mutex_unlock(&store->lock);
    return ret_words;
}

uint64_t store_transaction(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    uint64_t number = store->transaction;
    pthread_mutex_unlock(&store->lock);
    return number;
}

void store_head_last(struct store *store, struct store_head *ret_head)
{
    pthread_mutex_lock(&store->lock);
    *ret_head = store->head;
    pthread_mutex_unlock(&store->lock);
}

size_t store_waiting(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    size_t waiting = store->waiting;
    pthread_mutex_unlock(&store->lock);
    return waiting;
}
