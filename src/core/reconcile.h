/*
 * Reconcile: keeps records and libvirt's domains in step.
 *
 * In: lifecycle events of libvirt; lists of its domains, every 30 s and after each reconnect. Out: events of
 * the VMs. Kept: which domains were found absent and since when; orphans.
 * Absence is not death (R22): a domain is gone when a live connection said so twice, CONFIRM_MS apart, or
 * when libvirt told its end.
 */
#ifndef KILN_CORE_RECONCILE_H
#define KILN_CORE_RECONCILE_H

#include "src/core/core.h"

int reconcile_create(struct core *core);
void reconcile_destroy(struct core *core);

/* For virt_create. */
void reconcile_event(void *arg, const struct virt_event *event);

/* Looks at all domains now, or once the look that is under way is over. */
void reconcile_sweep(struct core *core);

#endif
