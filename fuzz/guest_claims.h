/*
 * guest_claims.h - what must hold of every step of the controller's machine, whatever the events. Used by the
 * fuzz target and by the property test: bytes become events, and after each step the claims are checked.
 */
#ifndef KILN_FUZZ_GUEST_CLAIMS_H
#define KILN_FUZZ_GUEST_CLAIMS_H

#include <string.h>

#include "guest/machine.h"

/* One event takes this many bytes: its kind, and what its body is made of. */
enum { GUEST_CLAIMS_BYTES = 2 };

/* More than any row of the machine with its state's `enter` wants. */
enum { GUEST_CLAIMS_FX_MAX = 8 };

/* The event that two bytes stand for. */
static inline struct guest_event guest_claims_event(const uint8_t bytes[GUEST_CLAIMS_BYTES])
{
    struct guest_event event;
    memset(&event, 0, sizeof event);
    event.head.on = bytes[0] % GUEST_EVENT_COUNT;
    event.head.at_ms = 1;
    switch (event.head.on) {
    case GUEST_ON_REGISTERED:
    case GUEST_ON_ASSIGNED:
        event.owner.known = bytes[1] & 1;
        event.owner.fingerprint[0] = bytes[1] >> 1 & 3;
        break;
    case GUEST_ON_DRIVES_TOLD:
        event.drives.count = bytes[1] % 3;
        for (int i = 0; i < event.drives.count; i++)
            event.drives.drive[i].id[0] = (uint8_t)i;
        break;
    case GUEST_ON_OWNER_AUTHENTICATED:
    case GUEST_ON_CHANNEL_CLOSED:
        event.count = bytes[1] % 3;
        break;
    default:
        event.drive.id[0] = bytes[1] % 3;
    }
    return event;
}

static inline bool guest_claims_wants(const struct fsm_fx *fx, int what)
{
    for (int which = 0; which < GUEST_DRIVES_MAX; which++)
        if (fsm_fx_has(fx, what, which))
            return true;
    return false;
}

/* What only an authenticated owner sets off. */
static inline const char *guest_claims_owner(const struct guest *was, const struct guest *guest,
                                             const struct fsm_fx *fx)
{
    bool lets_in = fsm_fx_has(fx, GUEST_FX_OPEN_TERMINAL, 0) || fsm_fx_has(fx, GUEST_FX_AUTHORIZE_SSH, 0);
    if (was->owned && (!guest->owned || memcmp(was->owner, guest->owner, sizeof was->owner) != 0))
        return "an owner is for good";
    if ((lets_in || guest_claims_wants(fx, GUEST_FX_UNLOCK)) && !(was->owned && was->channels > 0))
        return "nothing is unlocked or opened without an authenticated owner";
    if (lets_in && guest->head.state != GUEST_READY)
        return "nobody is let in before ready";
    return NULL;
}

static inline const char *guest_claims_states(const struct guest *was, const struct guest *guest,
                                              const struct fsm_fx *fx)
{
    int from = was->head.state, to = guest->head.state;
    if (to == GUEST_READY && from != GUEST_READY)
        for (int i = 0; i < guest->drives.count; i++)
            if (guest->drives.drive[i].status != GUEST_DRIVE_MOUNTED)
                return "the VM becomes ready with all drives mounted";
    if (from == GUEST_READY && to != GUEST_READY && !fsm_fx_has(fx, GUEST_FX_CLOSE_GATE, 0))
        return "the gate closes when ready ends";
    if ((from == GUEST_READY || from == GUEST_UNLOCKING) && to != from &&
        !fsm_fx_has(fx, GUEST_FX_WIPE_KEYS, 0))
        return "keys are wiped when unlocking or ready ends";
    if (to == GUEST_ENDING && guest->exit == GUEST_EXIT_NONE)
        return "an end has its reason";
    return NULL;
}

/* Steps the record; NULL, or the claim that does not hold. */
static inline const char *guest_claims_step(struct guest *guest, const struct guest_event *event)
{
    struct guest was;
    struct fsm_fx fx;
    memcpy(&was, guest, sizeof was);
    fsm_fx_init(&fx);
    if (!guest_step(guest, event, &fx)) {
        if (fx.count)
            return "a refused event has no effects";
        return memcmp(&was, guest, sizeof was) == 0 ? NULL : "a refused event changes nothing";
    }
    if (fx.overflow || fx.count > GUEST_CLAIMS_FX_MAX)
        return "effects are bounded";
    if (was.head.state == GUEST_ENDING)
        return "the end is the end";
    const char *broken = guest_claims_owner(&was, guest, &fx);
    return broken ? broken : guest_claims_states(&was, guest, &fx);
}

#endif
