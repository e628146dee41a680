/*
 * Objects: users, bricks and drives, in memory and in the store.
 *
 * In: orders of people, checked by the verbs for who may. Out: objects to read; "done", once durable.
 * Kept: all of them in memory. Memory runs ahead of the disk by the commits in flight: an object is seen at
 * once (so that a name is taken once), and whoever ordered it is answered when it is durable.
 *
 * Orders return 0 and then call DONE exactly once, or a negative errno and never. Every order writes an audit
 * entry with ACTOR. DONE's code is CODE_NONE or why it failed; `detail` is borrowed and may be "".
 */
#ifndef KILN_CORE_OBJECT_H
#define KILN_CORE_OBJECT_H

#include "protocol/code.h"
#include "src/core/record.h"

struct core;
struct store_batch;

typedef void object_done_fn(void *arg, enum kiln_code code, const char *detail);

/* ---- users ---- */

/* -EEXIST the name or the key is there. */
int user_add(struct core *core, const struct user *user, const char *actor, object_done_fn *done, void *arg);
/* -ENOENT */
int user_remove(struct core *core, const char *name, const char *actor, object_done_fn *done, void *arg);
const struct user *user_find(const struct core *core, const char *name);
const struct user *user_find_key(const struct core *core, const uint8_t fingerprint[static RECORD_HASH_LEN]);
/* index from 0, in the order of fingerprints; NULL after the last */
const struct user *user_at(const struct core *core, size_t index);

/* ---- bricks ---- */

/* Hashes the volumes named in BRICK (image, kernel, initrd), fills in hashes and keeps it. -EEXIST. Fails
 * with VOLUME_FAILED, UNAVAILABLE (libvirt away) or NOT_FOUND (no such volume). */
int brick_add(struct core *core, const struct brick *brick, const char *actor, object_done_fn *done,
              void *arg);
/* -ENOENT; -EBUSY a VM uses it */
int brick_remove(struct core *core, const char *name, const char *actor, object_done_fn *done, void *arg);
/* Hashes the volumes again: CODE_NONE when they are as recorded, else BRICK_CHANGED naming the volume.
 * -ENOENT */
int brick_verify(struct core *core, const char *name, const char *actor, object_done_fn *done, void *arg);
const struct brick *brick_find(const struct core *core, const char *name);
const struct brick *brick_at(const struct core *core, size_t index);

/* ---- drives ---- */

/* Keeps the drive and makes its volume. DRIVE's id, name, owner, size and envelopes are given (copied).
 * -EEXIST the id is there, or the owner has a drive of that name. */
int drive_add(struct core *core, const struct drive *drive, const char *actor, object_done_fn *done,
              void *arg);
/* Deletes record and volume. -ENOENT; -EBUSY a VM holds it */
int drive_remove(struct core *core, const uint8_t id[static VM_UUID_LEN], const char *actor,
                 object_done_fn *done, void *arg);
/* Adds or replaces. -ENOENT no such drive, -ENOSPC too many envelopes */
int drive_envelope_put(struct core *core, const uint8_t id[static VM_UUID_LEN],
                       const struct envelope *envelope, const char *actor, object_done_fn *done, void *arg);
/* -ENOENT */
int drive_envelope_remove(struct core *core, const uint8_t id[static VM_UUID_LEN],
                          const uint8_t user[static RECORD_HASH_LEN], const char *actor, object_done_fn *done,
                          void *arg);
const struct drive *drive_find(const struct core *core, const uint8_t id[static VM_UUID_LEN]);
/* By the owner and the owner's name for it. */
const struct drive *drive_find_name(const struct core *core, const uint8_t owner[static RECORD_HASH_LEN],
                                    const char *name);
const struct drive *drive_at(const struct core *core, size_t index);
/* The user's envelope, or NULL. */
const struct envelope *drive_envelope(const struct drive *drive, const uint8_t user[static RECORD_HASH_LEN]);
/* Why MODE cannot be held now: the VM that holds it the other way, or NULL when it can. */
const struct holder *drive_conflict(const struct drive *drive, enum vm_drive_mode mode);

/* ---- for the machine ---- */

/* Makes VM the holder of its drives, in memory: at once, so that none is given away twice. */
void drive_hold(struct core *core, const struct vm *vm);
/* The records of VM's drives into BATCH. -ENOMEM */
int drive_hold_put(struct core *core, struct store_batch *batch, const struct vm *vm);
/* Takes VM out of every drive's holders, in BATCH. -ENOMEM */
int drive_release(struct core *core, struct store_batch *batch, const uint8_t vm[static VM_UUID_LEN]);

/* ---- for core*.c ---- */

void object_init(struct core *core);
/* Each takes a record out of the store: store_each_fn, ARG is core. -EBADMSG, -EEXIST, -ENOMEM */
int user_load(void *arg, const void *key, size_t key_len_bytes, const void *value, size_t value_len_bytes);
int brick_load(void *arg, const void *key, size_t key_len_bytes, const void *value, size_t value_len_bytes);
int drive_load(void *arg, const void *key, size_t key_len_bytes, const void *value, size_t value_len_bytes);
/* libvirt is there: volumes that were being made or removed when kilnd ended are. */
void drive_resume(struct core *core);
void object_finish(struct core *core);

#endif
