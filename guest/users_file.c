/*
 * Users file: see users_file.h.
 */
#include "guest/users_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/folder.h"
#include "protocol/users_db.h"

#define FOLDER ".kiln"
#define NAME "users.json"
#define PREVIOUS NAME ".previous"
#define FRESH NAME ".new"
#define ANSWER_DEPTH 2 /* the message, and the object with the database */

const char users_file_default[] = "{\"version\": 1,\n"
                                  " \"groups\": [],\n"
                                  " \"users\": [{\"name\": \"researcher\", \"uid\": 1000, \"groups\": [], "
                                  "\"ssh_keys\": []}],\n"
                                  " \"directories\": []}\n";

static int open_folder(const char *drive, bool make, int *ret_fd)
{
    int root = open(drive, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -errno;
    int result = make ? folder_make(root, FOLDER, ret_fd) : folder_open(root, FOLDER, ret_fd);
    close(root);
    return result;
}

static int read_all(int fd, char **ret_text, size_t *ret_len_bytes)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -ENOTDIR;
    if (st.st_size > USERS_DB_TEXT_MAX)
        return -EFBIG;
    char *text = malloc((size_t)st.st_size + 1);
    if (text == NULL)
        return -ENOMEM;
    ssize_t len = pread(fd, text, (size_t)st.st_size, 0);
    if (len < 0) {
        int error = -errno;
        free(text);
        return error;
    }
    text[len] = '\0';
    *ret_text = text;
    *ret_len_bytes = (size_t)len;
    return 0;
}

int users_file_read(const char *drive, char **ret_text, size_t *ret_len_bytes)
{
    int folder = -1;
    int result = open_folder(drive, false, &folder);
    if (result < 0)
        return result;
    int fd = openat(folder, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    result = fd < 0 ? -errno : read_all(fd, ret_text, ret_len_bytes);
    if (fd >= 0)
        close(fd);
    close(folder);
    return result;
}

int users_file_read_json(const char *drive, struct json **ret_tree)
{
    char *text = NULL;
    size_t len = 0;
    int result = users_file_read(drive, &text, &len);
    if (result < 0)
        return result;
    /* The whole message may be as deep as the channel's limit: a deeper one would end the channel. */
    struct json_limits limits = json_limits_channel;
    limits.depth_max -= ANSWER_DEPTH;
    result = json_parse(text, len, &limits, ret_tree) < 0 ? -EBADMSG : 0;
    free(text);
    return result;
}

static int write_fresh(int folder, const char *text, size_t len_bytes)
{
    if (unlinkat(folder, FRESH, 0) < 0 && errno != ENOENT)
        return -errno;
    int fd = openat(folder, FRESH, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    size_t done = 0;
    ssize_t written = 0;
    while (done < len_bytes && (written = write(fd, text + done, len_bytes - done)) > 0)
        done += (size_t)written;
    int result = done < len_bytes ? (written < 0 ? -errno : -EIO) : fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return result;
}

static int swap(int folder)
{
    /* A second name for the old one, so that there is a whole file in its place at every moment. */
    if (unlinkat(folder, PREVIOUS, 0) < 0 && errno != ENOENT)
        return -errno;
    if (linkat(folder, NAME, folder, PREVIOUS, 0) < 0 && errno != ENOENT)
        return -errno;
    if (renameat(folder, FRESH, folder, NAME) < 0 || fsync(folder) < 0)
        return -errno;
    return 0;
}

int users_file_write(const char *drive, const char *text, size_t len_bytes)
{
    int folder = -1;
    int result = open_folder(drive, true, &folder);
    if (result < 0)
        return result;
    if (fchown(folder, 0, 0) < 0 || fchmod(folder, 0700) < 0)
        result = -errno;
    if (result == 0)
        result = write_fresh(folder, text, len_bytes);
    if (result == 0)
        result = swap(folder);
    close(folder);
    return result;
}
