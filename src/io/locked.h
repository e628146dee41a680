/*
 * Locked memory: pages for secrets that are never swapped, never in a core dump, and empty in a child.
 * In: a size. Out: zeroed memory. Kept: nothing of ours; the caller owns the pages.
 */
#ifndef KILN_IO_LOCKED_H
#define KILN_IO_LOCKED_H

#include <stddef.h>

/* Zeroed memory of at least LEN_BYTES, whole pages. -ENOMEM; -EPERM or -EAGAIN when it cannot be locked. */
int locked_create(size_t len_bytes, void **ret_memory);
/* Wipes and gives back what locked_create gave for LEN_BYTES. NULL does nothing. */
void locked_destroy(void *memory, size_t len_bytes);
/* Memory that somebody else allocated: the pages it lies in are never swapped and in no core dump, as long as
 * they are there. 0 or a negative errno. */
int locked_keep(const void *bytes, size_t len_bytes);

/* Forbids core dumps of this process and reading its memory without root. Every program does it first. */
void locked_forbid_dumps(void);

#endif
