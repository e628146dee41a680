/*
 * Terminal ring: see terminal_ring.h.
 */
#include "guest/terminal_ring.h"

#include <string.h>

/* How many of LEN bytes from PLACE lie in one piece, and where. */
static size_t piece_at(uint64_t place, size_t len, size_t *ret_at)
{
    *ret_at = place % TERMINAL_RING_BYTES;
    size_t whole = TERMINAL_RING_BYTES - *ret_at;
    return len < whole ? len : whole;
}

void terminal_ring_add(struct terminal_ring *ring, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t at, piece = piece_at(ring->end, len, &at);
        memcpy(ring->bytes + at, bytes, piece);
        ring->end += piece;
        bytes += piece;
        len -= piece;
    }
}

uint64_t terminal_ring_oldest(const struct terminal_ring *ring)
{
    return ring->end > TERMINAL_RING_BYTES ? ring->end - TERMINAL_RING_BYTES : 0;
}

uint64_t terminal_ring_begin(const struct terminal_ring *ring)
{
    uint8_t line[TERMINAL_RING_LINE_BYTES];
    uint64_t oldest = terminal_ring_oldest(ring);
    if (oldest == 0)
        return 0;
    size_t len = terminal_ring_copy(ring, oldest, line, sizeof line);
    const uint8_t *end = memchr(line, '\n', len);
    return end == NULL ? oldest : oldest + (uint64_t)(end - line) + 1;
}

size_t terminal_ring_copy(const struct terminal_ring *ring, uint64_t from, uint8_t *out, size_t max)
{
    uint64_t there = ring->end - from;
    size_t len = there < max ? (size_t)there : max;
    for (size_t done = 0, at; done < len;) {
        size_t piece = piece_at(from + done, len - done, &at);
        memcpy(out + done, ring->bytes + at, piece);
        done += piece;
    }
    return len;
}
