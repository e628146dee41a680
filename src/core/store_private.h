/*
 * Inside of the store, for store*.c only.
 */
#ifndef KILN_CORE_STORE_PRIVATE_H
#define KILN_CORE_STORE_PRIVATE_H

#include <pthread.h>

#include "src/core/store.h"

struct MDB_env;
struct MDB_txn;
struct loop_watch;

/* One put or delete, followed in the batch's bytes by its key and its value. */
struct store_op {
    uint32_t database;
    uint32_t is_delete;
    uint32_t key_len_bytes, value_len_bytes;
};

struct store_batch {
    struct store *store; /* borrowed */
    uint8_t *bytes;      /* owned: struct store_op | key | value, one after the other */
    size_t len_bytes, room_bytes;
    int error; /* the first that a put or delete met */
    store_done_fn *done;
    void *arg;
    struct store_batch *next;
};

struct store_list {
    struct store_batch *first, **last;
};

struct store {
    struct MDB_env *env; /* owned */
    unsigned dbi[STORE_DATABASE_COUNT];
    int lock_fd; /* flock(2): one writer a folder; -1 when opened for reading */
    struct loop *loop;

    /* Reads hold it for as long as they look at the map; the commit thread only to let the map grow. */
    pthread_mutex_t map_lock;

    pthread_t thread;
    bool thread_runs;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t wake;
    struct store_list queue; /* committed by the loop, not yet taken by the thread */
    struct store_list done;  /* durable, the loop does not know yet */
    size_t waiting;          /* batches in the queue or in the thread's hands */
    int error;
    bool stop;
    int done_fd;              /* eventfd: `done` has grown */
    struct loop_watch *watch; /* owned, on done_fd */
};

void store_list_init(struct store_list *list);
void store_list_move(struct store_list *to, struct store_list *from);
void store_list_finish(struct store_list *list);

/* Starts and ends the commit thread (store_commit.c). Ending makes durable what is queued, if the disk lets
 * it. */
int store_thread_start(struct store *store);
void store_thread_stop(struct store *store);

/* Makes the file at least SIZE_BYTES long, as the map must be before it is used. Returns LMDB's error or an
 * errno. */
int store_file_grow(struct store *store, size_t size_bytes);

/* LMDB's error as a negative errno. */
int store_errno(int error);

#endif
