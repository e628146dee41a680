/*
 * Drives: making and removing them with their volumes.
 *
 * The record says first what shall be (`making`, `removing`), then libvirt is asked, then the record says
 * that it is so. A kilnd that dies between takes it up again when libvirt is there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"
#include "src/core/drive_private.h"
#include "src/core/virt_ops.h"
#include "src/io/log.h"
#include "src/io/loop.h"

/* The drive leaves store and memory. */
static void drive_drop(struct object_order *order, const char *what, store_done_fn *done)
{
    struct core *core = order->core;
    struct store_batch *batch;
    char id[VIRT_UUID_BYTES];
    struct audit_deed deed = {.actor = order->actor, .what = what, .object = id, .story = order->words};
    core_uuid_text(order->id, id);
    int rc = store_batch_create(core->store, &batch);
    if (!rc) {
        store_delete(batch, STORE_DRIVES, order->id, sizeof order->id);
        rc = object_commit(core, batch, &deed, done, order);
    }
    if (rc) {
        object_order_end(order, CODE_INTERNAL, strerror(-rc));
        return;
    }
    struct drive *drive = index_remove(&core->drives, order->id);
    if (drive)
        free(drive->envelopes);
    free(drive);
}

/* ---- make ---- */

static void not_made(void *arg)
{
    struct object_order *order = arg;
    object_order_end(order, CODE_VOLUME_FAILED, order->words);
}

static void made(struct object_order *order, const struct virt_answer *answer)
{
    struct drive *drive = index_find(&order->core->drives, order->id);
    if (!drive || drive->state != DRIVE_MAKING) {
        /* Removed while it was made: the removal that follows has the last word. Or made twice. */
        object_order_end(order, drive && drive->state == DRIVE_HERE ? CODE_NONE : CODE_NOT_FOUND, "");
        return;
    }
    if (answer->error == -ENOTCONN || answer->error == -ECANCELED) {
        /* The record stays `making`, and drive_resume asks again. */
        object_order_end(order, CODE_UNAVAILABLE, "libvirt is away; the drive is made when it is back");
        return;
    }
    if (answer->error) {
        fsm_text_keep(order->words, sizeof order->words, answer->words);
        drive_drop(order, "drive.not-made", not_made);
        return;
    }
    drive->state = DRIVE_HERE;
    int rc = drive_commit(order->core, drive, "drive.made", drive->name, object_durable, order);
    if (rc)
        object_order_end(order, CODE_INTERNAL, strerror(-rc));
}

static void make_answered(void *arg, const struct virt_answer *answer)
{
    made(arg, answer);
}

static void volume_make(void *arg)
{
    struct object_order *order = arg;
    struct core *core = order->core;
    const struct drive *drive = drive_find(core, order->id);
    char id[VIRT_UUID_BYTES];
    core_uuid_text(order->id, id);
    int rc = drive ? core->virt_ops->ensure_drive(core->virt, id, drive->size_mib << 20, make_answered, order)
                   : -ENOENT;
    if (rc)
        object_order_end(order, CODE_INTERNAL, strerror(-rc));
}

static struct drive *drive_copy(const struct drive *drive)
{
    struct drive *copy = malloc(sizeof *copy);
    struct envelope *envelopes = calloc(drive->nenvelopes ? drive->nenvelopes : 1, sizeof *envelopes);
    if (!copy || !envelopes) {
        free(copy);
        free(envelopes);
        return NULL;
    }
    *copy = *drive;
    if (drive->nenvelopes)
        memcpy(envelopes, drive->envelopes, drive->nenvelopes * sizeof *envelopes);
    copy->envelopes = envelopes;
    copy->nholders = 0;
    copy->state = DRIVE_MAKING;
    copy->created_at_ms = loop_wall_ms();
    return copy;
}

int drive_add(struct core *core, const struct drive *drive, const char *actor, object_done_fn *done,
              void *arg)
{
    if (drive_find(core, drive->id) || drive_find_name(core, drive->owner, drive->name))
        return -EEXIST;
    struct drive *copy = drive_copy(drive);
    struct object_order *order = object_order_create(core, actor, done, arg);
    int rc = copy && order ? index_add(&core->drives, copy) : -ENOMEM;
    if (!rc) {
        memcpy(order->id, copy->id, sizeof order->id);
        rc = drive_commit(core, copy, "drive.add", copy->name, volume_make, order);
        if (rc)
            index_remove(&core->drives, copy->id);
    }
    if (rc) {
        if (copy)
            free(copy->envelopes);
        free(copy);
        free(order);
    }
    return rc;
}

/* ---- remove ---- */

static void remove_answered(void *arg, const struct virt_answer *answer)
{
    struct object_order *order = arg;
    const struct drive *drive = drive_find(order->core, order->id);
    /* The record stays `removing`, and drive_resume asks again. */
    if (answer->error)
        object_order_end(order, object_code_of(answer->error), answer->words);
    else if (!drive || drive->state != DRIVE_REMOVING)
        /* Asked for twice; what has this id by now is another drive. */
        object_order_end(order, CODE_NONE, "");
    else
        drive_drop(order, "drive.removed", object_durable);
}

static void volume_remove(void *arg)
{
    struct object_order *order = arg;
    char id[VIRT_UUID_BYTES];
    core_uuid_text(order->id, id);
    int rc = order->core->virt_ops->drive_gone(order->core->virt, id, remove_answered, order);
    if (rc)
        object_order_end(order, CODE_INTERNAL, strerror(-rc));
}

int drive_remove(struct core *core, const uint8_t id[static VM_UUID_LEN], const char *actor,
                 object_done_fn *done, void *arg)
{
    struct drive *drive = index_find(&core->drives, id);
    if (!drive)
        return -ENOENT;
    if (drive->nholders)
        return -EBUSY;
    struct object_order *order = object_order_create(core, actor, done, arg);
    if (!order)
        return -ENOMEM;
    memcpy(order->id, id, sizeof order->id);
    uint8_t former = drive->state;
    drive->state = DRIVE_REMOVING;
    int rc = drive_commit(core, drive, "drive.remove", drive->name, volume_remove, order);
    if (rc) {
        drive->state = former;
        free(order);
    }
    return rc;
}

/* ---- take up again ---- */

static void resumed(void *arg, enum kiln_code code, const char *detail)
{
    char quoted[LOG_QUOTED_MAX];
    (void)arg;
    if (code)
        log_warning("drive", "is not as its record wants it, is tried again when libvirt is back",
                    "detail=%s", log_quote(detail, quoted));
}

void drive_resume(struct core *core)
{
    for (size_t i = 0; i < core->drives.count; i++) {
        const struct drive *drive = core->drives.items[i];
        struct object_order *order =
            drive->state == DRIVE_HERE ? NULL : object_order_create(core, NULL, resumed, NULL);
        if (!order)
            continue;
        memcpy(order->id, drive->id, sizeof order->id);
        if (drive->state == DRIVE_MAKING)
            volume_make(order);
        else
            volume_remove(order);
    }
}
