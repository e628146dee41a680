/*
 * Machine: drives the VMs: decide, commit, perform.
 *
 * In: events. Out: records swapped once they are durable, changes told, effects performed.
 * Kept: core's table of VMs (struct vm_slot). An event steps a copy of the record; copy, history and audit
 * entry go into one batch; when that is durable the copy becomes the record, one line is logged, watchers are
 * told, the deadline is armed, the effects are performed. Events of a VM that come meanwhile wait their turn.
 */
#ifndef KILN_CORE_MACHINE_H
#define KILN_CORE_MACHINE_H

#include "src/core/core.h"

/* How an event ended. ERROR: 0 it is durable; -EPERM no row takes it (nothing changed: from a guest an
 * offence); -ENOENT there is no such VM (any more). VM is the record now, borrowed, NULL with -ENOENT. */
typedef void machine_done_fn(void *arg, int error, const struct vm *vm);

/* Posts an event about a VM; its at_ms is filled in when it is taken. ACTOR goes to history and audit
 * (core_actor_*; NULL: "kilnd"). DONE may be NULL; it is called once, never from inside. 0 or -ENOMEM (then
 * DONE is never called). */
int machine_post(struct core *core, const uint8_t uuid[static VM_UUID_LEN], const struct vm_event *event,
                 const char *actor, machine_done_fn *done, void *arg);

/* As machine_post, for an event without a body. */
int machine_post_kind(struct core *core, const uint8_t uuid[static VM_UUID_LEN], enum vm_event_kind kind);
/* As machine_post, for an event with a code and words. */
int machine_post_trouble(struct core *core, const uint8_t uuid[static VM_UUID_LEN], enum vm_event_kind kind,
                         enum kiln_code code, const char *detail, const char *actor);

/* Begins the life of VM (its given members filled in, see create.h), with the holders of its drives in the
 * same batch. 0 or -ENOMEM; DONE as above. */
int machine_begin(struct core *core, const struct vm *vm, const char *actor, machine_done_fn *done,
                  void *arg);

/* Lets the record go, for good. Its history and audit stay. */
void machine_forget(struct vm_slot *slot);

/* For core*.c: makes core->machine; takes a record out of the store (as user_load); lets the deadlines of all
 * run; ends it all. */
int machine_create(struct core *core);
int machine_load(void *arg, const void *key, size_t key_len_bytes, const void *value, size_t value_len_bytes);
void machine_start(struct core *core);
void machine_destroy(struct core *core);

#endif
