/*
 * Perform: attaching a VM's drives, and giving them free.
 *
 * In: ENSURE_DRIVES_ATTACHED, ENSURE_DRIVES_FREE. Out: DRIVE_ATTACHED or DRIVE_FAILED for each drive, then
 * DRIVES_ATTACHED; DRIVES_FREE. Kept: how many answers are owed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/machine.h"
#include "src/core/object.h"
#include "src/core/perform_private.h"
#include "src/core/store.h"
#include "src/core/virt_ops.h"
#include "src/io/loop.h"

static void drive_post(struct vm_slot *slot, const uint8_t *drive, int error, const char *words)
{
    struct vm_event event = {.head.on = error ? VM_ON_DRIVE_FAILED : VM_ON_DRIVE_ATTACHED};
    memcpy(event.drive.id, drive, sizeof event.drive.id);
    event.drive.status = error ? VM_DRIVE_FAILED : VM_DRIVE_ATTACHED;
    event.drive.trouble.code = error ? CODE_DRIVE_ATTACH_FAILED : CODE_NONE;
    fsm_text_keep(event.drive.trouble.detail, sizeof event.drive.trouble.detail, error ? words : "");
    machine_post(slot->core, slot->vm.uuid, &event, NULL, NULL, NULL);
}

/* All answers are there; the machine counts what is attached. Where nothing is known of one it is asked for
 * again. */
static void all_answered(struct vm_slot *slot)
{
    if (!slot->perform->attaching_undone)
        machine_post_kind(slot->core, slot->vm.uuid, VM_ON_DRIVES_ATTACHED);
}

static void attach_answered(void *arg, const struct virt_answer *answer)
{
    uint8_t drive[VM_UUID_LEN];
    memcpy(drive, ((struct perform_ask *)arg)->drive, sizeof drive);
    struct vm_slot *slot = perform_ask_end(arg);
    if (!slot)
        return;
    slot->perform->attaching--;
    if (perform_undone(slot, VM_FX_ENSURE_DRIVES_ATTACHED, answer->error))
        slot->perform->attaching_undone = true;
    else
        drive_post(slot, drive, answer->error, answer->words);
    if (slot->perform->attaching == 0)
        all_answered(slot);
}

static int attach(struct vm_slot *slot, const struct vm_drive *drive)
{
    char uuid[VIRT_UUID_BYTES], id[VIRT_UUID_BYTES];
    struct perform_ask *ask = perform_ask_create(slot, VM_FX_ENSURE_DRIVES_ATTACHED);
    if (!ask)
        return -ENOMEM;
    memcpy(ask->drive, drive->id, sizeof ask->drive);
    core_uuid_text(slot->vm.uuid, uuid);
    core_uuid_text(drive->id, id);
    int rc = slot->core->virt_ops->ensure_attached(slot->core->virt, uuid, id, drive->mode == VM_DRIVE_READER,
                                                   attach_answered, ask);
    if (rc)
        free(ask);
    else
        slot->perform->attaching++;
    return rc;
}

void perform_drives_attached(struct vm_slot *slot)
{
    if (slot->perform->attaching)
        return;
    slot->perform->attaching_undone = false;
    for (int i = 0; i < slot->vm.drives; i++) {
        const struct vm_drive *drive = &slot->vm.drive[i];
        /* One that failed waits for its owner's word. */
        if (drive->attached || drive->status != VM_DRIVE_WANTED)
            continue;
        int rc = attach(slot, drive);
        if (rc)
            drive_post(slot, drive->id, rc, strerror(-rc));
    }
    if (slot->perform->attaching == 0)
        all_answered(slot);
}

/* The slot is still there: it is not forgotten before this answer. */
static void released(void *arg)
{
    struct vm_slot *slot = arg;
    slot->perform->under_way &= ~(UINT64_C(1) << VM_FX_ENSURE_DRIVES_FREE);
    machine_post_kind(slot->core, slot->vm.uuid, VM_ON_DRIVES_FREE);
}

void perform_drives_free(struct vm_slot *slot)
{
    struct store_batch *batch;
    int rc = store_batch_create(slot->core->store, &batch);
    if (!rc) {
        rc = drive_release(slot->core, batch, slot->vm.uuid);
        if (rc)
            store_batch_destroy(batch);
        else
            rc = store_commit(batch, released, slot);
    }
    if (rc) {
        /* They are still held as far as the store knows. */
        drive_hold(slot->core, &slot->vm);
        perform_again(slot, VM_FX_ENSURE_DRIVES_FREE, strerror(-rc));
        return;
    }
    slot->perform->under_way |= UINT64_C(1) << VM_FX_ENSURE_DRIVES_FREE;
}
