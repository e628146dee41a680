/*
 * File: small files, read and written whole. In and out: bytes, paths. Kept: nothing in memory.
 */
#ifndef KILN_CORE_FILE_H
#define KILN_CORE_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* Makes PATH hold BYTES, durably: it has its old content or all of the new, never a part. Negative errno. */
int file_write(const char *path, mode_t mode, const void *bytes, size_t len_bytes);

/* Reads at most MAX_BYTES and a NUL after them (BUFFER has MAX_BYTES + 1). -EFBIG, -EACCES when the file is
 * another user's or others can read it, negative errno. */
int file_read_private(const char *path, void *ret_bytes, size_t max_bytes, size_t *ret_len_bytes);

/* A rename is durable only once its folder is: that of PATH. Negative errno. */
int file_sync_folder(const char *path);

/* A folder that is there afterwards. Negative errno. */
int file_folder(const char *path, mode_t mode);

#endif
