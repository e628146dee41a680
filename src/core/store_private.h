/*
 * Inside of the store, for store*.c only.
 */
#ifndef KILN_CORE_STORE_PRIVATE_H
#define KILN_CORE_STORE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "src/core/store.h"
#include "src/core/store_head.h"
#include "src/core/store_sum.h"

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
    char *folder;        /* owned */
    struct MDB_env *env; /* owned; NULL: a failed write ended it, the commit thread opens it again */
    unsigned dbi[STORE_DATABASE_COUNT];
    int lock_fd; /* flock(2): one writer a folder */
    int head_fd; /* -1: there is no head yet */
    struct loop *loop;

    /* Reads hold it shared for as long as they look at the map; the commit thread alone, to let the map grow
     * or to open the environment again. */
    pthread_rwlock_t map_lock;

    struct store_sums sums; /* of what is durable; the commit thread's, once it runs */
    uint32_t format;        /* of what was checked; 0: nothing is there yet */

    /* The loop's: committed in this turn. */
    struct store_list turn;
    struct loop_timer *turn_end; /* owned */

    struct store_job *job; /* owned; the loop's: NULL when none runs (store_job.c) */
    atomic_bool job_ends;

    pthread_t thread;
    bool thread_runs;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t wake;
    struct store_list queue; /* of turns that ended, not yet taken by the thread */
    struct store_list done;  /* durable, the loop does not know yet */
    size_t waiting;          /* batches that the loop has not yet heard of as durable */
    uint64_t transaction;    /* the last that is durable */
    struct store_head head;
    int error;
    char words[STORE_ERROR_LEN]; /* of `error` */
    bool stop;
    int done_fd;              /* eventfd: `done` has grown */
    struct loop_watch *watch; /* owned, on done_fd */
};

void store_list_init(struct store_list *list);
void store_list_move(struct store_list *to, struct store_list *from);
void store_list_finish(struct store_list *list);

/* Makes and locks FOLDER. -EBUSY another process has it; errno, and ERROR. (store.c) */
int store_folder_lock(const char *folder, int *ret_fd, char error[STORE_ERROR_LEN]);

/* What tells the loop of the commit thread's work, and of a job's end (store_commit.c). */
int store_bell_make(struct store *store);
/* Starts and ends the commit thread (store_commit.c). Ending makes durable what is queued, if the disk lets
 * it, and takes the bell down. */
int store_thread_start(struct store *store);
void store_thread_stop(struct store *store);

/* With map_lock held alone, or before the thread runs; so is store_look. (store_env.c) */
void store_env_close(struct store *store);

/* All of LIST in one transaction, with the sums, in a map that grows to it; then the head. IS_FIRST converts
 * what is there (store_convert). LMDB's error or an errno; the old truth then stands. (store_commit.c) */
int store_transact(struct store *store, const struct store_list *list, bool is_first);
/* Makes the databases that are missing, and of what an older kilnd left in them the present format: SUMS are
 * changed with it. LMDB's error. (store_convert.c) */
int store_convert(struct store *store, struct MDB_txn *txn, struct store_sums *sums);

/* Tells the job that has finished, if one has; ends and tells the one that runs. (store_job.c) */
void store_job_tell(struct store *store);
void store_job_stop(struct store *store);
/* Whether the first look, beside a loop that may end meanwhile, is to end. Any thread. (store_job.c) */
bool store_look_ends(const struct store *store);
/* The loop is to look at what is done. Any thread. (store_commit.c) */
void store_done_wake(struct store *store);

/* A read transaction, with the map held in place. Negative errno. (store_read.c) */
int store_read_begin(struct store *store, struct MDB_txn **ret_txn);
void store_read_end(struct store *store, struct MDB_txn *txn);

/* Makes the file at least SIZE_BYTES long, as the map must be before it is used. Returns LMDB's error or an
 * errno. */
int store_file_grow(struct store *store, size_t size_bytes);

/* LMDB's error as a negative errno. */
int store_errno(int error);

#endif
