/*
 * People: the effect that makes the users, on the job thread; whoever asked for them gets his answer.
 * In: the first drive, perhaps a new database. Out: USERS_APPLIED, USERS_FAILED, answers. Kept: one ask, in
 * the controller.
 */
#include "guest/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/account.h"
#include "guest/controller.h"
#include "guest/drive.h"
#include "guest/job.h"
#include "guest/users.h"
#include "protocol/json_write.h"
#include "src/io/rpc.h"

struct people_job {
    struct controller *controller; /* borrowed */
    struct rpc_request *request;   /* owned */
    char *text;                    /* owned */
    char drive[DRIVE_PATH_MAX];
    struct users_order order;
    struct users_outcome outcome;
};

static void apply(void *arg)
{
    struct people_job *job = arg;
    users_apply(&job->order, &job->outcome);
}

static void answer(struct rpc_request *request, const struct users_outcome *outcome)
{
    if (outcome->code != CODE_NONE) {
        rpc_fail_code(request, outcome->code, outcome->detail);
        return;
    }
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_int(&out, "users", (int64_t)outcome->users);
    json_write_int(&out, "groups", (int64_t)outcome->groups);
    json_write_int(&out, "directories", (int64_t)outcome->directories);
    json_write_object_end(&out);
    rpc_reply_json(request, &out);
}

static void applied(void *arg)
{
    struct people_job *job = arg;
    struct controller *controller = job->controller;
    controller->users_busy = false;
    if (job->outcome.code == CODE_NONE) {
        snprintf(controller->first_user, sizeof controller->first_user, "%s", job->outcome.first_user);
        controller_happen_plain(controller, GUEST_ON_USERS_APPLIED);
    } else {
        controller_happen_trouble(controller, GUEST_ON_USERS_FAILED, job->outcome.code, job->outcome.detail);
    }
    if (job->request != NULL)
        answer(job->request, &job->outcome);
    free(job->text);
    free(job);
    /* Somebody asked meanwhile. */
    if (controller->users_request != NULL)
        people_apply(controller);
}

void people_apply(struct controller *controller)
{
    const struct guest_drives *drives = &controller->machine.drives;
    if (controller->users_busy)
        return;
    struct people_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        abort(); /* the owner would wait for ever; the stub starts us again */
    job->controller = controller;
    job->request = controller->users_request;
    job->text = controller->users_text;
    controller->users_request = NULL;
    controller->users_text = NULL;
    if (drives->count > 0)
        drive_path(drives->drive[0].name, job->drive);
    job->order = (struct users_order){.drive = drives->count > 0 ? job->drive : NULL,
                                      .writable = drives->count > 0 && drives->drive[0].writer,
                                      .text = job->text,
                                      .len_bytes = job->text != NULL ? strlen(job->text) : 0};
    controller->users_busy = true;
    if (job_start(controller->jobs, apply, applied, job) < 0)
        abort();
}

const char *people_choose(const struct controller *controller, const char *name)
{
    if (name[0] == '\0')
        name = controller->first_user;
    return account_is_user(name) ? name : NULL;
}
