/*
 * Machine: steps a copy of a record, commits it with history and audit, and makes it the record once that is
 * durable.
 *
 * In: an event and the record. Out: a batch; then the new record, a log line, changes, effects. Kept:
 * nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"
#include "src/core/deadline.h"
#include "src/core/machine_private.h"
#include "src/core/object.h"
#include "src/core/perform.h"
#include "src/core/store.h"
#include "src/core/virt_ops.h"
#include "src/io/log.h"
#include "src/io/loop.h"

/* ---- decide ---- */

static void history_fill(struct history *history, const struct machine_step *step, const struct vm *vm,
                         int from, const char *story)
{
    bool begins = step->kind == STEP_BEGIN;
    history->at_ms = step->event.head.at_ms;
    memcpy(history->vm, vm->uuid, VM_UUID_LEN);
    memcpy(history->name, vm->name, sizeof history->name);
    history->from = begins ? -1 : from;
    history->to = vm->head.state;
    history->event = begins ? -1 : step->event.head.on;
    fsm_text_keep(history->story, sizeof history->story, story);
    memcpy(history->actor, step->actor, sizeof history->actor);
    history->code = vm->code;
    memcpy(history->detail, vm->detail, sizeof history->detail);
}

static int decision_make(struct vm_slot *slot, struct machine_step *step)
{
    struct machine_decision *decision = calloc(1, sizeof *decision);
    if (!decision)
        return -ENOMEM;
    deadline_look(slot->core);
    deadline_rebase(slot);
    step->event.head.at_ms = loop_wall_ms();
    decision->vm = slot->vm;
    fsm_fx_init(&decision->fx);
    const struct fsm_row *row = NULL;
    if (step->kind == STEP_BEGIN)
        vm_begin(&decision->vm, step->event.head.at_ms, &decision->fx);
    else
        row = vm_step(&decision->vm, &step->event, &decision->fx);
    if (!row && step->kind != STEP_BEGIN) {
        free(decision);
        return -EPERM;
    }
    if (decision->fx.overflow)
        log_error("vm", "wants more effects than there is room for", "vm=%s", slot->vm.name);
    history_fill(&decision->history, step, &decision->vm, slot->vm.head.state,
                 row ? row->story : decision->vm.head.story);
    step->decision = decision;
    return 0;
}

/* ---- commit ---- */

static int record_put(struct store_batch *batch, uint64_t number, const struct vm *vm, uint64_t seq)
{
    uint8_t *bytes, key[8];
    size_t len_bytes;
    int rc = record_vm_encode(vm, seq, &bytes, &len_bytes);
    if (rc)
        return rc;
    wire_put_u64(key, number);
    store_put(batch, STORE_VMS, key, sizeof key, bytes, len_bytes);
    free(bytes);
    return 0;
}

static int history_put(struct store_batch *batch, const struct history *history)
{
    uint8_t *bytes, key[8];
    size_t len_bytes;
    int rc = record_history_encode(history, &bytes, &len_bytes);
    if (rc)
        return rc;
    wire_put_u64(key, history->seq);
    store_put(batch, STORE_CHANGES, key, sizeof key, bytes, len_bytes);
    free(bytes);
    return 0;
}

static int deed_put(struct core *core, struct store_batch *batch, const struct history *history)
{
    char what[VM_NAME_LEN], uuid[VIRT_UUID_BYTES];
    const char *event = vm_event_name(history->event);
    struct audit_deed deed = {.actor = history->actor,
                              .what = what,
                              .object = uuid,
                              .from = vm_state_name(history->from),
                              .to = vm_state_name(history->to),
                              .story = history->story};
    snprintf(what, sizeof what, "vm.%s", event ? event : "create");
    core_uuid_text(history->vm, uuid);
    return audit_append(&core->audit, batch, history->at_ms, &deed);
}

/* The last console lines go with the end of a VM: its domain, and libvirt's side of it, will be gone. */
static void console_put(struct vm_slot *slot, struct store_batch *batch, const struct vm *vm)
{
    char uuid[VIRT_UUID_BYTES], tail[RECORD_CONSOLE_MAX];
    bool ends =
        vm->head.state == VM_DESTROYED && (slot->vm.head.state != VM_DESTROYED || slot->vm.gone != vm->gone);
    if (!ends)
        return;
    core_uuid_text(vm->uuid, uuid);
    size_t len_bytes = slot->core->virt_ops->console_tail(slot->core->virt, uuid, tail, sizeof tail);
    if (len_bytes)
        store_put(batch, STORE_CONSOLES, vm->uuid, sizeof vm->uuid, tail, len_bytes);
}

static void assignment_put(struct core *core, struct store_batch *batch)
{
    uint8_t value[8];
    if (core->assignment == core->assignment_kept)
        return;
    wire_put_u64(value, core->assignment);
    store_put(batch, STORE_META, CORE_ASSIGNMENT_KEY, strlen(CORE_ASSIGNMENT_KEY), value, sizeof value);
    core->assignment_kept = core->assignment;
}

static int decision_put(struct vm_slot *slot, struct machine_step *step, struct store_batch *batch)
{
    struct machine_decision *decision = step->decision;
    decision->history.seq = ++slot->core->seq;
    decision->history.previous = slot->seq;
    if (step->kind == STEP_BEGIN)
        slot->number = decision->history.seq;
    int rc = record_put(batch, slot->number, &decision->vm, decision->history.seq);
    if (!rc)
        rc = history_put(batch, &decision->history);
    if (!rc)
        rc = deed_put(slot->core, batch, &decision->history);
    if (!rc && step->kind == STEP_BEGIN)
        rc = drive_hold_put(slot->core, batch, &decision->vm);
    console_put(slot, batch, &decision->vm);
    assignment_put(slot->core, batch);
    return rc;
}

static int forget_put(struct vm_slot *slot, struct machine_step *step, struct store_batch *batch)
{
    char uuid[VIRT_UUID_BYTES];
    uint8_t key[8];
    wire_put_u64(key, slot->number);
    core_uuid_text(slot->vm.uuid, uuid);
    struct audit_deed deed = {.actor = step->actor,
                              .what = "vm.forget",
                              .object = uuid,
                              .from = vm_state_name(slot->vm.head.state),
                              .story = "its retention is over and all of it is gone"};
    store_delete(batch, STORE_VMS, key, sizeof key);
    store_delete(batch, STORE_CONSOLES, slot->vm.uuid, sizeof slot->vm.uuid);
    return audit_append(&slot->core->audit, batch, loop_wall_ms(), &deed);
}

/* ---- perform ---- */

static void change_log(const struct history *history)
{
    const char *from = vm_state_name(history->from), *event = vm_event_name(history->event);
    char uuid[VIRT_UUID_BYTES], detail[LOG_QUOTED_MAX];
    core_uuid_text(history->vm, uuid);
    log_info("vm", history->story, "vm=%s name=%s event=%s from=%s to=%s actor=%s seq=%llu code=%s detail=%s",
             uuid, history->name, event ? event : "create", from ? from : "-", vm_state_name(history->to),
             history->actor, (unsigned long long)history->seq,
             history->code ? code_info((enum kiln_code)history->code)->name : "-",
             log_quote(history->detail, detail));
}

static void watchers_tell(struct core *core, const struct vm_slot *slot, const struct history *history)
{
    struct change change = {.history = history, .vm = &slot->vm};
    core->told_seq = history->seq;
    for (const struct core_watcher *watcher = core->watchers; watcher; watcher = watcher->next)
        watcher->changed(watcher->arg, &change);
}

static void durable(void *arg)
{
    struct machine_step *step = arg;
    struct vm_slot *slot = step->slot;
    struct machine_decision *decision = step->decision;
    if (network_has_address(&slot->vm) && !network_has_address(&decision->vm))
        network_release(&slot->core->network, slot->vm.ipv4);
    slot->vm = decision->vm;
    slot->seq = decision->history.seq;
    slot->fresh = false;
    slot->step = NULL;
    change_log(&decision->history);
    watchers_tell(slot->core, slot, &decision->history);
    deadline_arm(slot);
    perform_effects(slot, &decision->fx);
    machine_step_finish(step, 0, &slot->vm);
    if (slot->first)
        machine_ready(slot);
}

static void forgotten(void *arg)
{
    struct machine_step *step = arg;
    struct vm_slot *slot = step->slot;
    char uuid[VIRT_UUID_BYTES];
    core_uuid_text(slot->vm.uuid, uuid);
    log_info("vm", "is forgotten: its retention is over", "vm=%s name=%s", uuid, slot->vm.name);
    slot->step = NULL;
    machine_step_finish(step, 0, &slot->vm);
    machine_slot_destroy(slot);
}

int machine_decide(struct vm_slot *slot, struct machine_step *step)
{
    struct core *core = slot->core;
    const struct audit audit = core->audit;
    const uint64_t seq = core->seq, assignment_kept = core->assignment_kept;
    struct store_batch *batch;
    bool forgets = step->kind == STEP_FORGET;
    int rc = forgets ? 0 : decision_make(slot, step);
    if (!rc)
        rc = store_batch_create(core->store, &batch);
    if (rc)
        goto undone;
    rc = forgets ? forget_put(slot, step, batch) : decision_put(slot, step, batch);
    if (rc)
        store_batch_destroy(batch);
    else
        rc = store_commit(batch, forgets ? forgotten : durable, step);
    if (!rc)
        return 0;
    /* Numbers and chain go on from what is on its way to the disk, which this is not. */
    core->audit = audit;
    core->seq = seq;
    core->assignment_kept = assignment_kept;
undone:
    free(step->decision);
    step->decision = NULL;
    return rc;
}
