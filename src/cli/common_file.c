/*
 * Whole files of the person's: common_file.h says how.
 */
#include "src/cli/common_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int cli_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    char *text = malloc(max + 1);
    size_t len = 0;
    int error = text ? 0 : -ENOMEM;
    while (!error && len <= max) {
        ssize_t got = read(fd, text + len, max + 1 - len);
        if (got < 0)
            error = -errno;
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    close(fd);
    if (!error && len > max)
        error = -EFBIG;
    if (error) {
        free(text);
        return error;
    }
    text[len] = '\0';
    *ret_text = text;
    if (ret_len)
        *ret_len = len;
    return 0;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, bytes, len);
        if (done < 0)
            return -errno;
        bytes += done;
        len -= (size_t)done;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

int cli_file_write(const char *path, const void *bytes, size_t len, bool exclusive)
{
    char beside[PATH_MAX];
    if (snprintf(beside, sizeof beside, "%s.XXXXXX", path) >= (int)sizeof beside)
        return -ENAMETOOLONG;
    int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = write_all(fd, bytes, len);
    close(fd);
    /* link(2) does not replace what is there, rename(2) does */
    if (!error && (exclusive ? link(beside, path) : rename(beside, path)) < 0)
        error = -errno;
    if (error || exclusive)
        unlink(beside);
    return error;
}
