/*
 * Store backup: see store_backup.h.
 */
#include "src/core/store_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/core/file.h"
#include "src/core/store_private.h"

enum { TRIES = 8, COPY_BYTES = 65536, MAP_BITS_MAX = 40 };

static int say(char error[STORE_ERROR_LEN], int code, const char *what, const char *path)
{
    snprintf(error, STORE_ERROR_LEN, "%s %.120s: %s", what, path, strerror(-code));
    return code;
}

/* ---- the store in use ---- */

static int snapshot_check(struct store *store, struct store_verdict *ret_verdict, char error[STORE_ERROR_LEN])
{
    MDB_txn *txn;
    mdb_filehandle_t fd;
    int rc = store_read_begin(store, &txn);
    if (rc)
        return say(error, rc, "cannot read the store", store->folder);
    /* The transaction keeps the pages of its moment from being written over. */
    rc = store_errno(mdb_env_get_fd(store->env, &fd));
    rc = rc ? say(error, rc, "cannot read the store", store->folder)
            : store_check(fd, mdb_txn_id(txn), NULL, NULL, ret_verdict, error);
    store_read_end(store, txn);
    return rc;
}

int store_check_live(struct store *store, struct store_verdict *ret_verdict, char error[STORE_ERROR_LEN])
{
    int rc = -ESTALE;
    /* Two commits between the begin of the read and its first page leave no way to that moment. */
    for (int i = 0; rc == -ESTALE && i < TRIES; i++)
        rc = snapshot_check(store, ret_verdict, error);
    return rc;
}

static int copy_write(struct store *store, int fd, const char *path, char error[STORE_ERROR_LEN])
{
    pthread_rwlock_rdlock(&store->map_lock);
    int rc = store->env ? store_errno(mdb_env_copyfd2(store->env, fd, 0)) : -EIO;
    pthread_rwlock_unlock(&store->map_lock);
    if (!rc && (fchmod(fd, 0600) < 0 || fsync(fd) < 0))
        rc = -errno;
    if (!rc)
        rc = file_sync_folder(path);
    return rc ? say(error, rc, "cannot write", path) : 0;
}

int store_backup(struct store *store, const char *path, struct store_verdict *ret_verdict,
                 char error[STORE_ERROR_LEN])
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return say(error, -errno, "cannot make", path);
    int rc = copy_write(store, fd, path, error);
    if (!rc)
        rc = store_check(fd, 0, NULL, NULL, ret_verdict, error);
    close(fd);
    if (rc)
        unlink(path);
    return rc;
}

/* ---- a backup in its place ---- */

static int bytes_copy(int from, int to)
{
    char bytes[COPY_BYTES];
    for (;;) {
        ssize_t got = read(from, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        for (ssize_t done = 0; done < got;) {
            ssize_t put = write(to, bytes + done, (size_t)(got - done));
            if (put < 0 && errno != EINTR)
                return -errno;
            done += put > 0 ? put : 0;
        }
    }
}

/* A store's own file is as long as its map. */
static int draft_write(int from, const char *path, uint64_t map_bytes)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int rc = lseek(from, 0, SEEK_SET) < 0 || fchmod(fd, 0600) < 0 ? -errno : bytes_copy(from, fd);
    if (!rc && (ftruncate(fd, (off_t)map_bytes) < 0 || fsync(fd) < 0))
        rc = -errno;
    close(fd);
    if (rc)
        unlink(path);
    return rc;
}

struct restore {
    char data[PATH_MAX], draft[PATH_MAX], replaced[PATH_MAX], lock[PATH_MAX], head[PATH_MAX];
};

static int paths_make(struct restore *restore, const char *folder)
{
    if (strlen(folder) >= PATH_MAX - sizeof "/data.mdb.replaced")
        return -ENAMETOOLONG;
    snprintf(restore->data, PATH_MAX, "%s/data.mdb", folder);
    snprintf(restore->draft, PATH_MAX, "%s/data.mdb.new", folder);
    snprintf(restore->replaced, PATH_MAX, "%s/data.mdb.replaced", folder);
    snprintf(restore->lock, PATH_MAX, "%s/lock.mdb", folder);
    return store_head_path(folder, restore->head, sizeof restore->head);
}

/* The head comes last: until then the store is not the one that its head tells of, and refused. */
static int files_put(const struct restore *restore, int from, const struct store_verdict *verdict)
{
    struct store_head head = {.transaction = verdict->walked.transaction};
    memcpy(head.audit_end, verdict->audit_end, sizeof head.audit_end);
    int rc = draft_write(from, restore->draft, verdict->walked.map_bytes);
    if (!rc && rename(restore->data, restore->replaced) < 0 && errno != ENOENT)
        rc = -errno;
    if (!rc && rename(restore->draft, restore->data) < 0)
        rc = -errno;
    if (!rc && unlink(restore->lock) < 0 && errno != ENOENT)
        rc = -errno;
    if (!rc)
        rc = file_sync_folder(restore->data);
    return rc ? rc : store_head_make(restore->head, &head);
}

static int backup_check(int fd, const char *path, struct store_verdict *ret_verdict,
                        char error[STORE_ERROR_LEN])
{
    char words[STORE_ERROR_LEN];
    int rc = store_check(fd, 0, NULL, NULL, ret_verdict, words);
    if (!rc && (ret_verdict->format <= STORE_FORMAT_SUMLESS || ret_verdict->walked.map_bytes >> MAP_BITS_MAX)) {
        snprintf(words, sizeof words, "it is no backup of a store");
        rc = -EUCLEAN;
    }
    if (rc)
        snprintf(error, STORE_ERROR_LEN, "%.100s: %.150s", path, words);
    return rc;
}

int store_restore(const char *folder, int fd, const char *path, struct store_verdict *ret_verdict,
                  char error[STORE_ERROR_LEN])
{
    struct restore restore;
    int lock_fd;
    int rc = backup_check(fd, path, ret_verdict, error);
    if (!rc)
        rc = store_folder_lock(folder, &lock_fd, error);
    if (rc)
        return rc;
    rc = paths_make(&restore, folder);
    if (!rc)
        rc = files_put(&restore, fd, ret_verdict);
    close(lock_fd);
    return rc ? say(error, rc, "cannot restore the store in", folder) : 0;
}
