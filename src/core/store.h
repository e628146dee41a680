/*
 * Store: the one file family that knows LMDB. Named databases of keys and values, and a commit thread.
 *
 * In: batches of puts and deletes, made on the loop. Out: "it is durable", on the loop; values, for reading.
 * Kept: state_dir/store/, state_dir/store.head. Batches become durable in the order in which they were
 * committed. All of one turn of the loop are in one transaction, and so is all that waits while a commit
 * runs. A transaction that fails leaves the old truth, is tried again with back-off until it succeeds
 * (store_error says why meanwhile), so a batch is never dropped.
 * A store that is damaged in any place is not opened: store_check.h, store_head.h.
 */
#ifndef KILN_CORE_STORE_H
#define KILN_CORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct store;
struct store_batch;

/* STORE_CHANGES and STORE_AUDIT are keyed by u64 seq, big-endian; STORE_VMS by that of the VM's first change,
 * so that VMs which were ordered together lie together. Their order is part of the format: a new
 * one comes last, and one that is former (empty, kept for its place and for older stores) stays. */
#define STORE_DATABASES(X)                                                                                   \
    X(META, "meta")                                                                                          \
    X(VMS, "vms")                                                                                            \
    X(FORMER_HISTORY, "history")                                                                             \
    X(FORMER_SEQUENCE, "sequence")                                                                           \
    X(AUDIT, "audit")                                                                                        \
    X(USERS, "users")                                                                                        \
    X(BRICKS, "bricks")                                                                                      \
    X(DRIVES, "drives")                                                                                      \
    X(CONSOLES, "consoles")                                                                                  \
    X(CHANGES, "changes")

enum store_database {
#define X(upper, text) STORE_##upper,
    STORE_DATABASES(X)
#undef X
        STORE_DATABASE_COUNT
};

enum {
    STORE_FORMAT = 3,
    /* Older ones are read, and become the present one (store_convert.c). */
    STORE_FORMAT_BY_VM = 2,   /* VMs by uuid, history by uuid | u64 seq, and u64 seq to uuid */
    STORE_FORMAT_SUMLESS = 1, /* that, without sums and head */
    STORE_KEY_MAX = 256,
    STORE_ERROR_LEN = 256,
    STORE_AUDIT_END_BYTES = 40
};

/* Keys in STORE_META: u32; the end of the audit chain (audit.h), which the store's head repeats. */
#define STORE_FORMAT_KEY "format"
#define STORE_AUDIT_END_KEY "audit-end"

/* Opens the store in folder PATH (makes it, when there never was one), in three steps, because the second
 * reads every page: store_claim makes it this process's, store_look checks it, makes of an older format the
 * present one, and may run on another thread (store_job); store_begin lets it be read and written. A store
 * that is claimed takes jobs, and closes. -EBUSY another process has it, -ENOTSUP it is of a newer format,
 * -EUCLEAN it is damaged, older than its head, or gone, -ECANCELED it closes meanwhile (a look in a job
 * only); other errno of the file system; ERROR says it in words. LOOP is borrowed. */
int store_claim(const char *path, struct loop *loop, struct store **ret_store, char error[STORE_ERROR_LEN]);
int store_look(struct store *store, char error[STORE_ERROR_LEN]);
int store_begin(struct store *store, char error[STORE_ERROR_LEN]);
/* The three at once. */
int store_open(const char *path, struct loop *loop, struct store **ret_store, char error[STORE_ERROR_LEN]);

/* Ends a job, which takes as long as the read that it is in; makes everything that is committed durable
 * (trying for at most two seconds when the disk refuses), then closes. Callbacks still owed are not called.
 * NULL does nothing. */
void store_close(struct store *store);

/* A batch: puts and deletes in order. Values are copied. An error of put or delete sticks until
 * store_commit. */
int store_batch_create(struct store *store, struct store_batch **ret_batch);
void store_put(struct store_batch *batch, enum store_database database, const void *key, size_t key_len_bytes,
               const void *value, size_t value_len_bytes);
void store_delete(struct store_batch *batch, enum store_database database, const void *key,
                  size_t key_len_bytes);
void store_batch_destroy(struct store_batch *batch);

/* Takes the batch. DONE is called on the loop once it is durable, in the order of commits. -ENOMEM or -EINVAL
 * when a put or delete had failed: then the batch is gone and DONE is never called. */
typedef void store_done_fn(void *arg);
int store_commit(struct store_batch *batch, store_done_fn *done, void *arg);

/* The last transaction failed: its negative errno, until one succeeds; 0 when all is well. Any thread. */
int store_error(struct store *store);
/* The same in words, "" when all is well. Returns RET_WORDS. */
const char *store_error_words(struct store *store, char ret_words[static STORE_ERROR_LEN]);
/* Committed batches that are not durable, or whose callbacks have yet to come. */
size_t store_waiting(struct store *store);
/* LMDB's number of the last transaction that is durable. Any thread. */
uint64_t store_transaction(struct store *store);

/* Runs RUN on a thread of its own, for what takes longer than a turn of the loop may; then DONE on the loop,
 * or from store_close. One at a time: -EBUSY; else -ENOMEM, -EAGAIN, and DONE is not called. */
typedef void store_job_fn(void *arg);
int store_job(struct store *store, store_job_fn *run, store_done_fn *done, void *arg);
/* Whether the store closes, so that a job shall end early. Any thread. */
bool store_job_ends(const struct store *store);

/* Reads what is durable. Any thread. EACH returns 0 to go on, else that ends the walk and is returned. Key
 * and value are borrowed for the call. The walk begins at the first key not below FROM (NULL: the first) and
 * ends before the first key that does not begin with the PREFIX_LEN_BYTES first bytes of FROM. */
typedef int store_each_fn(void *arg, const void *key, size_t key_len_bytes, const void *value,
                          size_t value_len_bytes);
int store_each(struct store *store, enum store_database database, const void *from, size_t from_len_bytes,
               size_t prefix_len_bytes, store_each_fn *each, void *arg);
/* Goes from one record to the next in one read, by numbers that are keys (u64, big-endian): from FIRST on,
 * until 0. FOLLOW is given the number in NEXT and puts that of the next there; its errors end the walk.
 * -ENOENT
 */
typedef int store_follow_fn(void *arg, const void *value, size_t value_len_bytes, uint64_t *next);
int store_follow(struct store *store, enum store_database database, uint64_t first, store_follow_fn *follow,
                 void *arg);
/* Copies one value, malloc'd. -ENOENT. */
int store_get(struct store *store, enum store_database database, const void *key, size_t key_len_bytes,
              uint8_t **ret_value, size_t *ret_len_bytes);
/* The greatest key of a database. -ENOENT when it is empty, -EMSGSIZE when it is longer than SIZE_BYTES. */
int store_last_key(struct store *store, enum store_database database, void *ret_key, size_t size_bytes,
                   size_t *ret_len_bytes);

#endif
