/*
 * Backoff: how long to wait before the next try. In: the shortest and the longest wait. Out: waits that
 * double from one to the other, each drawn at random from its upper half, so that many who lost the same peer
 * at once do not all come back at once. Kept: how far it has doubled.
 */
#ifndef KILN_IO_BACKOFF_H
#define KILN_IO_BACKOFF_H

#include <stdint.h>

struct backoff {
    uint32_t first_ms, last_ms; /* 2 <= first <= last <= 2^30 */
    uint32_t next_ms;           /* 0: begins at first_ms */
};

/* The next wait in ms: from half of what is due to all of it. */
uint32_t backoff_next(struct backoff *backoff);
/* It worked: the next wait is a short one again. */
void backoff_reset(struct backoff *backoff);

#endif
