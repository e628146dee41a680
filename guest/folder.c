/*
 * Folder: see folder.h.
 */
#include "guest/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PART_MAX 256 /* NAME_MAX and its end */

static int open_part(int parent, const char *part)
{
    const struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                                            RESOLVE_NO_XDEV};
    long fd = syscall(SYS_openat2, parent, part, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

static int make_part(int parent, const char *part)
{
    int fd = open_part(parent, part);
    if (fd != -ENOENT)
        return fd;
    if (mkdirat(parent, part, 0755) < 0 && errno != EEXIST)
        return -errno;
    return open_part(parent, part);
}

static int walk(int root, const char *path, bool make, int *ret_fd)
{
    int fd = fcntl(root, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    while (fd >= 0 && *path != '\0') {
        char part[PART_MAX];
        size_t len = strcspn(path, "/");
        int next = -EINVAL;
        if (len > 0 && len < sizeof part) {
            snprintf(part, sizeof part, "%.*s", (int)len, path);
            next = make ? make_part(fd, part) : open_part(fd, part);
        }
        close(fd);
        fd = next;
        path += len + (path[len] == '/');
    }
    if (fd < 0)
        return fd;
    *ret_fd = fd;
    return 0;
}

int folder_open(int root, const char *path, int *ret_fd)
{
    return walk(root, path, false, ret_fd);
}

int folder_make(int root, const char *path, int *ret_fd)
{
    return walk(root, path, true, ret_fd);
}

int folder_check(int root, const char *path)
{
    int fd = -1;
    int result = walk(root, path, false, &fd);
    if (result == 0)
        close(fd);
    return result == -ENOENT ? 0 : result;
}
