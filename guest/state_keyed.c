/*
 * state_keyed.c - the key is there: port 22 is taken, or integration abandoned, since no other port gets
 * through.
 */
#include "guest/machine_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, GUEST_FX_BIND_PORT, 0);
}

static const struct fsm_row rows[] = {
    {GUEST_ON_PORT_BOUND, NULL, NULL, GUEST_PORT_BOUND, "port 22 is ours"},
    {GUEST_ON_PORT_TAKEN, NULL, guest_act_fail, GUEST_ENDING, "another program has port 22"},
};

const struct fsm_state guest_state_keyed = {
    .name = "keyed",
    .story = "port 22 is being bound",
    .enter = enter,
    FSM_ROWS(rows),
};
