/*
 * Reconcile: what a sight of one VM's domain means for its record: after a start by the table of
 * states/recovery.h, later by comparing.
 */
#include "src/core/deadline.h"
#include "src/core/machine.h"
#include "src/core/perform.h"
#include "src/core/reconcile_private.h"
#include "src/io/loop.h"
#include "states/recovery.h"

static enum recovery_sight sight_of(const struct sight *sight)
{
    if (!sight)
        return RECOVERY_ABSENT;
    switch (sight->state) {
    case VIRT_DOMAIN_RUNNING:
        return RECOVERY_RUNNING;
    case VIRT_DOMAIN_PAUSED:
        return RECOVERY_PAUSED;
    case VIRT_DOMAIN_STOPPING:
        return RECOVERY_SHUT_OFF;
    case VIRT_DOMAIN_CRASHED:
        return RECOVERY_CRASHED;
    case VIRT_DOMAIN_LOST:
        return RECOVERY_LOST;
    default:
        return RECOVERY_ABSENT;
    }
}

static void post(struct vm_slot *slot, int on, const char *words)
{
    enum kiln_code code = on == VM_ON_DOMAIN_GONE     ? CODE_DOMAIN_GONE
                          : on == VM_ON_DOMAIN_FAILED ? CODE_DOMAIN_FAILED
                                                      : CODE_NONE;
    slot->core->reconcile->walk.posted++;
    machine_post_trouble(slot->core, slot->vm.uuid, (enum vm_event_kind)on, code, words, NULL);
}

static void post_recovered(struct vm_slot *slot, const struct sight *sight, enum recovery_sight seen)
{
    struct vm_event event = {.head = {.on = VM_ON_RECOVERED}};
    if (seen == RECOVERY_RUNNING || seen == RECOVERY_PAUSED)
        event.sight = (struct vm_sight){.domain = true, .boot = (uint32_t)sight->boot};
    slot->core->reconcile->walk.posted++;
    machine_post(slot->core, slot->vm.uuid, &event, CORE_ACTOR_SELF, NULL, NULL);
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

/* True once a second look, RECONCILE_CONFIRM_MS after the first and on the same connection, has not seen the
 * domain either. A libvirt that has just come may not yet know all its domains. */
static bool absence_confirmed(struct vm_slot *slot)
{
    struct reconcile *reconcile = slot->core->reconcile;
    int64_t now_ms = loop_monotonic_ms();
    bool counts = now_ms - reconcile->up_since_ms >= RECONCILE_UP_MS;
    if (counts && (slot->absent_since_ms == 0 || slot->absent_connection != reconcile->connection)) {
        slot->absent_since_ms = now_ms;
        slot->absent_connection = reconcile->connection;
    } else if (counts && now_ms - slot->absent_since_ms >= RECONCILE_CONFIRM_MS) {
        return true;
    }
    reconcile->suspects++;
    return false;
}

/* ---- after a start ---- */

void reconcile_loaded(struct vm_slot *slot)
{
    slot->recovering = !is_over(slot);
    slot->core->recovering += slot->recovering;
}

static void recovered(struct vm_slot *slot)
{
    slot->core->recovering -= slot->recovering;
    slot->recovering = false;
}

void reconcile_forget(struct vm_slot *slot)
{
    recovered(slot);
}

/* In these states the record waits for libvirt, and for nobody else. */
static bool waits_for_libvirt(const struct vm_slot *slot)
{
    int state = slot->vm.head.state;
    return state == VM_REQUESTED || state == VM_IMAGE_CREATED || state == VM_PAIRED;
}

bool reconcile_holds_deadline(const struct vm_slot *slot)
{
    return (slot->recovering || slot->vm.unreachable) && waits_for_libvirt(slot);
}

/* libvirt is there: what was to be done by it has its whole time from now on. */
static void time_anew(struct vm_slot *slot)
{
    if (waits_for_libvirt(slot))
        deadline_arm_anew(slot);
}

/* The cell of the table. A domain that runs for another boot than the record's is not the one that came up:
 * of an earlier one the secret is spent, and ensuring the domain ends it; a later one's is taken over. */
static void recover(struct vm_slot *slot, enum recovery_sight seen, const struct sight *sight)
{
    const struct recovery_cell *cell = recovery_find(slot->vm.head.state, seen);
    bool other = cell->on == VM_ON_DOMAIN_UP && sight->boot != slot->vm.boot_number;
    recovered(slot);
    time_anew(slot);
    if (other || cell->on == VM_ON_RECOVERED)
        post_recovered(slot, sight, seen);
    else
        post(slot, cell->on, cell->story);
    perform_boot_recovered(slot);
}

/* ---- later ---- */

static void reach(struct vm_slot *slot)
{
    slot->core->reconcile->walk.posted++;
    time_anew(slot);
    machine_post_kind(slot->core, slot->vm.uuid, VM_ON_LIBVIRT_BACK);
}

/* What is known of it without libvirt is only that it has not ended. */
static void lose(struct vm_slot *slot)
{
    if (!slot->vm.unreachable)
        post(slot, VM_ON_LIBVIRT_LOST, recovery_find(slot->vm.head.state, RECOVERY_LOST)->story);
}

/* A domain that is there. */
static void compare(struct vm_slot *slot, enum recovery_sight sight, uint64_t boot)
{
    const struct vm *vm = &slot->vm;
    bool running = sight == RECOVERY_RUNNING;
    if (vm->head.state == VM_DESTROYED) {
        /* Only one that was seen gone can have come back; the end of the others is under way. */
        if (vm->gone & VM_GONE_DOMAIN)
            post(slot, VM_ON_DOMAIN_UP, "");
        return;
    }
    bool is_booted = running && boot == vm->boot_number && !perform_is_booting(slot);
    if (vm->head.state == VM_IMAGE_CREATED && is_booted)
        post(slot, VM_ON_DOMAIN_UP, "");
    if (!should_run(slot) || sight == RECOVERY_LOST)
        return;
    if (sight == RECOVERY_SHUT_OFF || sight == RECOVERY_CRASHED)
        post(slot, VM_ON_DOMAIN_GONE, sight == RECOVERY_CRASHED ? "it crashed" : "it was shut off");
    else if (running && vm->paused)
        post(slot, VM_ON_DOMAIN_RESUMED, "");
    else if (!running && !vm->paused)
        post(slot, VM_ON_DOMAIN_PAUSED, "it is paused");
}

void reconcile_look(struct vm_slot *slot, const struct sight *sight)
{
    const struct reconcile *reconcile = slot->core->reconcile;
    enum recovery_sight seen = sight_of(sight);
    bool after_start = slot->recovering;
    if (is_over(slot) && seen == RECOVERY_ABSENT)
        return;
    slot->lost_pid = sight ? sight->pid : 0;
    if (seen == RECOVERY_ABSENT && should_run(slot) && !absence_confirmed(slot))
        return;
    bool was_absent = slot->absent_since_ms != 0;
    slot->absent_since_ms = 0;
    if (after_start)
        recover(slot, seen, sight);
    else if (seen == RECOVERY_ABSENT && should_run(slot))
        post(slot, VM_ON_DOMAIN_GONE, "libvirt said twice that there is no such domain");
    else if (seen == RECOVERY_LOST && should_run(slot))
        lose(slot);
    else if (slot->vm.unreachable || reconcile->walk.reconnected || was_absent)
        reach(slot);
    if (!after_start && seen != RECOVERY_ABSENT)
        compare(slot, seen, sight->boot);
}

void reconcile_look_away(struct vm_slot *slot)
{
    slot->absent_since_ms = 0;
    slot->lost_pid = 0;
    if (slot->vm.unreachable || slot->vm.gone == VM_GONE_ALL)
        return;
    post(slot, VM_ON_LIBVIRT_LOST, recovery_find(slot->vm.head.state, RECOVERY_UNREACHABLE)->story);
}
