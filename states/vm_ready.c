/*
 * vm_ready.c - the VM is usable, and stays so until its owner or an administrator ends it.
 */
#include "states/vm_common.h"

/* The list of drives goes to a controller that was restarted, so that it finds its way back to ready. */
static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, VM_FX_ENSURE_CONSOLE, 0);
    fsm_fx_push(fx, VM_FX_ENSURE_GUEST_TOLD, 0);
}

static bool offers_applications(const void *record, const void *event)
{
    return ((const struct vm *)record)->offers_applications && ((const struct vm_event *)event)->count > 0;
}

static const struct fsm_row rows[] = {
    {VM_ON_BRIDGE_OPENED, offers_applications, vm_act_bridges, VM_SSH_PROXIED, "an SSH bridge is open"},
    {VM_ON_GUEST_READY, NULL, vm_act_overcome, FSM_STAY, "the guest says that all is as it shall be"},
};

const struct fsm_state vm_state_ready = {
    .name = "ready",
    .story = "usable",
    .enter = enter,
    FSM_ROWS(rows),
};
