/*
 * Deadline: how long a VM may still stay in its state, whatever is done to the host's clocks.
 *
 * In: the host's wall clock, its monotonic clock, its boot id. Out: the timer of each VM. Kept: in the record
 * beside the deadline, by which clocks it was told. What counts is time that passed: a wall clock that is set
 * moves the deadline with it, on the fly and over a restart of kilnd. After a reboot of the host the state
 * has its whole time anew, as the clock that measured it is gone; the retention of an ended VM goes by the
 * calendar then.
 */
#ifndef KILN_CORE_DEADLINE_H
#define KILN_CORE_DEADLINE_H

#include "src/core/core.h"

/* Learns which boot of the host this is, and its clocks. -EIO when the kernel does not say. */
int deadline_begin(struct core *core);

/* Notices a wall clock that was set by a second or more, and moves every deadline with it. */
void deadline_look(struct core *core);

/* Tells the record's deadline by the clocks as they are. */
void deadline_rebase(struct vm_slot *slot);

/* Arms the timer of the record's deadline. */
void deadline_arm(struct vm_slot *slot);
/* Gives the record's state its whole time from now on. */
void deadline_arm_anew(struct vm_slot *slot);

#endif
