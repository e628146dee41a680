/*
 * machine.c - the tables that make the controller's machine, and the few questions asked of its record.
 *
 * In: the files of the states.   Out: guest_machine.   Kept: nothing.
 */
#include "guest/machine.h"

#include <string.h>

#include "guest/machine_common.h"

#define X(upper, lower) extern const struct fsm_state guest_state_##lower;
GUEST_STATES(X)
#undef X

static const struct fsm_state *const states[GUEST_STATE_COUNT] = {
#define X(upper, lower) &guest_state_##lower,
    GUEST_STATES(X)
#undef X
};

static const char *const event_names[GUEST_EVENT_COUNT] = {
#define X(upper, text) text,
    GUEST_EVENTS(X)
#undef X
};

static const char *const effect_names[GUEST_EFFECT_COUNT] = {
#define X(upper, text) text,
    GUEST_EFFECTS(X)
#undef X
};

static const char *const drive_status_names[GUEST_DRIVE_STATUS_COUNT] = {
#define X(upper, text) text,
    GUEST_DRIVE_STATUSES(X)
#undef X
};

const struct fsm_machine guest_machine = {
    .name = "guest",
    .states = states,
    .nstates = GUEST_STATE_COUNT,
    .any = &guest_state_any,
    .on_timeout = FSM_NO_TIMEOUT,
    .event_names = event_names,
    .nevents = GUEST_EVENT_COUNT,
    .effect_names = effect_names,
    .neffects = GUEST_EFFECT_COUNT,
};

void guest_begin(struct guest *guest, int64_t at_ms, struct fsm_fx *fx)
{
    memset(guest, 0, sizeof *guest);
    fsm_begin(&guest_machine, guest, GUEST_STARTING, at_ms, fx);
}

const struct fsm_row *guest_step(struct guest *guest, const struct guest_event *event, struct fsm_fx *fx)
{
    return fsm_step(&guest_machine, guest, event, fx);
}

int guest_drive_find(const struct guest *guest, const uint8_t id[GUEST_ID_LEN])
{
    for (int i = 0; i < guest->drives.count; i++)
        if (memcmp(guest->drives.drive[i].id, id, GUEST_ID_LEN) == 0)
            return i;
    return -1;
}

static const char *name_of(const char *const *names, int count, int number)
{
    return number >= 0 && number < count ? names[number] : NULL;
}

const char *guest_state_name(int state)
{
    return state >= 0 && state < GUEST_STATE_COUNT ? states[state]->name : NULL;
}

const char *guest_event_name(int kind)
{
    return name_of(event_names, GUEST_EVENT_COUNT, kind);
}

const char *guest_effect_name(int effect)
{
    return name_of(effect_names, GUEST_EFFECT_COUNT, effect);
}

const char *guest_drive_status_name(int status)
{
    return name_of(drive_status_names, GUEST_DRIVE_STATUS_COUNT, status);
}
