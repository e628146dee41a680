/*
 * state_registered.c - the host knows the key: the link to it is opened.
 */
#include "guest/machine_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, GUEST_FX_OPEN_LINK, 0);
}

static const struct fsm_row rows[] = {
    {GUEST_ON_LINK_UP, NULL, guest_act_link_up, GUEST_WAITING, "the link to the host is up"},
    {GUEST_ON_HOST_UNREACHABLE, guest_when_last_try, guest_act_fail, GUEST_ENDING,
     "the link to the host could not be opened"},
    {GUEST_ON_REGISTRATION_UNKNOWN, NULL, NULL, GUEST_PORT_BOUND,
     "the host does not know this VM's key any more: it registers again"},
};

const struct fsm_state guest_state_registered = {
    .name = "registered",
    .story = "the link to the host is being opened",
    .enter = enter,
    FSM_ROWS(rows),
};
