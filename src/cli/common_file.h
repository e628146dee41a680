/*
 * Whole files of the person's. In: paths. Out: what they hold. Kept: nothing.
 */
#ifndef KILN_CLI_COMMON_FILE_H
#define KILN_CLI_COMMON_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The whole of a file, NUL-terminated, to be freed (and wiped first, where it is secret). RET_LEN may be
 * NULL. -EFBIG more than MAX bytes, -ENOENT and so on; not said to the user. */
int cli_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len);
/* Written beside and renamed into place, 0600; EXCLUSIVE fails with -EEXIST when it is there. */
int cli_file_write(const char *path, const void *bytes, size_t len, bool exclusive);

#endif
