/*
 * Reconcile: keeps records and libvirt's domains in step.
 *
 * In: lifecycle events of libvirt; lists of its domains, every 30 s and after each reconnect. Out: events of
 * the VMs. Kept: which domains were found absent and since when; orphans.
 * Absence is not death (R22): a domain is gone when a connection that had been up for 10 s said so twice, 10
 * s apart, or when libvirt told its end.
 */
#ifndef KILN_CORE_RECONCILE_H
#define KILN_CORE_RECONCILE_H

#include "src/core/core.h"

int reconcile_create(struct core *core);
void reconcile_destroy(struct core *core);

/* For core_start: libvirt is being connected, and tells by an event when it is there. */
void reconcile_begin(struct core *core);

/* For virt_create. */
void reconcile_event(void *arg, const struct virt_event *event);

/* Looks at all domains now, or once the look that is under way is over. */
void reconcile_sweep(struct core *core);

/* For machine.c. A record came out of the store: it waits for libvirt to show its domain. */
void reconcile_loaded(struct vm_slot *slot);
/* The slot goes. */
void reconcile_forget(struct vm_slot *slot);
/* Whether the record's deadline shall not fire: it is that of something that Kiln itself does, and that
 * libvirt's word comes before. */
bool reconcile_holds_deadline(const struct vm_slot *slot);

/* Domains with Kiln's metadata and without a record that have been seen for longer than the grace time. */
size_t reconcile_orphans(const struct core *core);
/* Whether libvirt has shown its domains since kilnd's start: then each address that an orphan is known to
 * have is held (network.h). Before, no domain is started and no address taken back. */
bool reconcile_knows_orphans(const struct core *core);
/* Who else has the address, and what ends that, in words. */
void reconcile_sharer(const struct core *core, const uint8_t ipv4[static 4], char *ret_words, size_t size);

#endif
