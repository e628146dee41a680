/*
 * machine_common.h - guards and acts that rows of several states of the controller share.
 *
 * Guards see a struct guest and a struct guest_event and change nothing; acts alone change the record.
 */
#ifndef KILN_GUEST_MACHINE_COMMON_H
#define KILN_GUEST_MACHINE_COMMON_H

#include "guest/machine.h"

/* Whether every drive that the host told of is mounted; so it is when there are none. */
bool guest_all_mounted(const struct guest *guest);

/* Whether an owner is authenticated now: what only an owner may ask is refused without. */
bool guest_when_owner(const void *record, const void *event);

/* Whether the VM has an owner and one authenticated with this event. */
bool guest_when_authenticated(const void *record, const void *event);

/* Whether this event's channel was the last. */
bool guest_when_none_left(const void *record, const void *event);

/* Whether an owner is authenticated and the event's drive is one of ours; and without an owner. */
bool guest_when_owner_and_drive(const void *record, const void *event);
bool guest_when_drive(const void *record, const void *event);

/* Whether this failure to reach the host is one too many. */
bool guest_when_last_try(const void *record, const void *event);

/* Keeps the event's trouble; integration is abandoned for it; it is shown to the host; it was one try of
 * several. */
void guest_act_trouble(void *record, const void *event, struct fsm_fx *fx);
void guest_act_fail(void *record, const void *event, struct fsm_fx *fx);
void guest_act_tell_trouble(void *record, const void *event, struct fsm_fx *fx);
void guest_act_count_try(void *record, const void *event, struct fsm_fx *fx);

/* Whether the registration's reply names the owner that the VM has, where it has one. */
bool guest_when_same_owner(const void *record, const void *event);

/* The registration's reply is taken. */
void guest_act_registered(void *record, const void *event, struct fsm_fx *fx);

/* The link is open. */
void guest_act_link_up(void *record, const void *event, struct fsm_fx *fx);

/* Takes the event's count of authenticated channels and tells the host. */
void guest_act_channels(void *record, const void *event, struct fsm_fx *fx);

/* Takes the host's list of drives; what is known of a drive that was on the list before is kept. */
void guest_act_drives(void *record, const void *event, struct fsm_fx *fx);

/* A drive is asked to be unlocked, is mounted, or failed; the users follow the last mount. */
void guest_act_unlock(void *record, const void *event, struct fsm_fx *fx);
void guest_act_mounted(void *record, const void *event, struct fsm_fx *fx);
void guest_act_drive_failed(void *record, const void *event, struct fsm_fx *fx);

/* The database is to be applied; it is, and what went wrong before is overcome. */
void guest_act_apply_users(void *record, const void *event, struct fsm_fx *fx);
void guest_act_users_applied(void *record, const void *event, struct fsm_fx *fx);

/* Not a state: the rows valid in every state but `ending`; state_any.c. */
extern const struct fsm_state guest_state_any;

#endif
