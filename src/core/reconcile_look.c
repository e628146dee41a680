/*
 * Reconcile: what a sight of one VM's domain means for its record: after a start by the table of
 * states/recovery.h, later by comparing.
 */
#include "src/core/machine.h"
#include "src/core/perform.h"
#include "src/core/reconcile_private.h"
#include "src/io/loop.h"
#include "states/recovery.h"

static enum recovery_sight sight_of(enum virt_domain_state state)
{
    switch (state) {
    case VIRT_DOMAIN_RUNNING:
        return RECOVERY_RUNNING;
    case VIRT_DOMAIN_PAUSED:
        return RECOVERY_PAUSED;
    case VIRT_DOMAIN_STOPPING:
        return RECOVERY_SHUT_OFF;
    case VIRT_DOMAIN_CRASHED:
        return RECOVERY_CRASHED;
    default:
        return RECOVERY_ABSENT;
    }
}

static void post(struct vm_slot *slot, int on, const char *words)
{
    enum kiln_code code = on == VM_ON_DOMAIN_GONE     ? CODE_DOMAIN_GONE
                          : on == VM_ON_DOMAIN_FAILED ? CODE_DOMAIN_FAILED
                                                      : CODE_NONE;
    machine_post_trouble(slot->core, slot->vm.uuid, (enum vm_event_kind)on, code, words, NULL);
}

/* Whether the record says that there is a domain. */
static bool should_run(const struct vm_slot *slot)
{
    return slot->vm.head.state >= VM_BOOTED && slot->vm.head.state != VM_DESTROYED;
}

/* Nothing is left of it to look at or to remove. */
static bool is_over(const struct vm_slot *slot)
{
    return slot->vm.head.state == VM_DESTROYED && slot->vm.gone == VM_GONE_ALL && !slot->vm.retention_over;
}

/* True once a second look, RECONCILE_CONFIRM_MS after the first, has not seen the domain either. */
static bool absence_confirmed(struct vm_slot *slot)
{
    int64_t now_ms = loop_monotonic_ms();
    if (slot->absent_since_ms == 0)
        slot->absent_since_ms = now_ms;
    if (now_ms - slot->absent_since_ms >= RECONCILE_CONFIRM_MS)
        return true;
    slot->core->reconcile->suspects++;
    return false;
}

static void recover(struct vm_slot *slot, enum recovery_sight sight)
{
    const struct recovery_cell *cell = recovery_find(slot->vm.head.state, sight);
    /* The link ended with the kilnd that held it. */
    if (slot->vm.link_up)
        machine_post_kind(slot->core, slot->vm.uuid, VM_ON_LINK_DOWN);
    post(slot, cell->on, cell->story);
}

static void reach(struct vm_slot *slot)
{
    machine_post_kind(slot->core, slot->vm.uuid, VM_ON_LIBVIRT_BACK);
}

/* A domain that is there. */
static void compare(struct vm_slot *slot, enum recovery_sight sight)
{
    const struct vm *vm = &slot->vm;
    bool running = sight == RECOVERY_RUNNING;
    if (vm->head.state == VM_DESTROYED) {
        /* Only one that was seen gone can have come back; the end of the others is under way. */
        if (vm->gone & VM_GONE_DOMAIN)
            post(slot, VM_ON_DOMAIN_UP, "");
        return;
    }
    if (vm->head.state == VM_IMAGE_CREATED && running && !perform_is_booting(slot))
        post(slot, VM_ON_DOMAIN_UP, "");
    if (!should_run(slot))
        return;
    if (sight == RECOVERY_SHUT_OFF || sight == RECOVERY_CRASHED)
        post(slot, VM_ON_DOMAIN_GONE, sight == RECOVERY_CRASHED ? "it crashed" : "it was shut off");
    else if (running && vm->paused)
        post(slot, VM_ON_DOMAIN_RESUMED, "");
    else if (!running && !vm->paused)
        post(slot, VM_ON_DOMAIN_PAUSED, "it is paused");
}

void reconcile_look(struct vm_slot *slot, enum virt_domain_state state)
{
    const struct core *core = slot->core;
    enum recovery_sight sight = sight_of(state);
    if (is_over(slot) && sight == RECOVERY_ABSENT)
        return;
    if (sight == RECOVERY_ABSENT && should_run(slot)) {
        if (absence_confirmed(slot))
            post(slot, VM_ON_DOMAIN_GONE, "libvirt said twice that there is no such domain");
        return;
    }
    bool was_absent = slot->absent_since_ms != 0;
    slot->absent_since_ms = 0;
    if (core->recovering)
        recover(slot, sight);
    else if (slot->vm.unreachable || core->reconcile->reconnected || was_absent)
        reach(slot);
    if (!core->recovering && sight != RECOVERY_ABSENT)
        compare(slot, sight);
}
