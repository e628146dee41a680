/*
 * state_paired.c - the owner is authenticated: the host attaches the drives and tells of them.
 */
#include "guest/machine_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, GUEST_FX_TELL_HOST, 0);
}

static const struct fsm_row rows[] = {
    {GUEST_ON_DRIVES_TOLD, NULL, guest_act_drives, GUEST_UNLOCKING, "the drives are attached"},
    {GUEST_ON_CHANNEL_CLOSED, guest_when_none_left, guest_act_channels, GUEST_WAITING,
     "the owner's channel ended before there were drives"},
};

const struct fsm_state guest_state_paired = {
    .name = "paired",
    .story = "the drives are awaited",
    .enter = enter,
    FSM_ROWS(rows),
};
