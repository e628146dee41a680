/*
 * Store: the commit thread. One transaction for all that was queued while the one before ran.
 *
 * In: batches from the loop. Out: their callbacks, on the loop, once they are durable. Kept: the batches of a
 * transaction that failed, until it succeeds.
 */
#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "src/core/store_private.h"
#include "src/io/log.h"
#include "src/io/loop.h"

enum {
    RETRY_FIRST_MS = 50,
    RETRY_MAX_MS = 2000,
    STOP_PATIENCE_MS = 2000 /* how long a full disk may hold up the end of kilnd */
};

static int op_apply(struct store *store, MDB_txn *txn, const struct store_op *op, const uint8_t *bytes)
{
    MDB_val key = {.mv_size = op->key_len_bytes, .mv_data = (void *)bytes};
    MDB_val value = {.mv_size = op->value_len_bytes, .mv_data = (void *)(bytes + op->key_len_bytes)};
    if (!op->is_delete)
        return mdb_put(txn, store->dbi[op->database], &key, &value, 0);
    int rc = mdb_del(txn, store->dbi[op->database], &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int batch_apply(struct store *store, MDB_txn *txn, const struct store_batch *batch)
{
    size_t at = 0;
    int rc = 0;
    while (!rc && at < batch->len_bytes) {
        struct store_op op;
        memcpy(&op, batch->bytes + at, sizeof op);
        rc = op_apply(store, txn, &op, batch->bytes + at + sizeof op);
        at += sizeof op + op.key_len_bytes + op.value_len_bytes;
    }
    return rc;
}

static int transaction_try(struct store *store, const struct store_list *list)
{
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (rc)
        return rc;
    for (const struct store_batch *batch = list->first; batch && !rc; batch = batch->next)
        rc = batch_apply(store, txn, batch);
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

static int map_grow(struct store *store)
{
    MDB_envinfo info;
    pthread_mutex_lock(&store->map_lock);
    int rc = mdb_env_info(store->env, &info);
    if (!rc)
        rc = store_file_grow(store, info.me_mapsize * 2);
    if (!rc)
        rc = mdb_env_set_mapsize(store->env, info.me_mapsize * 2);
    pthread_mutex_unlock(&store->map_lock);
    return rc;
}

static int transaction(struct store *store, const struct store_list *list)
{
    int rc;
    do
        rc = transaction_try(store, list);
    while ((rc == MDB_MAP_FULL || rc == MDB_MAP_RESIZED) && map_grow(store) == 0);
    return store_errno(rc);
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

static void error_set(struct store *store, int error)
{
    if (error && !store->error)
        log_error("store", "cannot be written, is tried again", "error=%s", strerror(-error));
    if (!error && store->error)
        log_info("store", "can be written again", "%s", "");
    store->error = error;
}

/* Called and left with the lock held. Returns false when the store stops and the disk still refuses. */
static bool list_commit(struct store *store, struct store_list *list)
{
    int64_t delay_ms = RETRY_FIRST_MS, patience_ms = STOP_PATIENCE_MS;
    for (;;) {
        store_list_move(list, &store->queue);
        pthread_mutex_unlock(&store->lock);
        int rc = transaction(store, list);
        pthread_mutex_lock(&store->lock);
        error_set(store, rc);
        if (!rc)
            return true;
        if (store->stop && patience_ms <= 0)
            return false;
        pause_ms(store, delay_ms);
        patience_ms -= store->stop ? delay_ms : 0;
        delay_ms = delay_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : delay_ms * 2;
    }
}

static void list_tell(struct store *store, struct store_list *list)
{
    const uint64_t one = 1;
    for (const struct store_batch *batch = list->first; batch; batch = batch->next)
        store->waiting--;
    store_list_move(&store->done, list);
    /* It fails only when the counter is full, and then the loop is being woken anyway. */
    while (write(store->done_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
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

/* On the loop: the callbacks of what became durable. */
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
    while (list.first) {
        struct store_batch *batch = list.first;
        list.first = batch->next;
        if (batch->done)
            batch->done(batch->arg);
        store_batch_destroy(batch);
    }
}

int store_thread_start(struct store *store)
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
    if (rc)
        return rc;
    loop_watch_set(store->watch, LOOP_READ);
    rc = pthread_create(&store->thread, NULL, thread_main, store);
    store->thread_runs = rc == 0;
    return -rc;
}

void store_thread_stop(struct store *store)
{
    if (store->thread_runs) {
        pthread_mutex_lock(&store->lock);
        store->stop = true;
        pthread_cond_signal(&store->wake);
        pthread_mutex_unlock(&store->lock);
        pthread_join(store->thread, NULL);
    }
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
    pthread_mutex_lock(&store->lock);
    batch->next = NULL;
    *store->queue.last = batch;
    store->queue.last = &batch->next;
    store->waiting++;
    pthread_cond_signal(&store->wake);
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

size_t store_waiting(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    size_t waiting = store->waiting;
    pthread_mutex_unlock(&store->lock);
    return waiting;
}
