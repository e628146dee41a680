/*
 * Users file: /.kiln/users.json on the first drive (README 7.6), written atomically, the copy before kept
 * beside it. In: the drive's folder, text. Out: text, or the tree of it. Kept: the file. Blocks; for the job
 * thread.
 */
#ifndef KILN_GUEST_USERS_FILE_H
#define KILN_GUEST_USERS_FILE_H

#include <stddef.h>

#include "protocol/json.h"

/* The whole text, NUL-terminated, to be freed. -ENOENT there is none, -EFBIG over the limit, -ELOOP or
 * -ENOTDIR something that is no plain file is in its place. */
int users_file_read(const char *drive, char **ret_text, size_t *ret_len_bytes);
/* Its JSON, to be destroyed. As above, and -EBADMSG: it is none, or is nested deeper than an answer over the
 * channel may carry it. */
int users_file_read_json(const char *drive, struct json **ret_tree);
/* Puts TEXT in its place and the one before into users.json.previous; a crash leaves the one or the other
 * whole. */
int users_file_write(const char *drive, const char *text, size_t len_bytes);

/* What a drive without a database gets: one user, "researcher". */
extern const char users_file_default[];

#endif
