/*
 * recovery.h - what kilnd makes of a kept record when it starts and looks at libvirt.
 *
 * In:   the kept state and what libvirt shows of the domain.
 * Out:  the event to be taken, and why. The table is total: each state with each sight has a cell.
 * Kept: nothing.
 */
#ifndef KILN_STATES_RECOVERY_H
#define KILN_STATES_RECOVERY_H

#include "states/vm.h"

/* What libvirt shows. Absent is the positive word "no such domain", given repeatedly on a live connection,
 * while no QEMU of it lives; lost is that word while one does. */
#define RECOVERY_SIGHTS(X)                                                                                   \
    X(RUNNING, "running")                                                                                    \
    X(PAUSED, "paused")                                                                                      \
    X(SHUT_OFF, "shut-off")                                                                                  \
    X(CRASHED, "crashed")                                                                                    \
    X(LOST, "lost")                                                                                          \
    X(ABSENT, "absent")                                                                                      \
    X(UNREACHABLE, "unreachable")

enum recovery_sight {
#define X(upper, text) RECOVERY_##upper,
    RECOVERY_SIGHTS(X)
#undef X
        RECOVERY_SIGHT_COUNT
};

/* One cell: the event, and why in words. RECOVERED enters the kept state again, and goes
 * with what was seen of the domain. */
struct recovery_cell {
    int on; /* enum vm_event_kind */
    const char *story;
};

/*
 * The cell for a state and a sight, both in range; never NULL. The event has a row in every record of that
 * state. Before it, a record whose link was up takes LINK_DOWN: the link ended with the kilnd that held it.
 */
const struct recovery_cell *recovery_find(int state, enum recovery_sight sight);

/* The name of a sight; NULL for a number that is none. */
const char *recovery_sight_name(int sight);

#endif
