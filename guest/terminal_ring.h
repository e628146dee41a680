/*
 * Terminal ring: the last bytes that a terminal showed, by their place in all that it ever showed.
 * In: bytes. Out: bytes from a place. Kept: the last TERMINAL_RING_BYTES. Pure.
 */
#ifndef KILN_GUEST_TERMINAL_RING_H
#define KILN_GUEST_TERMINAL_RING_H

#include <stddef.h>
#include <stdint.h>

#define TERMINAL_RING_BYTES 131072    /* some 1,600 lines: what brings a screen back */
#define TERMINAL_RING_LINE_BYTES 4096 /* a line's end is looked for this far */

/* Zeroed it is empty. */
struct terminal_ring {
    uint64_t end; /* how many bytes were shown so far */
    uint8_t bytes[TERMINAL_RING_BYTES];
};

void terminal_ring_add(struct terminal_ring *ring, const uint8_t *bytes, size_t len);
/* The place of the oldest byte that is kept. */
uint64_t terminal_ring_oldest(const struct terminal_ring *ring);
/* Where to begin for somebody who has seen nothing: the oldest byte; when others went before it, behind the
 * next line's end if one is near. */
uint64_t terminal_ring_begin(const struct terminal_ring *ring);
/* Copies at most MAX bytes from place FROM (oldest <= FROM <= end); how many. */
size_t terminal_ring_copy(const struct terminal_ring *ring, uint64_t from, uint8_t *out, size_t max);

#endif
