/*
 * Status: what the owner sees of the VM from inside (README 7.8). In: the controller, the kernel's counters.
 * Out: a reading. Kept: the last one of the counters, for as long as another may not be taken.
 */
#ifndef KILN_GUEST_STATUS_H
#define KILN_GUEST_STATUS_H

#include "protocol/status.h"

#define STATUS_AGE_MS 500 /* who asks in a loop costs no more than this */

struct controller;

struct status_reading {
    int64_t taken_ms; /* monotonic; 0: never */
    struct status status;
};

/* State and drives as they are; counters of now, or the last if they are younger than STATUS_AGE_MS.
 * Borrowed: the controller's. */
const struct status *status_read(struct controller *controller);

#endif
