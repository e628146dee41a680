/*
 * vm_machine.c - the tables that make the VM's machine, and the few questions asked of a record.
 *
 * In: the files of the states.   Out: vm_machine.   Kept: nothing.
 */
#include <string.h>

#include "states/vm_common.h"

#define X(upper, lower) extern const struct fsm_state vm_state_##lower;
VM_STATES(X)
#undef X

static const struct fsm_state *const states[VM_STATE_COUNT] = {
#define X(upper, lower) &vm_state_##lower,
    VM_STATES(X)
#undef X
};

static const char *const event_names[VM_EVENT_COUNT] = {
#define X(upper, text) text,
    VM_EVENTS(X)
#undef X
};

static const char *const effect_names[VM_EFFECT_COUNT] = {
#define X(upper, text) text,
    VM_EFFECTS(X)
#undef X
};

static const char *const drive_status_names[VM_DRIVE_STATUS_COUNT] = {
#define X(upper, text) text,
    VM_DRIVE_STATUSES(X)
#undef X
};

/* Nobody is late to a VM that was not promised to anyone: it waits to be assigned without a deadline. */
static int64_t timeout_ms(const void *record, int state)
{
    const struct vm *vm = record;
    if (state == VM_REGISTERED && !vm->assigned)
        return 0;
    return states[state]->timeout_ms ? vm->timeout_ms[state] : 0;
}

const struct fsm_machine vm_machine = {
    .name = "vm",
    .states = states,
    .nstates = VM_STATE_COUNT,
    .any = &vm_state_any,
    .on_timeout = VM_ON_TIMEOUT,
    .timeout_ms = timeout_ms,
    .event_names = event_names,
    .nevents = VM_EVENT_COUNT,
    .effect_names = effect_names,
    .neffects = VM_EFFECT_COUNT,
};

void vm_timeouts_init(struct vm *vm)
{
    for (int i = 0; i < VM_STATE_COUNT; i++)
        vm->timeout_ms[i] = states[i]->timeout_ms;
}

void vm_begin(struct vm *vm, int64_t at_ms, struct fsm_fx *fx)
{
    for (int i = 0; i < vm->drives; i++)
        vm->drive[i].status = VM_DRIVE_WANTED;
    fsm_begin(&vm_machine, vm, VM_REQUESTED, at_ms, fx);
}

const struct fsm_row *vm_step(struct vm *vm, const struct vm_event *event, struct fsm_fx *fx)
{
    return fsm_step(&vm_machine, vm, event, fx);
}

int vm_drive_find(const struct vm *vm, const uint8_t id[VM_UUID_LEN])
{
    for (int i = 0; i < vm->drives; i++)
        if (memcmp(vm->drive[i].id, id, VM_UUID_LEN) == 0)
            return i;
    return -1;
}

bool vm_link_allowed(const struct vm *vm)
{
    return vm->registered && vm->head.state != VM_DESTROYED;
}

bool vm_bridge_allowed(const struct vm *vm)
{
    return vm->offers_applications && (vm->head.state == VM_READY || vm->head.state == VM_SSH_PROXIED);
}

static const char *name_of(const char *const *names, int count, int number)
{
    return number >= 0 && number < count ? names[number] : NULL;
}

const char *vm_state_name(int state)
{
    return state >= 0 && state < VM_STATE_COUNT ? states[state]->name : NULL;
}

const char *vm_event_name(int kind)
{
    return name_of(event_names, VM_EVENT_COUNT, kind);
}

const char *vm_effect_name(int effect)
{
    return name_of(effect_names, VM_EFFECT_COUNT, effect);
}

const char *vm_drive_status_name(int status)
{
    return name_of(drive_status_names, VM_DRIVE_STATUS_COUNT, status);
}

int vm_state_find(const char *name)
{
    for (int i = 0; i < VM_STATE_COUNT; i++)
        if (strcmp(states[i]->name, name) == 0)
            return i;
    return -1;
}
