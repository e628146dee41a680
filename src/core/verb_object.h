/*
 * What can be asked about bricks, drives, users, the audit and the daemon, the same for both sockets.
 *
 * In: an ask whose caller was checked, parameters. Out: the answer, now or when durable. Kept: nothing.
 * Parameters and objects are borrowed for the call. AFTER as in verb_vm.h.
 */
#ifndef KILN_CORE_VERB_OBJECT_H
#define KILN_CORE_VERB_OBJECT_H

#include "src/core/ask.h"

struct json;

/* A page of bricks: whole for operators, else as they are offered to owners. */
void verb_brick_list(struct ask *ask, const char *after, bool whole);
void verb_brick_show(struct ask *ask, const char *name);
void verb_brick_add(struct ask *ask, const struct json *params);
void verb_brick_remove(struct ask *ask, const char *name);
void verb_brick_verify(struct ask *ask, const char *name);

void verb_drive_list(struct ask *ask, const char *after);
void verb_drive_show(struct ask *ask, const struct drive *drive);
/* PARAMS {id, name, size_mib, envelope} of the caller. */
void verb_drive_add(struct ask *ask, const struct json *params);
void verb_drive_remove(struct ask *ask, const struct drive *drive);
/* PARAMS {ciphertext}; USER: fingerprint in hex. */
void verb_drive_share(struct ask *ask, const struct drive *drive, const char *user,
                      const struct json *params);
void verb_drive_unshare(struct ask *ask, const struct drive *drive, const char *user);

/* Roles are shown to operators; owners get {name, fingerprint, public_key} of everyone, to share drives
 * with. */
void verb_user_list(struct ask *ask, const char *after);
void verb_user_add(struct ask *ask, const struct json *params);
void verb_user_remove(struct ask *ask, const char *name);

void verb_audit_list(struct ask *ask, uint64_t since);
/* HEAD (may be NULL) is an earlier answer of verb_audit_head: that entry must be in the chain. */
void verb_audit_verify(struct ask *ask, const char *head);
void verb_audit_head(struct ask *ask);

void verb_store_check(struct ask *ask);
/* Every record, or those of the database ONLY, from AFTER on; both may be NULL. A page is of one moment. */
void verb_store_dump(struct ask *ask, const char *only, const char *after);
/* To the new file PATH, with kilnd's rights. */
void verb_store_backup(struct ask *ask, const char *path);
void verb_daemon_status(struct ask *ask);
void verb_daemon_reload(struct ask *ask);

#endif
