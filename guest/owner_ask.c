/*
 * Owner ask: see owner_ask.h.
 */
#include "guest/owner_ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/controller.h"
#include "guest/job.h"
#include "guest/owner_channel.h"
#include "guest/owner_terminals.h"
#include "guest/sshd.h"
#include "protocol/json_write.h"
#include "src/io/rpc.h"

struct owner_ask {
    void (*grant)(struct owner_ask *ask);
    struct controller *controller;      /* borrowed */
    struct owner_channel *channel;      /* borrowed */
    struct rpc_request *request;        /* owned */
    const struct terminal_start *start; /* borrowed */
    const char *user, *key_line;        /* borrowed */
};

struct ssh_job {
    struct rpc_request *request; /* owned */
    char user[33];
    char key_line[SSHD_KEY_LINE_MAX], host_key[SSHD_KEY_LINE_MAX];
    int result;
    char said[SSHD_SAID_MAX];
};

static void ask_machine(struct owner_ask *ask, enum guest_event_kind kind)
{
    ask->controller->ask = ask;
    bool granted = controller_happen_plain(ask->controller, kind);
    ask->controller->ask = NULL;
    if (!granted)
        rpc_fail_code(ask->request, CODE_CONFLICT, "the VM is not ready");
}

void owner_ask_perform(struct controller *controller)
{
    if (controller->ask != NULL)
        controller->ask->grant(controller->ask);
}

static void grant_terminal(struct owner_ask *ask)
{
    owner_terminals_begin(ask->channel, ask->request, ask->start);
}

void owner_ask_terminal(struct owner_channel *channel, struct rpc_request *request,
                        const struct terminal_start *start)
{
    struct owner_ask ask = {.grant = grant_terminal,
                            .controller = owner_channel_controller(channel),
                            .channel = channel,
                            .request = request,
                            .start = start};
    ask_machine(&ask, GUEST_ON_TERMINAL_ASKED);
}

static void authorize(void *arg)
{
    struct ssh_job *job = arg;
    job->result = sshd_prepare(job->said);
    if (job->result == 0)
        job->result = sshd_authorize(job->user, job->key_line);
    if (job->result == 0)
        job->result = sshd_host_key(job->host_key);
}

static void authorized(void *arg)
{
    struct ssh_job *job = arg;
    if (job->result < 0) {
        rpc_fail_code(job->request, CODE_INTERNAL, job->said[0] != '\0' ? job->said : strerror(-job->result));
    } else {
        struct json_writer out = json_writer_init(0);
        json_write_object_begin(&out, NULL);
        json_write_text(&out, "host_key", job->host_key);
        json_write_text(&out, "user", job->user);
        json_write_object_end(&out);
        rpc_reply_json(job->request, &out);
    }
    free(job);
}

static void grant_ssh(struct owner_ask *ask)
{
    struct ssh_job *job = calloc(1, sizeof *job);
    if (job != NULL) {
        job->request = ask->request;
        snprintf(job->user, sizeof job->user, "%s", ask->user);
        snprintf(job->key_line, sizeof job->key_line, "%s", ask->key_line);
    }
    if (job == NULL || job_start(ask->controller->jobs, authorize, authorized, job) < 0) {
        free(job);
        rpc_fail_code(ask->request, CODE_INTERNAL, "no memory");
    }
}

void owner_ask_ssh(struct owner_channel *channel, struct rpc_request *request, const char *user,
                   const char *key_line)
{
    struct owner_ask ask = {.grant = grant_ssh,
                            .controller = owner_channel_controller(channel),
                            .channel = channel,
                            .request = request,
                            .user = user,
                            .key_line = key_line};
    ask_machine(&ask, GUEST_ON_SSH_ASKED);
}
