/*
 * File: see file.h.
 */
#include "src/core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int all_write(int fd, const char *bytes, size_t len_bytes)
{
    while (len_bytes > 0) {
        ssize_t put = write(fd, bytes, len_bytes);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        bytes += put;
        len_bytes -= (size_t)put;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

int file_sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *end = path;
    for (const char *at = path; *at; at++)
        if (*at == '/')
            end = at;
    if (snprintf(folder, sizeof folder, "%.*s", end == path ? 1 : (int)(end - path),
                 end == path ? "/" : path) >= (int)sizeof folder)
        return -ENAMETOOLONG;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return rc;
}

int file_write(const char *path, mode_t mode, const void *bytes, size_t len_bytes)
{
    char draft[PATH_MAX];
    if (snprintf(draft, sizeof draft, "%s.new", path) >= (int)sizeof draft)
        return -ENAMETOOLONG;
    /* A draft that a dead kilnd left may belong to somebody else by now. */
    if (unlink(draft) < 0 && errno != ENOENT)
        return -errno;
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return -errno;
    int rc = fchmod(fd, mode) < 0 ? -errno : all_write(fd, bytes, len_bytes);
    close(fd);
    if (!rc && rename(draft, path) < 0)
        rc = -errno;
    if (rc)
        unlink(draft);
    return rc ? rc : file_sync_folder(path);
}

static int all_read(int fd, char *bytes, size_t max_bytes, size_t *ret_len_bytes)
{
    size_t len_bytes = 0;
    /* One byte more than allowed tells a file that is too long. */
    while (len_bytes <= max_bytes) {
        ssize_t got = read(fd, bytes + len_bytes, max_bytes + 1 - len_bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        len_bytes += (size_t)got;
    }
    if (len_bytes > max_bytes)
        return -EFBIG;
    bytes[len_bytes] = 0;
    *ret_len_bytes = len_bytes;
    return 0;
}

int file_read_private(const char *path, void *ret_bytes, size_t max_bytes, size_t *ret_len_bytes)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    int rc = fstat(fd, &status) < 0 ? -errno : 0;
    if (!rc && (status.st_uid != geteuid() || status.st_mode & 077))
        rc = -EACCES;
    if (!rc)
        rc = all_read(fd, ret_bytes, max_bytes, ret_len_bytes);
    close(fd);
    return rc;
}

int file_folder(const char *path, mode_t mode)
{
    if (mkdir(path, mode) < 0)
        return errno == EEXIST ? 0 : -errno;
    /* The umask may have taken bits that others need to pass through. */
    return chmod(path, mode) < 0 ? -errno : 0;
}
