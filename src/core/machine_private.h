/*
 * Inside of the machine's driver, for machine*.c only.
 */
#ifndef KILN_CORE_MACHINE_PRIVATE_H
#define KILN_CORE_MACHINE_PRIVATE_H

#include "src/core/machine.h"

enum machine_step_kind {
    STEP_EVENT,
    STEP_BEGIN, /* the record as given enters its first state */
    STEP_FORGET /* record and console leave the store, then memory */
};

/* What an event made of a record; waits for its durability. */
struct machine_decision {
    struct vm vm;
    struct history history;
    struct fsm_fx fx;
};

/* An event on its way. */
struct machine_step {
    enum machine_step_kind kind;
    struct vm_slot *slot; /* borrowed; NULL: there is no such VM */
    struct vm_event event;
    char actor[VM_WHO_LEN];
    machine_done_fn *done;
    void *arg;
    struct machine_decision *decision; /* owned; while its commit is in flight */
    struct machine_step *next;
};

struct machine {
    struct core *core;
    struct vm_slot *ready_first, **ready_last; /* slots with an event and no commit in flight */
    struct machine_step *lost;                 /* events about VMs that do not exist */
    bool posted;
    struct loop_timer *retry; /* owned; memory ran out, and may be there again */
};

/* Puts the slot among those that are looked at in the next turn. */
void machine_ready(struct vm_slot *slot);
void machine_step_finish(struct machine_step *step, int error, const struct vm *vm);
/* Takes the slot out of memory; the events that wait end with -ENOENT. */
void machine_slot_destroy(struct vm_slot *slot);

/* Decides and begins the commit: 0. -EPERM no row takes the event; -ENOMEM to be tried again; nothing
 * changed. */
int machine_decide(struct vm_slot *slot, struct machine_step *step);

#endif
