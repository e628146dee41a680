/*
 * Perform: makes true what the machine wants: asks libvirt, the edge and the guest, and posts what came of it
 * as events.
 *
 * In: effects of a step that is durable. Out: calls; events. Kept: per VM what is under way, so that an
 * effect asked for twice is performed once; the queue of boots. What needs libvirt while it is away is left
 * undone: LIBVIRT_BACK asks for it again.
 */
#ifndef KILN_CORE_PERFORM_H
#define KILN_CORE_PERFORM_H

#include "src/core/core.h"

int perform_create(struct core *core);
void perform_destroy(struct core *core);

int perform_slot_init(struct vm_slot *slot);
void perform_slot_finish(struct vm_slot *slot);

/* Performs the effects of the slot's record as it is now, in order. */
void perform_effects(struct vm_slot *slot, const struct fsm_fx *fx);

/* Whether the record's deadline shall not fire: the VM waits for its turn to boot. */
bool perform_holds_deadline(const struct vm_slot *slot);

/* What is under way or waits, in words; "" when nothing is. */
void perform_words(const struct vm_slot *slot, char *ret_words, size_t size);

/* libvirt or the edge has come: boots that waited for it begin. */
void perform_wake(struct core *core);
size_t perform_boots_waiting(const struct core *core);
/* The VM's place among them, from 1; 0: it does not wait for its turn. */
size_t perform_boot_position(const struct vm_slot *slot);

/* A lifecycle event or a sweep says that the domain stopped. Returns true when a start of it is under way:
 * then its answer tells, and no event must. */
bool perform_domain_stopped(struct vm_slot *slot);
/* The domain of an ended VM stopped: what waited for its guest to end in order goes on. */
void perform_guest_ended(struct vm_slot *slot);
/* A VM came out of the store and libvirt showed its domain: a guest that is still rising takes its place. */
void perform_boot_recovered(struct vm_slot *slot);
/* Whether a start of its domain waits or is under way. */
bool perform_is_booting(const struct vm_slot *slot);

#endif
