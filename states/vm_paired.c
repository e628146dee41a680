/*
 * vm_paired.c - owner and VM know each other: the chosen drives are being attached.
 */
#include "states/vm_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, VM_FX_ENSURE_CONSOLE, 0);
    fsm_fx_push(fx, VM_FX_ENSURE_DRIVES_ATTACHED, 0);
}

static bool all_attached(const void *record, const void *event)
{
    const struct vm *vm = record;
    (void)event;
    for (int i = 0; i < vm->drives; i++)
        if (!vm->drive[i].attached)
            return false;
    return true;
}

static const struct fsm_row rows[] = {
    {VM_ON_DRIVES_ATTACHED, all_attached, NULL, VM_DRIVES_ATTACHED, "all its drives are attached"},
    {VM_ON_PAIRED, vm_when_owner, vm_act_pair, FSM_AGAIN,
     "an owner is authenticated again: drives that failed are tried again"},
    {VM_ON_CHANNEL_CLOSED, vm_when_none_left, vm_act_channels, VM_REGISTERED,
     "the owner's channel ended before all drives were attached; those that are stay so"},
    {VM_ON_GUEST_FAILED, NULL, vm_act_trouble, VM_DESTROYED, "destroyed: the guest cannot integrate"},
    {VM_ON_TIMEOUT, NULL, vm_act_deadline, VM_DESTROYED, "destroyed: its drives were not attached in time"},
};

const struct fsm_state vm_state_paired = {
    .name = "paired",
    .story = "the chosen drives are being attached",
    .timeout_ms = 600 * 1000,
    .enter = enter,
    FSM_ROWS(rows),
};
