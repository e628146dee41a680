/*
 * vm_ssh_proxied.c - usable, and at least one SSH bridge is open.
 */
#include "states/vm_common.h"

/* As in `ready`: a controller that was restarted is told its drives. */
static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, VM_FX_ENSURE_CONSOLE, 0);
    fsm_fx_push(fx, VM_FX_ENSURE_GUEST_TOLD, 0);
}

static bool some_open(const void *record, const void *event)
{
    return !vm_when_none_left(record, event);
}

static const struct fsm_row rows[] = {
    {VM_ON_BRIDGE_OPENED, some_open, vm_act_bridges, FSM_STAY, "another SSH bridge is open"},
    {VM_ON_BRIDGE_CLOSED, vm_when_none_left, vm_act_bridges, VM_READY, "the last SSH bridge is closed"},
    {VM_ON_BRIDGE_CLOSED, NULL, vm_act_bridges, FSM_STAY, "an SSH bridge is closed, others are open"},
    {VM_ON_GUEST_READY, NULL, vm_act_overcome, FSM_STAY, "the guest says that all is as it shall be"},
};

const struct fsm_state vm_state_ssh_proxied = {
    .name = "ssh-proxied",
    .story = "usable, with SSH bridges open",
    .enter = enter,
    FSM_ROWS(rows),
};
