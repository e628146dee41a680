/*
 * fault.h - calls that fail for want of memory or randomness, whoever makes them: ours, mbedTLS or yajl.
 * In: which call is to fail. Out: how many there were, and what is held. Kept: counts, for the thread.
 */
#ifndef KILN_FUZZ_FAULT_H
#define KILN_FUZZ_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From here to fault_end, call number FAILING (from 1; 0: none) of malloc, calloc, realloc and fault_random
 * fails; LASTING: and all after it. */
void fault_begin(size_t failing, bool lasting);
/* How many calls there were since fault_begin. */
size_t fault_end(void);
/* Blocks that were taken and not given back, by this thread. */
long fault_held(void);
/* fixed_random_fill of tests/unit/protocol_random.h, with its ARG. */
int fault_random(void *arg, uint8_t *out, size_t len);

#endif
