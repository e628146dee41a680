/*
 * Store: opening, closing and reading. store_batch.c collects changes, store_commit.c makes them durable.
 *
 * In: a folder. Out: values. Kept: an LMDB environment and its databases.
 */
#include "src/core/store.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/core/store_private.h"

enum {
    MAP_INITIAL_MIB = 64, /* of address space, not of disk */
    READERS_MAX = 32      /* the loop reads one at a time; the rest is for tools on a live store */
};

static const char *const database_names[STORE_DATABASE_COUNT] = {
#define X(upper, text) [STORE_##upper] = text,
    STORE_DATABASES(X)
#undef X
};

static const char format_key[] = "format";

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
    case MDB_PANIC:
        return -EUCLEAN;
    default:
        return error > 0 ? -error : -EIO;
    }
}

static int say(char error[STORE_ERROR_LEN], int code, const char *what, const char *path)
{
    snprintf(error, STORE_ERROR_LEN, "%s %.80s: %s", what, path, strerror(-code));
    return code;
}

/* One kilnd a store: two would each undo what the other decides. */
static int folder_lock(struct store *store, const char *path, char error[STORE_ERROR_LEN])
{
    char lock_path[4096];
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return say(error, -errno, "cannot make the folder", path);
    if ((size_t)snprintf(lock_path, sizeof lock_path, "%s/owner", path) >= sizeof lock_path)
        return say(error, -ENAMETOOLONG, "the store's folder is", path);
    store->lock_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0)
        return say(error, -errno, "cannot open", lock_path);
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return say(error, errno == EWOULDBLOCK ? -EBUSY : -errno, "another kilnd holds the store", path);
    return 0;
}

/* A file that was cut shorter than its own last page would end us by SIGBUS when that page is read. */
static int length_check(MDB_env *env)
{
    MDB_envinfo info;
    MDB_stat stat;
    struct stat file;
    mdb_filehandle_t fd;
    int rc = mdb_env_info(env, &info);
    if (!rc)
        rc = mdb_env_stat(env, &stat);
    if (!rc)
        rc = mdb_env_get_fd(env, &fd);
    if (!rc && fstat(fd, &file) < 0)
        rc = errno;
    if (!rc && (uint64_t)file.st_size < (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize)
        rc = MDB_CORRUPTED;
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

static int env_open(struct store *store, const char *path, bool readonly, char error[STORE_ERROR_LEN])
{
    unsigned flags = MDB_NOTLS | (readonly ? MDB_RDONLY : 0);
    int rc = mdb_env_create(&store->env);
    if (!rc)
        rc = mdb_env_set_maxdbs(store->env, STORE_DATABASE_COUNT);
    if (!rc)
        rc = mdb_env_set_maxreaders(store->env, READERS_MAX);
    if (!rc)
        rc = mdb_env_set_mapsize(store->env, (size_t)MAP_INITIAL_MIB << 20);
    if (!rc)
        rc = mdb_env_open(store->env, path, flags, 0600);
    if (!rc)
        rc = length_check(store->env);
    if (!rc && !readonly)
        rc = file_prepare(store);
    return rc ? say(error, store_errno(rc), "cannot open the store", path) : 0;
}

static int databases_open(struct store *store, MDB_txn *txn, bool readonly)
{
    for (int i = 0; i < STORE_DATABASE_COUNT; i++) {
        int rc = mdb_dbi_open(txn, database_names[i], readonly ? 0 : MDB_CREATE, &store->dbi[i]);
        if (rc)
            return rc;
    }
    return 0;
}

/* Returns an errno or LMDB's error. A new store gets our format; a newer one is refused. */
static int format_check(struct store *store, MDB_txn *txn, bool readonly)
{
    const uint8_t ours[4] = {0, 0, 0, STORE_FORMAT};
    MDB_val key = {.mv_size = sizeof format_key - 1, .mv_data = (void *)format_key};
    MDB_val value = {.mv_size = sizeof ours, .mv_data = (void *)ours};
    int rc = mdb_get(txn, store->dbi[STORE_META], &key, &value);
    if (rc == MDB_NOTFOUND && !readonly)
        return mdb_put(txn, store->dbi[STORE_META], &key, &value, 0);
    if (rc)
        return rc;
    if (value.mv_size != sizeof ours)
        return MDB_CORRUPTED;
    return memcmp(value.mv_data, ours, sizeof ours) > 0 ? ENOTSUP : 0;
}

static int databases_prepare(struct store *store, bool readonly, const char *path,
                             char error[STORE_ERROR_LEN])
{
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(store->env, NULL, readonly ? MDB_RDONLY : 0, &txn);
    if (rc)
        return say(error, store_errno(rc), "cannot read the store", path);
    rc = databases_open(store, txn, readonly);
    if (!rc)
        rc = format_check(store, txn, readonly);
    if (rc)
        mdb_txn_abort(txn);
    else
        rc = mdb_txn_commit(txn);
    if (rc == ENOTSUP)
        return say(error, -ENOTSUP, "a newer kilnd wrote the store", path);
    return rc ? say(error, store_errno(rc), "cannot read the store", path) : 0;
}

/* A walk may read other databases on its way, so the map's lock counts. */
static void locks_init(struct store *store)
{
    pthread_mutexattr_t counting;
    pthread_mutexattr_init(&counting);
    pthread_mutexattr_settype(&counting, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&store->map_lock, &counting);
    pthread_mutexattr_destroy(&counting);
    pthread_mutex_init(&store->lock, NULL);
}

int store_open(const char *path, struct loop *loop, struct store **ret_store, char error[STORE_ERROR_LEN])
{
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return say(error, -ENOMEM, "cannot open the store", path);
    store->lock_fd = -1;
    store->done_fd = -1;
    store->loop = loop;
    store_list_init(&store->queue);
    store_list_init(&store->done);
    locks_init(store);

    int rc = loop ? folder_lock(store, path, error) : 0;
    if (!rc)
        rc = env_open(store, path, !loop, error);
    if (!rc)
        rc = databases_prepare(store, !loop, path, error);
    if (!rc && loop && (rc = store_thread_start(store)) < 0)
        say(error, rc, "cannot start the commit thread of", path);
    if (rc) {
        store_close(store);
        return rc;
    }
    *ret_store = store;
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    store_thread_stop(store);
    if (store->env)
        mdb_env_close(store->env);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    store_list_finish(&store->queue);
    store_list_finish(&store->done);
    pthread_mutex_destroy(&store->lock);
    pthread_mutex_destroy(&store->map_lock);
    free(store);
}

/* A read transaction, with the map held in place. */
static int read_begin(struct store *store, MDB_txn **ret_txn)
{
    pthread_mutex_lock(&store->map_lock);
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, ret_txn);
    if (rc)
        pthread_mutex_unlock(&store->map_lock);
    return store_errno(rc);
}

static void read_end(struct store *store, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    pthread_mutex_unlock(&store->map_lock);
}

int store_each(struct store *store, enum store_database database, const void *from, size_t from_len_bytes,
               size_t prefix_len_bytes, store_each_fn *each, void *arg)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    int rc = read_begin(store, &txn);
    if (rc)
        return rc;
    rc = mdb_cursor_open(txn, store->dbi[database], &cursor);
    if (rc) {
        read_end(store, txn);
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
    read_end(store, txn);
    if (verdict)
        return verdict;
    return rc == MDB_NOTFOUND ? 0 : store_errno(rc);
}

int store_get(struct store *store, enum store_database database, const void *key, size_t key_len_bytes,
              uint8_t **ret_value, size_t *ret_len_bytes)
{
    MDB_txn *txn;
    int rc = read_begin(store, &txn);
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
    read_end(store, txn);
    return rc;
}

int store_last_key(struct store *store, enum store_database database, void *ret_key, size_t size_bytes,
                   size_t *ret_len_bytes)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key, value;
    int rc = read_begin(store, &txn);
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
    read_end(store, txn);
    return rc;
}
