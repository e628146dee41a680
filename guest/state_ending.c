/*
 * state_ending.c - the controller ends; `exit` in the record says why, and so what the stub does next. Drives
 * stay mounted and users' processes alive: a controller that comes after this one finds them.
 */
#include "guest/machine_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    const struct guest *guest = record;
    fsm_fx_push(fx, GUEST_FX_CLOSE_CHANNELS, 0);
    if (guest->exit == GUEST_EXIT_FAILED)
        fsm_fx_push(fx, GUEST_FX_REPORT_FAILURE, 0);
    fsm_fx_push(fx, GUEST_FX_EXIT, 0);
}

const struct fsm_state guest_state_ending = {
    .name = "ending",
    .story = "the controller ends",
    .final = true,
    .enter = enter,
};
