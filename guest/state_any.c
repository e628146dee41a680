/*
 * state_any.c - rows of the controller that hold in every state but `ending`, after the state's own.
 */
#include <string.h>

#include "guest/machine_common.h"

static bool link_is_up(const void *record, const void *event)
{
    (void)event;
    return ((const struct guest *)record)->link_up;
}

/* An owner is named over the link only: before there is one, the registration's reply has yet to say whose
 * the VM is. */
static bool nobody_yet(const void *record, const void *event)
{
    return link_is_up(record, event) && !((const struct guest *)record)->owned;
}

static bool same_owner(const void *record, const void *event)
{
    const struct guest *guest = record;
    const struct guest_owner *owner = &((const struct guest_event *)event)->owner;
    return link_is_up(record, event) && guest->owned &&
           memcmp(guest->owner, owner->fingerprint, sizeof guest->owner) == 0;
}

/* Whether the link was up once: until then no link or channel of this controller's can be true. */
static bool was_linked(const void *record, const void *event)
{
    (void)event;
    return ((const struct guest *)record)->head.state >= GUEST_WAITING;
}

/* What only a link that is not open can have led to. */
static bool link_is_lost(const void *record, const void *event)
{
    return was_linked(record, event) && !link_is_up(record, event);
}

static bool registers_again(const void *record, const void *event)
{
    return link_is_lost(record, event) && guest_when_same_owner(record, event);
}

static bool owner_can_come(const void *record, const void *event)
{
    return was_linked(record, event) && guest_when_authenticated(record, event);
}

static void keep_owner(void *record, const void *event, struct fsm_fx *fx)
{
    struct guest *guest = record;
    (void)fx;
    guest->owned = true;
    memcpy(guest->owner, ((const struct guest_event *)event)->owner.fingerprint, sizeof guest->owner);
}

static void open_link_again(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    ((struct guest *)record)->link_up = false;
    fsm_fx_push(fx, GUEST_FX_OPEN_LINK, 0);
}

/* The very same request: a host whose store is back from a copy made before it knows no other. */
static void register_again(void *record, const void *event, struct fsm_fx *fx)
{
    (void)record;
    (void)event;
    fsm_fx_push(fx, GUEST_FX_REGISTER, 0);
}

static void registered_again(void *record, const void *event, struct fsm_fx *fx)
{
    guest_act_registered(record, event, fx);
    open_link_again(record, event, fx);
}

static void link_up(void *record, const void *event, struct fsm_fx *fx)
{
    guest_act_link_up(record, event, fx);
    fsm_fx_push(fx, GUEST_FX_TELL_HOST, 0);
}

static void shut_down(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    (void)fx;
    ((struct guest *)record)->exit = GUEST_EXIT_SHUTDOWN;
}

static void update(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    (void)fx;
    ((struct guest *)record)->exit = GUEST_EXIT_UPDATE;
}

static const struct fsm_row rows[] = {
    {GUEST_ON_FATAL, NULL, guest_act_fail, GUEST_ENDING, "integration is not possible"},
    {GUEST_ON_SHUTDOWN_ASKED, NULL, shut_down, GUEST_ENDING, "the host ends this VM"},
    {GUEST_ON_UPDATE_AVAILABLE, NULL, update, GUEST_ENDING, "makes room for a newer controller"},

    {GUEST_ON_LINK_UP, was_linked, link_up, FSM_STAY, "the link is up again"},
    {GUEST_ON_LINK_DOWN, link_is_up, open_link_again, FSM_STAY, "the link is lost and opened again"},
    {GUEST_ON_HOST_UNREACHABLE, NULL, guest_act_count_try, FSM_STAY,
     "the host cannot be reached; it is tried again"},
    {GUEST_ON_REGISTRATION_UNKNOWN, link_is_lost, register_again, FSM_STAY,
     "the host does not know this VM any more: it registers again, by the same request"},
    {GUEST_ON_REGISTERED, registers_again, registered_again, FSM_STAY, "the host knows this VM's key again"},
    /* Whoever says no may be the edge alone: what is in use is not given up for it. */
    {GUEST_ON_REGISTRATION_REFUSED, link_is_lost, open_link_again, FSM_STAY,
     "the host refuses to register this VM again; it stays as it is, and the link is tried again"},

    {GUEST_ON_ASSIGNED, nobody_yet, keep_owner, FSM_STAY, "the VM is given to an owner"},
    {GUEST_ON_ASSIGNED, same_owner, NULL, FSM_STAY, "the same owner once more"},
    {GUEST_ON_OWNER_AUTHENTICATED, owner_can_come, guest_act_channels, FSM_STAY,
     "the owner is authenticated again"},
    {GUEST_ON_CHANNEL_CLOSED, guest_when_owner, guest_act_channels, FSM_STAY, "an owner's channel ended"},
};

const struct fsm_state guest_state_any = {
    .name = "any state but ending",
    .story = "what holds in every state",
    FSM_ROWS(rows),
};
