/*
 * Random: bytes from the kernel. In: a length. Out: bytes, or the end of the process. Nothing is kept.
 */
#ifndef KILN_IO_RANDOM_H
#define KILN_IO_RANDOM_H

#include <stddef.h>

/* Fills OUT with LEN_BYTES of getrandom(2). Aborts when the kernel refuses: no caller can go on without. */
void random_fill(void *out, size_t len_bytes);

#endif
