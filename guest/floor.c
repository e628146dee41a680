/*
 * Floor: see floor.h.
 */
#include "guest/floor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int floor_read(const char *path, uint64_t *ret_version)
{
    char text[32];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *ret_version = 0;
        return 0;
    }
    if (fd < 0)
        return -errno;
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    if (len <= 0 || text[0] < '0' || text[0] > '9')
        return -EBADMSG;
    text[len] = '\0';
    char *end;
    errno = 0;
    unsigned long long version = strtoull(text, &end, 10);
    if (errno != 0 || strcmp(end, "\n") != 0)
        return -EBADMSG;
    *ret_version = version;
    return 0;
}

static void make_parent(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL || slash == folder)
        return;
    *slash = '\0';
    /* Should it fail, opening the file says why. */
    mkdir(folder, 0700);
}

int floor_write(const char *path, uint64_t version)
{
    char fresh[PATH_MAX], text[32];
    make_parent(path);
    snprintf(fresh, sizeof fresh, "%.*s.new", PATH_MAX - 8, path);
    int len = snprintf(text, sizeof text, "%" PRIu64 "\n", version);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int result = write(fd, text, (size_t)len) == len && fsync(fd) == 0 ? 0 : -EIO;
    close(fd);
    if (result == 0 && rename(fresh, path) < 0)
        result = -errno;
    return result;
}
