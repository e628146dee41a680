/*
 * vm_common.h - guards and acts that rows of several states of the VM share.
 *
 * Guards see a struct vm and a struct vm_event and change nothing; acts alone change the record.
 */
#ifndef KILN_STATES_VM_COMMON_H
#define KILN_STATES_VM_COMMON_H

#include "states/vm.h"

/* Whether a domain was ever asked for, so that news of one can be true. */
bool vm_when_started(const void *record, const void *event);

/* Whether the guest has registered, so that word from it is its own. */
bool vm_when_registered(const void *record, const void *event);

/* Whether the VM is nobody's yet. */
bool vm_when_unassigned(const void *record, const void *event);

/* Whether the VM has registered and has an owner, and the event says that one is authenticated. */
bool vm_when_owner(const void *record, const void *event);

/* Whether no channel, or no bridge, is left by this event. */
bool vm_when_none_left(const void *record, const void *event);

/* Keeps the event's code and detail as what last went wrong. */
void vm_act_trouble(void *record, const void *event, struct fsm_fx *fx);

/* Forgets what last went wrong: it was overcome. */
void vm_act_overcome(void *record, const void *event, struct fsm_fx *fx);

/* The deadline passed: keeps what went wrong before it or else what the state waited for. */
void vm_act_deadline(void *record, const void *event, struct fsm_fx *fx);

/* Takes the event's count as the number of authenticated channels, or of bridges. */
void vm_act_channels(void *record, const void *event, struct fsm_fx *fx);
void vm_act_bridges(void *record, const void *event, struct fsm_fx *fx);

/* An owner is authenticated: takes the count of channels, and wants again the drives that could not be
 * attached. */
void vm_act_pair(void *record, const void *event, struct fsm_fx *fx);

/* The domain is positively gone, for the cause that the event names. */
void vm_act_domain_gone(void *record, const void *event, struct fsm_fx *fx);

/* The VM is given to the event's owner. */
void vm_act_assign(void *record, const void *event, struct fsm_fx *fx);

/* What the host said of the domain holds (no more) since the event. */
void vm_act_libvirt_lost(void *record, const void *event, struct fsm_fx *fx);
void vm_act_libvirt_back(void *record, const void *event, struct fsm_fx *fx);

/* kilnd started. A domain of a later boot than the record knows of says that the record is an earlier one's,
 * from a copy of the store: its number is taken over, so that its guest can register. */
void vm_act_recovered(void *record, const void *event, struct fsm_fx *fx);

/* The guest's link is closed. */
void vm_act_link_down(void *record, const void *event, struct fsm_fx *fx);

/* Not a state: the rows valid in every state but `destroyed`; vm_any.c. */
extern const struct fsm_state vm_state_any;

#endif
