/*
 * Store head: see store_head.h.
 */
#include "src/core/store_head.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "protocol/wire.h"
#include "src/core/file.h"
#include "src/core/store_sum.h"

/* magic | u64 transaction | audit end | u64 XXH3 of these */
enum {
    PLACES = 2,
    PLACE_BYTES = 512, /* a disk writes that many or none */
    MAGIC_BYTES = 8,
    SUMMED_BYTES = MAGIC_BYTES + 8 + STORE_AUDIT_END_BYTES,
    HEAD_BYTES = SUMMED_BYTES + 8
};

static const uint8_t magic[MAGIC_BYTES] = {'K', 'I', 'L', 'N', 'H', 'E', 'A', 'D'};

int store_head_path(const char *folder, char *ret_path, size_t size_bytes)
{
    return (size_t)snprintf(ret_path, size_bytes, "%s.head", folder) < size_bytes ? 0 : -ENAMETOOLONG;
}

static void head_encode(const struct store_head *head, uint8_t *ret_bytes)
{
    memcpy(ret_bytes, magic, MAGIC_BYTES);
    wire_put_u64(ret_bytes + MAGIC_BYTES, head->transaction);
    memcpy(ret_bytes + MAGIC_BYTES + 8, head->audit_end, STORE_AUDIT_END_BYTES);
    wire_put_u64(ret_bytes + SUMMED_BYTES, store_sum_bytes(ret_bytes, SUMMED_BYTES));
}

static int head_decode(const uint8_t *bytes, struct store_head *ret_head)
{
    if (memcmp(bytes, magic, MAGIC_BYTES) != 0 ||
        wire_get_u64(bytes + SUMMED_BYTES) != store_sum_bytes(bytes, SUMMED_BYTES))
        return -EUCLEAN;
    ret_head->transaction = wire_get_u64(bytes + MAGIC_BYTES);
    memcpy(ret_head->audit_end, bytes + MAGIC_BYTES + 8, STORE_AUDIT_END_BYTES);
    return 0;
}

static int head_read(int fd, struct store_head *ret_head)
{
    uint8_t bytes[PLACES * PLACE_BYTES] = {0};
    bool found = false;
    if (pread(fd, bytes, sizeof bytes, 0) < 0)
        return -errno;
    for (int i = 0; i < PLACES; i++) {
        struct store_head head;
        if (head_decode(bytes + i * PLACE_BYTES, &head) ||
            (found && head.transaction < ret_head->transaction))
            continue;
        *ret_head = head;
        found = true;
    }
    return found ? 0 : -EUCLEAN;
}

int store_head_open(const char *path, int *ret_fd, struct store_head *ret_head)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    int rc = head_read(fd, ret_head);
    if (rc)
        close(fd);
    else
        *ret_fd = fd;
    return rc;
}

int store_head_make(const char *path, const struct store_head *head)
{
    uint8_t bytes[PLACES * PLACE_BYTES] = {0};
    head_encode(head, bytes + head->transaction % PLACES * PLACE_BYTES);
    return file_write(path, 0600, bytes, sizeof bytes);
}

int store_head_write(int fd, const struct store_head *head)
{
    uint8_t bytes[HEAD_BYTES];
    head_encode(head, bytes);
    ssize_t put;
    do
        put = pwrite(fd, bytes, sizeof bytes, (off_t)(head->transaction % PLACES * PLACE_BYTES));
    while (put < 0 && errno == EINTR);
    return put < 0 ? -errno : put == sizeof bytes ? 0 : -EIO;
}
