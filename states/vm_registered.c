/*
 * vm_registered.c - the VM's key is known: the owner is awaited. A VM that is nobody's yet waits here without
 * a deadline (vm_machine.c) until it is given to one.
 */
#include "states/vm_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    const struct vm *vm = record;
    fsm_fx_push(fx, VM_FX_ENSURE_CONSOLE, 0);
    if (vm->assigned)
        fsm_fx_push(fx, VM_FX_ENSURE_ASSIGNED, 0);
}

static const struct fsm_row rows[] = {
    {VM_ON_PAIRED, vm_when_owner, vm_act_pair, VM_PAIRED, "owner and VM authenticated each other"},
    {VM_ON_ASSIGN, vm_when_unassigned, vm_act_assign, VM_REGISTERED, "the waiting VM is given to an owner"},
    {VM_ON_DRIVES_ATTACHED, NULL, NULL, FSM_STAY, "its drives are attached already; the owner is awaited"},
    {VM_ON_GUEST_FAILED, NULL, vm_act_trouble, VM_DESTROYED, "destroyed: the guest cannot integrate"},
    {VM_ON_TIMEOUT, NULL, vm_act_deadline, VM_DESTROYED, "destroyed: its owner did not come in time"},
};

const struct fsm_state vm_state_registered = {
    .name = "registered",
    .story = "the owner is awaited",
    .timeout_ms = 3600 * 1000,
    .enter = enter,
    FSM_ROWS(rows),
};
