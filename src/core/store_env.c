/*
 * Store: from a folder to an open LMDB environment, by way of a check of every page and record.
 *
 * In: a folder, its head. Out: the environment and its databases. Kept: in struct store.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/core/store_check.h"
#include "src/core/store_private.h"
#include "src/io/log.h"

enum {
    MAP_INITIAL_MIB = 64, /* of address space, not of disk */
    READERS_MAX = 32,     /* the loop reads one at a time; the rest is for tools on a live store */
    LOCK_FILE_BYTES = 8192
};

int store_errno(int error)
{
    switch (error) {
    case 0:
        return 0;
    case MDB_NOTFOUND:
        return -ENOENT;
    case MDB_MAP_FULL:
        return -ENOSPC;
    case MDB_VERSION_MISMATCH:
        return -ENOTSUP;
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
        return -EUCLEAN;
    default:
        return error > 0 ? -error : -EIO;
    }
}

static int say(const struct store *store, char error[STORE_ERROR_LEN], int code, const char *what)
{
    snprintf(error, STORE_ERROR_LEN, "%s %.100s: %s", what, store->folder, strerror(-code));
    return code;
}

/* ---- what is there ---- */

/* Words of a store that is not what it was, with what to do about it. */
static int gone(const struct store *store, char error[STORE_ERROR_LEN], const char *words)
{
    snprintf(error, STORE_ERROR_LEN, "the store %.80s: %.110s: restore a backup (kiln store restore FILE)",
             store->folder, words);
    return -EUCLEAN;
}

static int head_compare(const struct store *store, const struct store_verdict *verdict,
                        char error[STORE_ERROR_LEN])
{
    const struct store_head *head = &store->head;
    char words[96];
    bool is_known = store->head_fd >= 0, has_head = verdict->format > STORE_FORMAT_SUMLESS;
    if (has_head && !is_known)
        return gone(store, error, "its head (the file beside it) is gone");
    if (is_known && !has_head && head->transaction)
        return gone(store, error, "it is not the one that its head tells of");
    if (!has_head)
        return 0;
    if (head->transaction > verdict->walked.transaction) {
        snprintf(words, sizeof words, "its last %llu transactions are missing",
                 (unsigned long long)(head->transaction - verdict->walked.transaction));
        return gone(store, error, words);
    }
    if (head->transaction == verdict->walked.transaction &&
        memcmp(head->audit_end, verdict->audit_end, sizeof head->audit_end) != 0)
        return gone(store, error, "its audit chain ends elsewhere than its head says");
    return 0;
}

/* A store's own file is as long as its map. */
static int map_check(const struct store *store, const struct store_walked *walked,
                     char error[STORE_ERROR_LEN])
{
    uint64_t initial = (uint64_t)MAP_INITIAL_MIB << 20;
    uint64_t most = walked->file_bytes > initial ? walked->file_bytes : initial;
    if (walked->map_bytes <= most && walked->map_bytes >= walked->pages * walked->page_bytes)
        return 0;
    return gone(store, error, "damaged: the file is shorter than its map");
}

static int record_looked(void *arg, enum store_database database, const void *key, size_t key_len_bytes,
                         const void *value, size_t value_len_bytes)
{
    (void)database;
    (void)key;
    (void)key_len_bytes;
    (void)value;
    (void)value_len_bytes;
    return store_look_ends(arg) ? -ECANCELED : 0;
}

static int file_check(struct store *store, int fd, struct store_verdict *ret_verdict,
                      char error[STORE_ERROR_LEN])
{
    char words[STORE_ERROR_LEN] = "kilnd ends";
    int rc = store_check(fd, 0, record_looked, store, ret_verdict, words);
    if (rc == -ENODATA)
        return head_compare(store, ret_verdict, error);
    if (rc == -EUCLEAN)
        return gone(store, error, words);
    if (rc) {
        snprintf(error, STORE_ERROR_LEN, "the store %.80s: %.160s", store->folder, words);
        return rc;
    }
    rc = map_check(store, &ret_verdict->walked, error);
    return rc ? rc : head_compare(store, ret_verdict, error);
}

/* Leaves a verdict of format 0 when there is nothing yet. */
static int folder_check(struct store *store, struct store_verdict *ret_verdict, char error[STORE_ERROR_LEN])
{
    char path[PATH_MAX];
    *ret_verdict = (struct store_verdict){0};
    if (snprintf(path, sizeof path, "%s/data.mdb", store->folder) >= (int)sizeof path)
        return say(store, error, -ENAMETOOLONG, "the store's folder is");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return head_compare(store, ret_verdict, error);
    if (fd < 0)
        return say(store, error, -errno, "cannot read the store");
    int rc = file_check(store, fd, ret_verdict, error);
    close(fd);
    return rc;
}

/* ---- the environment ---- */

/* LMDB maps this file and writes to it: on a full disk that would end us by SIGBUS, were it not whole. */
static int lock_file_prepare(const struct store *store)
{
    char path[PATH_MAX];
    struct stat file;
    snprintf(path, sizeof path, "%s/lock.mdb", store->folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    int rc = fstat(fd, &file) < 0 ? errno : 0;
    if (!rc && file.st_size < LOCK_FILE_BYTES)
        rc = posix_fallocate(fd, 0, LOCK_FILE_BYTES);
    close(fd);
    return rc;
}

/* LMDB counts pages that it took and gave back before it wrote them, so a whole file may end before its last
 * page. Ours is as long as its map (with a hole at its end, which takes no room), so that shorter is
 * damaged. */
int store_file_grow(struct store *store, size_t size_bytes)
{
    struct stat file;
    mdb_filehandle_t fd;
    int rc = mdb_env_get_fd(store->env, &fd);
    if (!rc && fstat(fd, &file) < 0)
        rc = errno;
    if (!rc && (uint64_t)file.st_size < size_bytes && ftruncate(fd, (off_t)size_bytes) < 0)
        rc = errno;
    return rc;
}

static int file_prepare(struct store *store)
{
    MDB_envinfo info;
    int rc = mdb_env_info(store->env, &info);
    return rc ? rc : store_file_grow(store, info.me_mapsize);
}

/* What LMDB finds wrong with its own pages while they are in use; it ends the process after it. */
static void lmdb_asserts(MDB_env *env, const char *words)
{
    (void)env;
    log_error("store", "LMDB cannot go on: the store's pages changed under it", "words=%s", words);
}

static int env_make(struct store *store)
{
    int rc = lock_file_prepare(store);
    if (!rc)
        rc = mdb_env_create(&store->env);
    if (!rc)
        rc = mdb_env_set_assert(store->env, lmdb_asserts);
    if (!rc)
        rc = mdb_env_set_maxdbs(store->env, STORE_DATABASE_COUNT);
    if (!rc)
        rc = mdb_env_set_maxreaders(store->env, READERS_MAX);
    if (!rc)
        rc = mdb_env_set_mapsize(store->env, (size_t)MAP_INITIAL_MIB << 20);
    if (!rc)
        rc = mdb_env_open(store->env, store->folder, MDB_NOTLS, 0600);
    return rc ? rc : file_prepare(store);
}

static int databases_open(struct store *store)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    for (int i = 0; !rc && i < STORE_DATABASE_COUNT; i++)
        if ((rc = mdb_dbi_open(txn, store_database_name((enum store_database)i), 0, &store->dbi[i])))
            mdb_txn_abort(txn);
    return rc ? rc : mdb_txn_commit(txn);
}

/* The first transaction of a store, or of one that an older kilnd made. The head is there before it, so that
 * no store with sums is ever without. */
static int format_write(struct store *store)
{
    char path[PATH_MAX];
    const struct store_head none = {0};
    const uint8_t ours[4] = {0, 0, 0, STORE_FORMAT};
    struct store_batch *batch;
    struct store_list list;
    int rc = store_head_path(store->folder, path, sizeof path);
    if (!rc && store->head_fd < 0)
        rc = store_head_make(path, &none);
    if (!rc && store->head_fd < 0)
        rc = store_head_open(path, &store->head_fd, &store->head);
    if (!rc)
        rc = store_batch_create(store, &batch);
    if (rc)
        return -rc;
    store_put(batch, STORE_META, STORE_FORMAT_KEY, sizeof STORE_FORMAT_KEY - 1, ours, sizeof ours);
    store_list_init(&list);
    batch->next = NULL;
    list.first = batch;
    rc = batch->error ? -batch->error : store_transact(store, &list, true);
    store_batch_destroy(batch);
    return rc;
}

static int env_open(struct store *store, char error[STORE_ERROR_LEN])
{
    int rc = env_make(store);
    if (!rc)
        rc = store->format == STORE_FORMAT ? databases_open(store) : format_write(store);
    if (!rc && store->format && store->format != STORE_FORMAT)
        log_info("store", "an older kilnd's is converted, and no longer that one's to read",
                 "format=%u now=%d", store->format, STORE_FORMAT);
    if (!rc)
        return 0;
    store_env_close(store);
    return say(store, error, store_errno(rc), "cannot open the store");
}

int store_look(struct store *store, char error[STORE_ERROR_LEN])
{
    struct store_verdict verdict;
    int rc = folder_check(store, &verdict, error);
    if (rc)
        return rc;
    store->sums = verdict.sums;
    store->format = verdict.format;
    pthread_mutex_lock(&store->lock);
    store->transaction = verdict.walked.transaction;
    pthread_mutex_unlock(&store->lock);
    return env_open(store, error);
}

void store_env_close(struct store *store)
{
    if (store->env)
        mdb_env_close(store->env);
    store->env = NULL;
}
