/*
 * Store: opening and closing. store_env.c checks and opens the files, store_read.c reads, store_batch.c
 * collects changes, store_commit.c makes them durable.
 *
 * In: a folder. Out: a store. Kept: the folder's lock, its head, an LMDB environment.
 */
#include "src/core/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/core/store_private.h"

static int say(char error[STORE_ERROR_LEN], int code, const char *what, const char *path)
{
    snprintf(error, STORE_ERROR_LEN, "%s %.100s: %s", what, path, strerror(-code));
    return code;
}

/* One kilnd a store: two would each undo what the other decides. */
int store_folder_lock(const char *folder, int *ret_fd, char error[STORE_ERROR_LEN])
{
    char path[PATH_MAX];
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return say(error, -errno, "cannot make the folder", folder);
    if (snprintf(path, sizeof path, "%s/owner", folder) >= (int)sizeof path)
        return say(error, -ENAMETOOLONG, "the store's folder is", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return say(error, -errno, "cannot open", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
        close(fd);
        return say(error, rc, "another kilnd holds the store", folder);
    }
    *ret_fd = fd;
    return 0;
}

static int head_load(struct store *store, char error[STORE_ERROR_LEN])
{
    char path[PATH_MAX];
    int rc = store_head_path(store->folder, path, sizeof path);
    if (!rc)
        rc = store_head_open(path, &store->head_fd, &store->head);
    if (rc == -EUCLEAN)
        snprintf(error, STORE_ERROR_LEN,
                 "%.100s is damaged: restore a backup of the store (kiln store restore FILE)", path);
    else if (rc && rc != -ENOENT)
        say(error, rc, "cannot read", path);
    return rc == -ENOENT ? 0 : rc;
}

static struct store *store_make(const char *path, struct loop *loop)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return NULL;
    store->folder = strdup(path);
    if (!store->folder) {
        free(store);
        return NULL;
    }
    store->lock_fd = store->head_fd = store->done_fd = -1;
    store->loop = loop;
    store_list_init(&store->turn);
    store_list_init(&store->queue);
    store_list_init(&store->done);
    /* A walk may read other databases on its way: readers come before who waits to be alone. */
    pthread_rwlock_init(&store->map_lock, NULL);
    pthread_mutex_init(&store->lock, NULL);
    return store;
}

int store_claim(const char *path, struct loop *loop, struct store **ret_store, char error[STORE_ERROR_LEN])
{
    struct store *store = store_make(path, loop);
    if (!store)
        return say(error, -ENOMEM, "cannot open the store", path);
    int rc = store_folder_lock(path, &store->lock_fd, error);
    if (!rc)
        rc = head_load(store, error);
    if (!rc && (rc = store_bell_make(store)) < 0)
        say(error, rc, "cannot watch the commits of", path);
    if (rc) {
        store_close(store);
        return rc;
    }
    *ret_store = store;
    return 0;
}

int store_begin(struct store *store, char error[STORE_ERROR_LEN])
{
    int rc = store_thread_start(store);
    return rc ? say(error, rc, "cannot start the commit thread of", store->folder) : 0;
}

int store_open(const char *path, struct loop *loop, struct store **ret_store, char error[STORE_ERROR_LEN])
{
    struct store *store;
    int rc = store_claim(path, loop, &store, error);
    if (rc)
        return rc;
    rc = store_look(store, error);
    if (!rc)
        rc = store_begin(store, error);
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
    store_job_stop(store);
    store_thread_stop(store);
    store_env_close(store);
    if (store->head_fd >= 0)
        close(store->head_fd);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    store_list_finish(&store->turn);
    store_list_finish(&store->queue);
    store_list_finish(&store->done);
    pthread_mutex_destroy(&store->lock);
    pthread_rwlock_destroy(&store->map_lock);
    free(store->folder);
    free(store);
}
