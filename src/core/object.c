/*
 * Objects: what users, bricks and drives share.
 */
#include "src/core/object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"
#include "src/core/object_private.h"
#include "src/io/loop.h"

struct object_order *object_order_create(struct core *core, const char *actor, object_done_fn *done,
                                         void *arg)
{
    struct object_order *order = calloc(1, sizeof *order);
    if (!order)
        return NULL;
    order->core = core;
    order->done = done;
    order->arg = arg;
    fsm_text_keep(order->actor, sizeof order->actor, actor ? actor : CORE_ACTOR_SELF);
    return order;
}

void object_order_end(struct object_order *order, enum kiln_code code, const char *detail)
{
    if (!order)
        return;
    if (order->done)
        order->done(order->arg, code, detail);
    free(order);
}

void object_durable(void *order)
{
    object_order_end(order, CODE_NONE, "");
}

enum kiln_code object_code_of(int error)
{
    switch (error) {
    case 0:
        return CODE_NONE;
    case -ENOTCONN:
    case -ECANCELED:
        return CODE_UNAVAILABLE;
    case -ENOENT:
        return CODE_NOT_FOUND;
    case -EEXIST:
        return CODE_ALREADY_EXISTS;
    default:
        return CODE_VOLUME_FAILED;
    }
}

int object_commit(struct core *core, struct store_batch *batch, const struct audit_deed *deed,
                  store_done_fn *done, void *arg)
{
    const struct audit audit = core->audit;
    int rc = audit_append(&core->audit, batch, loop_wall_ms(), deed);
    if (rc)
        store_batch_destroy(batch);
    else
        rc = store_commit(batch, done, arg);
    if (rc)
        core->audit = audit;
    return rc;
}

void object_init(struct core *core)
{
    index_init(&core->users, offsetof(struct user, fingerprint), RECORD_HASH_LEN);
    index_init(&core->bricks, offsetof(struct brick, name), VM_NAME_LEN);
    index_init(&core->drives, offsetof(struct drive, id), VM_UUID_LEN);
}

void object_finish(struct core *core)
{
    for (size_t i = 0; i < core->users.count; i++)
        free(core->users.items[i]);
    for (size_t i = 0; i < core->bricks.count; i++)
        free(core->bricks.items[i]);
    for (size_t i = 0; i < core->drives.count; i++) {
        free(((struct drive *)core->drives.items[i])->envelopes);
        free(core->drives.items[i]);
    }
    index_finish(&core->users);
    index_finish(&core->bricks);
    index_finish(&core->drives);
}
