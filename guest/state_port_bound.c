/*
 * state_port_bound.c - port 22 is ours: the VM registers with the host.
 */
#include "guest/machine_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, GUEST_FX_REGISTER, 0);
}

static const struct fsm_row rows[] = {
    {GUEST_ON_REGISTERED, guest_when_same_owner, guest_act_registered, GUEST_REGISTERED,
     "the host knows this VM's key"},
    {GUEST_ON_REGISTRATION_REFUSED, NULL, guest_act_fail, GUEST_ENDING,
     "the host refuses to register this VM"},
    {GUEST_ON_HOST_UNREACHABLE, guest_when_last_try, guest_act_fail, GUEST_ENDING,
     "the host could not be reached to register"},
};

const struct fsm_state guest_state_port_bound = {
    .name = "port-bound",
    .story = "the host's reply to the registration is awaited",
    .enter = enter,
    FSM_ROWS(rows),
};
