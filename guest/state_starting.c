/*
 * state_starting.c - the controller has begun: it takes the key that the stub kept for it, or makes one.
 */
#include "guest/machine_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, GUEST_FX_MAKE_KEY, 0);
}

static const struct fsm_row rows[] = {
    {GUEST_ON_KEY_MADE, NULL, NULL, GUEST_KEYED, "the VM's key pair is there"},
};

const struct fsm_state guest_state_starting = {
    .name = "starting",
    .story = "the VM's key pair is awaited",
    .enter = enter,
    FSM_ROWS(rows),
};
