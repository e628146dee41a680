/*
 * Pump: bytes between two sockets, both ways, by splice(2): they never enter this process.
 * In: two connected sockets. Out: counts, and one end. Kept: a pipe a direction. Half-close is passed on.
 */
#ifndef KILN_EDGE_PUMP_H
#define KILN_EDGE_PUMP_H

#include <stdint.h>

struct loop;
struct pump;

/* NEAR and FAR are borrowed (non-blocking). ON_END is the last call, with 0 when both sides closed properly,
 * else a negative errno; the callee destroys the pump. The errno of pipe2(2), -ENOMEM. */
int pump_create(struct loop *loop, int near, int far, void (*on_end)(void *arg, int error), void *arg,
                struct pump **ret_pump);
void pump_destroy(struct pump *pump);

/* Bytes that arrived: from NEAR to FAR (up), from FAR to NEAR (down). */
uint64_t pump_up_bytes(const struct pump *pump);
uint64_t pump_down_bytes(const struct pump *pump);

#endif
