/*
 * Machine: see machine.h. Here: the table of VMs, the queues of their events, their deadlines.
 * machine_decide.c steps the records and commits them.
 */
#include "src/core/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"
#include "src/core/deadline.h"
#include "src/core/machine_private.h"
#include "src/core/object.h"
#include "src/core/perform.h"
#include "src/core/reconcile.h"
#include "src/core/store.h"
#include "src/io/log.h"
#include "src/io/loop.h"

enum { RETRY_MS = 200 };

/* ---- turns ---- */

void machine_step_finish(struct machine_step *step, int error, const struct vm *vm)
{
    if (step->done)
        step->done(step->arg, error, vm);
    free(step->decision);
    free(step);
}

static void refused(struct vm_slot *slot, struct machine_step *step)
{
    const struct vm_event *event = &step->event;
    log_debug("vm", "has no row for the event", "vm=%s event=%s state=%s actor=%s", slot->vm.name,
              vm_event_name(event->head.on), vm_state_name(slot->vm.head.state), step->actor);
    /* The timer is a few milliseconds early by the wall clock, which is slewed: the deadline is yet to come.
     */
    if (event->head.on == VM_ON_TIMEOUT && event->head.at_ms < slot->vm.head.deadline_at_ms)
        deadline_arm(slot);
    machine_step_finish(step, -EPERM, &slot->vm);
}

static struct machine_step *step_take(struct vm_slot *slot)
{
    struct machine_step *step = slot->first;
    slot->first = step->next;
    if (!slot->first)
        slot->last = &slot->first;
    step->next = NULL;
    return step;
}

static void step_put_back(struct vm_slot *slot, struct machine_step *step)
{
    step->next = slot->first;
    if (!slot->first)
        slot->last = &step->next;
    slot->first = step;
}

/* Takes events until one is on its way to the disk. */
static void slot_run(struct vm_slot *slot)
{
    while (slot->first && !slot->step) {
        struct machine_step *step = step_take(slot);
        slot->step = step;
        int rc = machine_decide(slot, step);
        if (!rc)
            return;
        slot->step = NULL;
        if (rc == -EPERM) {
            refused(slot, step);
            continue;
        }
        log_error("vm", "cannot be changed now, is tried again", "vm=%s error=%s", slot->vm.name,
                  strerror(-rc));
        step_put_back(slot, step);
        loop_timer_arm(slot->core->machine->retry, RETRY_MS);
        return;
    }
}

static void lost_end(struct machine *machine)
{
    while (machine->lost) {
        struct machine_step *step = machine->lost;
        machine->lost = step->next;
        machine_step_finish(step, -ENOENT, NULL);
    }
}

static struct vm_slot *ready_take(struct machine *machine)
{
    struct vm_slot *slot = machine->ready_first;
    if (!slot)
        return NULL;
    machine->ready_first = slot->ready_next;
    if (!machine->ready_first)
        machine->ready_last = &machine->ready_first;
    slot->ready = false;
    return slot;
}

static void turn_post(struct machine *machine);

static void turn(void *arg)
{
    struct machine *machine = arg;
    struct vm_slot *slot;
    int64_t share_us = loop_share_begin();
    machine->posted = false;
    while (!loop_share_over(share_us) && (slot = ready_take(machine)))
        slot_run(slot);
    lost_end(machine);
    if (machine->ready_first)
        turn_post(machine);
}

static void turn_post(struct machine *machine)
{
    if (machine->posted)
        return;
    if (loop_post(machine->core->loop, turn, machine) == 0)
        machine->posted = true;
    else
        loop_timer_arm(machine->retry, RETRY_MS);
}

void machine_ready(struct vm_slot *slot)
{
    struct machine *machine = slot->core->machine;
    if (!slot->ready) {
        slot->ready = true;
        slot->ready_next = NULL;
        *machine->ready_last = slot;
        machine->ready_last = &slot->ready_next;
    }
    turn_post(machine);
}

static void retry_due(void *arg)
{
    struct machine *machine = arg;
    for (size_t i = 0; i < machine->core->vms.count; i++) {
        struct vm_slot *slot = machine->core->vms.items[i];
        if (slot->first && !slot->step)
            machine_ready(slot);
    }
    turn_post(machine);
}

/* ---- events ---- */

static struct machine_step *step_create(enum machine_step_kind kind, struct vm_slot *slot, const char *actor,
                                        machine_done_fn *done, void *arg)
{
    struct machine_step *step = calloc(1, sizeof *step);
    if (!step)
        return NULL;
    step->kind = kind;
    step->slot = slot;
    step->done = done;
    step->arg = arg;
    fsm_text_keep(step->actor, sizeof step->actor, actor ? actor : CORE_ACTOR_SELF);
    return step;
}

static void step_queue(struct vm_slot *slot, struct machine_step *step)
{
    *slot->last = step;
    slot->last = &step->next;
    if (!slot->step)
        machine_ready(slot);
}

int machine_post(struct core *core, const uint8_t uuid[static VM_UUID_LEN], const struct vm_event *event,
                 const char *actor, machine_done_fn *done, void *arg)
{
    struct vm_slot *slot = index_find(&core->vms, uuid);
    if (slot && slot->link_stale) {
        slot->link_stale = false;
        machine_post_kind(core, uuid, VM_ON_LINK_DOWN);
    }
    struct machine_step *step = step_create(STEP_EVENT, slot, actor, done, arg);
    if (!step)
        return -ENOMEM;
    step->event = *event;
    if (slot) {
        step_queue(slot, step);
        return 0;
    }
    step->next = core->machine->lost;
    core->machine->lost = step;
    turn_post(core->machine);
    return 0;
}

int machine_post_kind(struct core *core, const uint8_t uuid[static VM_UUID_LEN], enum vm_event_kind kind)
{
    struct vm_event event = {.head.on = kind};
    return machine_post(core, uuid, &event, NULL, NULL, NULL);
}

int machine_post_trouble(struct core *core, const uint8_t uuid[static VM_UUID_LEN], enum vm_event_kind kind,
                         enum kiln_code code, const char *detail, const char *actor)
{
    struct vm_event event = {.head.on = kind, .trouble.code = code};
    fsm_text_keep(event.trouble.detail, sizeof event.trouble.detail, detail);
    return machine_post(core, uuid, &event, actor, NULL, NULL);
}

void machine_forget(struct vm_slot *slot)
{
    struct machine_step *step = step_create(STEP_FORGET, slot, NULL, NULL, NULL);
    /* Without memory the record stays until the next start, which asks for it again. */
    if (!step)
        return;
    step_put_back(slot, step);
    if (!slot->step)
        machine_ready(slot);
}

/* ---- deadlines ---- */

static void deadline_due(void *arg)
{
    struct vm_slot *slot = arg;
    /* Who waits for others' boots is not late; its time begins with its turn. */
    if (!perform_holds_deadline(slot) && !reconcile_holds_deadline(slot))
        machine_post_kind(slot->core, slot->vm.uuid, VM_ON_TIMEOUT);
}

/* ---- the table ---- */

/* Into the tables where it is looked for. */
static int slot_enter(struct vm_slot *slot)
{
    struct core *core = slot->core;
    bool has_address = network_has_address(&slot->vm);
    int rc = has_address ? network_hold(&core->network, slot->vm.ipv4) : 0;
    if (rc)
        return rc;
    rc = index_add(&core->vms, slot);
    if (!rc && (rc = index_add(&core->names, slot)))
        index_remove(&core->vms, slot->vm.uuid);
    if (rc && has_address)
        network_release(&core->network, slot->vm.ipv4);
    return rc;
}

static void slot_leave(struct vm_slot *slot)
{
    index_remove(&slot->core->vms, slot->vm.uuid);
    index_remove(&slot->core->names, slot->vm.name);
    if (network_has_address(&slot->vm))
        network_release(&slot->core->network, slot->vm.ipv4);
}

static int slot_create(struct core *core, const struct vm *vm, struct vm_slot **ret_slot)
{
    struct vm_slot *slot = calloc(1, sizeof *slot);
    if (!slot)
        return -ENOMEM;
    slot->vm = *vm;
    slot->core = core;
    slot->last = &slot->first;
    int rc = loop_timer_create(core->loop, deadline_due, slot, &slot->deadline);
    if (!rc)
        rc = perform_slot_init(slot);
    if (!rc)
        rc = slot_enter(slot);
    if (rc) {
        perform_slot_finish(slot);
        if (slot->deadline)
            loop_timer_destroy(slot->deadline);
        free(slot);
        return rc;
    }
    *ret_slot = slot;
    return 0;
}

static void ready_remove(struct vm_slot *slot)
{
    struct machine *machine = slot->core->machine;
    struct vm_slot **at = &machine->ready_first;
    while (*at && *at != slot)
        at = &(*at)->ready_next;
    if (!*at)
        return;
    *at = slot->ready_next;
    if (!*at)
        machine->ready_last = at;
}

void machine_slot_destroy(struct vm_slot *slot)
{
    ready_remove(slot);
    reconcile_forget(slot);
    slot_leave(slot);
    while (slot->first)
        machine_step_finish(step_take(slot), -ENOENT, NULL);
    perform_slot_finish(slot);
    loop_timer_destroy(slot->deadline);
    free(slot);
}

int machine_begin(struct core *core, const struct vm *vm, const char *actor, machine_done_fn *done, void *arg)
{
    struct vm_slot *slot;
    int rc = slot_create(core, vm, &slot);
    if (rc)
        return rc;
    slot->fresh = true;
    struct machine_step *step = step_create(STEP_BEGIN, slot, actor, done, arg);
    if (!step) {
        machine_slot_destroy(slot);
        return -ENOMEM;
    }
    drive_hold(core, vm);
    step_queue(slot, step);
    return 0;
}

int machine_load(void *arg, const void *key, size_t key_len_bytes, const void *value, size_t value_len_bytes)
{
    struct core *core = arg;
    struct vm vm;
    uint64_t seq;
    struct vm_slot *slot;
    int rc = record_vm_decode(value, value_len_bytes, &vm, &seq);
    if (!rc && key_len_bytes != sizeof slot->number)
        rc = -EBADMSG;
    if (!rc)
        rc = slot_create(core, &vm, &slot);
    if (rc)
        return rc == -EEXIST ? -EBADMSG : rc;
    slot->number = wire_get_u64(key);
    slot->seq = seq;
    if (vm.assignment_number > core->assignment)
        core->assignment = vm.assignment_number;
    slot->link_stale = vm.link_up;
    reconcile_loaded(slot);
    return 0;
}

void machine_start(struct core *core)
{
    for (size_t i = 0; i < core->vms.count; i++)
        deadline_arm(core->vms.items[i]);
}

int machine_create(struct core *core)
{
    struct machine *machine = calloc(1, sizeof *machine);
    if (!machine)
        return -ENOMEM;
    machine->core = core;
    machine->ready_last = &machine->ready_first;
    core->machine = machine;
    return loop_timer_create(core->loop, retry_due, machine, &machine->retry);
}

void machine_destroy(struct core *core)
{
    struct machine *machine = core->machine;
    if (!machine)
        return;
    while (core->vms.count) {
        struct vm_slot *slot = core->vms.items[core->vms.count - 1];
        if (slot->step)
            machine_step_finish(slot->step, -ENOENT, NULL);
        machine_slot_destroy(slot);
    }
    lost_end(machine);
    if (machine->retry)
        loop_timer_destroy(machine->retry);
    free(machine);
    core->machine = NULL;
}
