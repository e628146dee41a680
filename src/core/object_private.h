/*
 * Inside of the objects, for user.c, brick.c, drive*.c and verb_store.c only.
 */
#ifndef KILN_CORE_OBJECT_PRIVATE_H
#define KILN_CORE_OBJECT_PRIVATE_H

#include "src/core/audit.h"
#include "src/core/object.h"
#include "src/core/store.h"

/* Whom to tell. Freed when told. */
struct object_order {
    struct core *core;
    object_done_fn *done;
    void *arg;
    char actor[VM_WHO_LEN];
    uint8_t id[VM_UUID_LEN]; /* of a drive */
    char words[VM_DETAIL_LEN];
};

struct object_order *object_order_create(struct core *core, const char *actor, object_done_fn *done,
                                         void *arg);
void object_order_end(struct object_order *order, enum kiln_code code, const char *detail);

/* What libvirt's answer means to whoever ordered. */
enum kiln_code object_code_of(int error);

/* Adds the audit entry and commits; DONE(ORDER) once it is durable. Takes the batch. On failure the audit
 * chain is as it was, and the caller undoes its own. */
int object_commit(struct core *core, struct store_batch *batch, const struct audit_deed *deed,
                  store_done_fn *done, void *arg);
/* For a commit after which there is nothing left but to tell. */
void object_durable(void *order);

#endif
