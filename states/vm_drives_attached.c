/*
 * vm_drives_attached.c - the drives are in the domain: the guest unlocks them with the owner's keys, mounts
 * them and makes the users. A drive that fails is reported and can be tried again; an owner who goes can come
 * back.
 */
#include "states/vm_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, VM_FX_ENSURE_CONSOLE, 0);
    fsm_fx_push(fx, VM_FX_ENSURE_GUEST_TOLD, 0);
}

static bool all_mounted(const void *record, const void *event)
{
    const struct vm *vm = record;
    (void)event;
    for (int i = 0; i < vm->drives; i++)
        if (vm->drive[i].status != VM_DRIVE_MOUNTED)
            return false;
    return true;
}

static const struct fsm_row rows[] = {
    {VM_ON_GUEST_READY, all_mounted, vm_act_overcome, VM_READY, "its drives are mounted and its users made"},
    {VM_ON_TIMEOUT, NULL, vm_act_deadline, VM_DESTROYED, "destroyed: its drives were not mounted in time"},
};

const struct fsm_state vm_state_drives_attached = {
    .name = "drives-attached",
    .story = "the owner's keys, the mounts and the users are awaited",
    .timeout_ms = 3600 * 1000,
    .enter = enter,
    FSM_ROWS(rows),
};
