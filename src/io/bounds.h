/*
 * Bounds: what no daemon of ours may do, whatever else it gives up. In: how much memory it may have. Out: no
 * core dumps and no tracing by others, that much memory, no new privileges; for good, and for every child.
 * Nothing is kept.
 */
#ifndef KILN_IO_BOUNDS_H
#define KILN_IO_BOUNDS_H

#include <stdint.h>

/* Before the first thread. Logs what fails as PROGRAM's. 0 or a negative errno. */
int bounds_set(const char *program, uint64_t memory_max_bytes);

#endif
