/*
 * Drives: in memory and in the store; their envelopes and their holders. See object.h.
 * drive_volume.c makes and removes what they stand for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"
#include "src/core/drive_private.h"
#include "src/io/loop.h"

/* ---- find ---- */

const struct drive *drive_find(const struct core *core, const uint8_t id[static VM_UUID_LEN])
{
    return index_find(&core->drives, id);
}

const struct drive *drive_at(const struct core *core, size_t index)
{
    return index < core->drives.count ? core->drives.items[index] : NULL;
}

const struct drive *drive_find_name(const struct core *core, const uint8_t owner[static RECORD_HASH_LEN],
                                    const char *name)
{
    const struct drive *drive;
    for (size_t i = 0; (drive = drive_at(core, i)); i++)
        if (strcmp(drive->name, name) == 0 && memcmp(drive->owner, owner, RECORD_HASH_LEN) == 0)
            return drive;
    return NULL;
}

const struct envelope *drive_envelope(const struct drive *drive, const uint8_t user[static RECORD_HASH_LEN])
{
    for (size_t i = 0; i < drive->nenvelopes; i++)
        if (memcmp(drive->envelopes[i].user, user, RECORD_HASH_LEN) == 0)
            return &drive->envelopes[i];
    return NULL;
}

const struct holder *drive_conflict(const struct drive *drive, enum vm_drive_mode mode)
{
    for (size_t i = 0; i < drive->nholders; i++)
        if (mode == VM_DRIVE_WRITER || drive->holders[i].mode == VM_DRIVE_WRITER)
            return &drive->holders[i];
    return drive->nholders == RECORD_HOLDERS_MAX ? &drive->holders[0] : NULL;
}

/* ---- commit ---- */

int drive_put(struct store_batch *batch, const struct drive *drive)
{
    uint8_t *bytes;
    size_t len_bytes;
    int rc = record_drive_encode(drive, &bytes, &len_bytes);
    if (rc)
        return rc;
    store_put(batch, STORE_DRIVES, drive->id, sizeof drive->id, bytes, len_bytes);
    free(bytes);
    return 0;
}

int drive_commit(struct core *core, const struct drive *drive, const char *what, const char *story,
                 store_done_fn *done, struct object_order *order)
{
    struct store_batch *batch;
    char id[VIRT_UUID_BYTES];
    struct audit_deed deed = {.actor = order->actor, .what = what, .object = id, .story = story};
    core_uuid_text(drive->id, id);
    int rc = store_batch_create(core->store, &batch);
    if (rc)
        return rc;
    rc = drive_put(batch, drive);
    if (rc) {
        store_batch_destroy(batch);
        return rc;
    }
    return object_commit(core, batch, &deed, done, order);
}

/* ---- envelopes ---- */

/* Commits DRIVE as it is; on failure FORMER envelopes are put back. Takes the envelopes that are not kept. */
static int envelopes_commit(struct core *core, struct drive *drive, struct envelope *former, size_t nformer,
                            const char *what, struct object_order *order)
{
    int rc = drive_commit(core, drive, what, drive->name, object_durable, order);
    if (rc) {
        free(drive->envelopes);
        drive->envelopes = former;
        drive->nenvelopes = nformer;
        free(order);
    } else {
        free(former);
    }
    return rc;
}

int drive_envelope_put(struct core *core, const uint8_t id[static VM_UUID_LEN],
                       const struct envelope *envelope, const char *actor, object_done_fn *done, void *arg)
{
    struct drive *drive = index_find(&core->drives, id);
    if (!drive || drive->state == DRIVE_REMOVING)
        return -ENOENT;
    const struct envelope *there = drive_envelope(drive, envelope->user);
    size_t at = there ? (size_t)(there - drive->envelopes) : drive->nenvelopes;
    if (at == RECORD_ENVELOPES_MAX)
        return -ENOSPC;
    struct envelope *former = drive->envelopes;
    size_t nformer = drive->nenvelopes, count = there ? nformer : nformer + 1;
    struct envelope *envelopes = calloc(count, sizeof *envelopes);
    struct object_order *order = object_order_create(core, actor, done, arg);
    if (!envelopes || !order) {
        free(envelopes);
        free(order);
        return -ENOMEM;
    }
    if (nformer)
        memcpy(envelopes, former, nformer * sizeof *envelopes);
    envelopes[at] = *envelope;
    drive->envelopes = envelopes;
    drive->nenvelopes = count;
    return envelopes_commit(core, drive, former, nformer, "drive.envelope-put", order);
}

int drive_envelope_remove(struct core *core, const uint8_t id[static VM_UUID_LEN],
                          const uint8_t user[static RECORD_HASH_LEN], const char *actor, object_done_fn *done,
                          void *arg)
{
    struct drive *drive = index_find(&core->drives, id);
    const struct envelope *there = drive ? drive_envelope(drive, user) : NULL;
    if (!there)
        return -ENOENT;
    struct envelope *former = drive->envelopes;
    size_t nformer = drive->nenvelopes, at = (size_t)(there - former);
    struct envelope *envelopes = calloc(nformer, sizeof *envelopes);
    struct object_order *order = object_order_create(core, actor, done, arg);
    if (!envelopes || !order) {
        free(envelopes);
        free(order);
        return -ENOMEM;
    }
    memcpy(envelopes, former, at * sizeof *envelopes);
    memcpy(envelopes + at, former + at + 1, (nformer - at - 1) * sizeof *envelopes);
    drive->envelopes = envelopes;
    drive->nenvelopes = nformer - 1;
    return envelopes_commit(core, drive, former, nformer, "drive.envelope-remove", order);
}

/* ---- holders ---- */

static void holder_add(struct drive *drive, const uint8_t vm[static VM_UUID_LEN], uint8_t mode)
{
    for (size_t i = 0; i < drive->nholders; i++)
        if (memcmp(drive->holders[i].vm, vm, VM_UUID_LEN) == 0)
            return;
    struct holder *holder = &drive->holders[drive->nholders++];
    memcpy(holder->vm, vm, VM_UUID_LEN);
    holder->mode = mode;
}

static bool holder_remove(struct drive *drive, const uint8_t vm[static VM_UUID_LEN])
{
    size_t kept = 0, before = drive->nholders;
    for (size_t i = 0; i < before; i++)
        if (memcmp(drive->holders[i].vm, vm, VM_UUID_LEN) != 0)
            drive->holders[kept++] = drive->holders[i];
    drive->nholders = kept;
    return kept != before;
}

void drive_hold(struct core *core, const struct vm *vm)
{
    for (int i = 0; i < vm->drives; i++) {
        struct drive *drive = index_find(&core->drives, vm->drive[i].id);
        if (drive)
            holder_add(drive, vm->uuid, vm->drive[i].mode);
    }
}

int drive_hold_put(struct core *core, struct store_batch *batch, const struct vm *vm)
{
    for (int i = 0; i < vm->drives; i++) {
        const struct drive *drive = drive_find(core, vm->drive[i].id);
        int rc = drive ? drive_put(batch, drive) : 0;
        if (rc)
            return rc;
    }
    return 0;
}

int drive_release(struct core *core, struct store_batch *batch, const uint8_t vm[static VM_UUID_LEN])
{
    for (size_t i = 0; i < core->drives.count; i++) {
        struct drive *drive = core->drives.items[i];
        if (!holder_remove(drive, vm))
            continue;
        int rc = drive_put(batch, drive);
        if (rc)
            return rc;
    }
    return 0;
}

/* ---- load ---- */

int drive_load(void *arg, const void *key, size_t key_len_bytes, const void *value, size_t value_len_bytes)
{
    struct core *core = arg;
    struct drive *drive = calloc(1, sizeof *drive);
    int rc = drive ? record_drive_decode(value, value_len_bytes, drive) : -ENOMEM;
    if (!rc && (key_len_bytes != VM_UUID_LEN || memcmp(key, drive->id, VM_UUID_LEN) != 0))
        rc = -EBADMSG;
    if (!rc)
        rc = index_add(&core->drives, drive);
    if (rc && drive)
        free(drive->envelopes);
    if (rc)
        free(drive);
    return rc;
}
