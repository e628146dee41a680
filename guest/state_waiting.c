/*
 * state_waiting.c - a channel waits for the owner. A restarted controller is told drives here that an owner
 * brought before, and goes on without one.
 */
#include "guest/machine_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, GUEST_FX_OPEN_CHANNEL, 0);
    fsm_fx_push(fx, GUEST_FX_TELL_HOST, 0);
}

static const struct fsm_row rows[] = {
    {GUEST_ON_OWNER_AUTHENTICATED, guest_when_authenticated, guest_act_channels, GUEST_PAIRED,
     "owner and VM authenticated each other"},
    {GUEST_ON_DRIVES_TOLD, NULL, guest_act_drives, GUEST_UNLOCKING,
     "the host tells of drives: an owner was here before this controller"},
};

const struct fsm_state guest_state_waiting = {
    .name = "waiting",
    .story = "the owner is awaited",
    .enter = enter,
    FSM_ROWS(rows),
};
