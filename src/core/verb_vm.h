/*
 * What can be asked about VMs, the same for control.sock and the owner API.
 *
 * In: an ask whose caller was checked, the VM it names, parameters. Out: the answer, now or when durable.
 * Kept: nothing. Parameters and slots are borrowed for the call.
 */
#ifndef KILN_CORE_VERB_VM_H
#define KILN_CORE_VERB_VM_H

#include "src/core/ask.h"

struct json;

/* A page of the VMs that the caller sees, in the order of their ids; AFTER: behind this id, NULL from the
 * first. */
void verb_vm_list(struct ask *ask, const char *after);
void verb_vm_show(struct ask *ask, const struct vm_slot *slot);
/* PARAMS {name, brick, drives?}. OWNER: fingerprint of whom it will belong to, whose drives may be named by
 * their names. */
void verb_vm_create(struct ask *ask, const struct json *params, const uint8_t owner[RECORD_HASH_LEN]);
/* PARAMS {reason?, force?} or NULL. */
void verb_vm_destroy(struct ask *ask, const struct vm_slot *slot, const struct json *params);
/* A page; AFTER: behind this change, "" or NULL from the first. */
void verb_vm_history(struct ask *ask, const struct vm_slot *slot, const char *after);
void verb_vm_why(struct ask *ask, const struct vm_slot *slot);
void verb_vm_console(struct ask *ask, const struct vm_slot *slot);

/* For the VM's owner alone. PARAMS {nonce_o}: section 5.2. */
void verb_vm_vouch(struct ask *ask, const struct vm_slot *slot, const struct json *params);
/* A bridge ticket: sections 8.4 and 9. */
void verb_vm_bridge(struct ask *ask, const struct vm_slot *slot);

#endif
