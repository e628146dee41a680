/*
 * File below: see file_below.h.
 */
#include "src/io/file_below.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel itself keeps the path below the folder. */
static int open_below(int folder_fd, const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, folder_fd, path, &how, sizeof(how));
}

int file_below_open(int folder_fd, const char *path, int *ret_fd, struct stat *ret_info)
{
    struct stat info;
    int fd = folder_fd >= 0 && *path != '\0' ? open_below(folder_fd, path) : -1;
    if (fd < 0)
        return -ENOENT;
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return -ENOENT;
    }
    *ret_fd = fd;
    *ret_info = info;
    return 0;
}
