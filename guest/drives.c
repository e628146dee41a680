/*
 * Drives: the effects on drives, on the job thread; the owner who asked gets his answer when they are done.
 * In: asks with keys in locked memory. Out: DRIVE_MOUNTED, DRIVE_FAILED, answers. Kept: asks, until they are
 * done.
 */
#include <stdlib.h>
#include <string.h>

#include "guest/controller.h"
#include "guest/drive.h"
#include "guest/drives.h"
#include "guest/job.h"
#include "protocol/crypto.h"
#include "protocol/json_write.h"
#include "src/io/rpc.h"

struct unlock_job {
    struct controller *controller; /* borrowed */
    int slot;                      /* of the ask */
    struct drive_order order;
    struct drive_outcome outcome;
};

struct check_job {
    struct controller *controller; /* borrowed */
    struct guest_drives drives;
    bool mounted[GUEST_DRIVES_MAX];
};

static void release_slot(struct controller *controller, int slot)
{
    crypto_wipe(controller->secrets->drive_key[slot], LUKS_KEY_LEN);
    controller->asks[slot] = (struct drive_ask){0};
}

int drives_ask(struct controller *controller, const uint8_t id[GUEST_ID_LEN], bool format,
               struct rpc_request *request)
{
    int slot = -1;
    for (int i = 0; i < GUEST_DRIVES_MAX; i++) {
        if (controller->asks[i].held && memcmp(controller->asks[i].id, id, GUEST_ID_LEN) == 0)
            return -1;
        if (slot < 0 && !controller->asks[i].held)
            slot = i;
    }
    if (slot >= 0) {
        controller->asks[slot] = (struct drive_ask){.held = true, .format = format, .request = request};
        memcpy(controller->asks[slot].id, id, GUEST_ID_LEN);
    }
    return slot;
}

void drives_forget(struct controller *controller, int slot)
{
    release_slot(controller, slot);
}

static void answer(struct rpc_request *request, const struct guest_drive *drive,
                   const struct drive_outcome *outcome)
{
    if (outcome->code != CODE_NONE) {
        rpc_fail_code(request, outcome->code, outcome->detail);
        return;
    }
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_uuid(&out, "drive", drive->id);
    json_write_text(&out, "path", outcome->path);
    json_write_bool(&out, "formatted", outcome->formatted);
    json_write_object_end(&out);
    rpc_reply_json(request, &out);
}

static void unlock(void *arg)
{
    struct unlock_job *job = arg;
    drive_unlock(&job->order, &job->outcome);
}

static void unlocked(void *arg)
{
    struct unlock_job *job = arg;
    struct controller *controller = job->controller;
    struct drive_ask ask = controller->asks[job->slot];
    struct guest_drive drive = {0};
    memcpy(drive.id, ask.id, sizeof drive.id);
    release_slot(controller, job->slot);
    controller_happen_drive(controller,
                            job->outcome.code == CODE_NONE ? GUEST_ON_DRIVE_MOUNTED : GUEST_ON_DRIVE_FAILED,
                            ask.id, job->outcome.code, job->outcome.detail);
    answer(ask.request, &drive, &job->outcome);
    free(job);
}

static int find_slot(const struct controller *controller, const uint8_t id[GUEST_ID_LEN])
{
    for (int i = 0; i < GUEST_DRIVES_MAX; i++)
        if (controller->asks[i].held && memcmp(controller->asks[i].id, id, GUEST_ID_LEN) == 0)
            return i;
    return -1;
}

void drives_unlock(struct controller *controller, int index)
{
    const struct guest_drive *drive = &controller->machine.drives.drive[index];
    int slot = find_slot(controller, drive->id);
    if (slot < 0 || controller->asks[slot].busy)
        return;
    struct unlock_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        abort(); /* the owner would wait for ever; the stub starts us again */
    *job = (struct unlock_job){.controller = controller, .slot = slot};
    job->order = (struct drive_order){.writer = drive->writer,
                                      .format = controller->asks[slot].format,
                                      .key = controller->secrets->drive_key[slot]};
    memcpy(job->order.name, drive->name, sizeof job->order.name);
    memcpy(job->order.serial, drive->serial, sizeof job->order.serial);
    controller->asks[slot].busy = true;
    if (job_start(controller->jobs, unlock, unlocked, job) < 0)
        abort();
}

void drives_wipe_keys(struct controller *controller)
{
    for (int i = 0; i < GUEST_DRIVES_MAX; i++)
        if (!controller->asks[i].busy)
            release_slot(controller, i);
}

static void check(void *arg)
{
    struct check_job *job = arg;
    for (int i = 0; i < job->drives.count; i++)
        job->mounted[i] = drive_is_mounted(job->drives.drive[i].name, job->drives.drive[i].serial);
}

static void checked(void *arg)
{
    struct check_job *job = arg;
    for (int i = 0; i < job->drives.count; i++)
        if (job->mounted[i])
            controller_happen_drive(job->controller, GUEST_ON_DRIVE_MOUNTED, job->drives.drive[i].id,
                                    CODE_NONE, "");
    free(job);
}

void drives_check(struct controller *controller)
{
    struct check_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        abort();
    job->controller = controller;
    job->drives = controller->machine.drives;
    if (job_start(controller->jobs, check, checked, job) < 0)
        abort();
}
