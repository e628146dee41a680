/*
 * Floor: the highest version of a release that this VM has accepted; nothing lower is ever run (README 4.1).
 * In: a path. Out: a number. Kept: the file, written atomically.
 */
#ifndef KILN_GUEST_FLOOR_H
#define KILN_GUEST_FLOOR_H

#include <stdint.h>

#define FLOOR_PATH "/var/lib/kiln/floor"

/* 0 when there is no file yet. -EBADMSG when it holds no number: then nothing may be accepted. */
int floor_read(const char *path, uint64_t *ret_version);
/* Makes the folder too. An errno of writing. */
int floor_write(const char *path, uint64_t version);

#endif
