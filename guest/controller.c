/*
 * Controller: see controller.h.
 */
#include "guest/controller.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/channels.h"
#include "guest/effects.h"
#include "guest/host_link.h"
#include "guest/job.h"
#include "guest/locked.h"
#include "guest/port22.h"
#include "guest/registration.h"
#include "guest/terminals.h"
#include "protocol/crypto.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/tls.h"

#define DEFAULT_HEARTBEAT_S 15

struct queued_event {
    struct guest_event event;
    struct queued_event *next;
};

/* Tells owners' channels what changed of the state and of each drive. */
static void tell_owners(struct controller *controller, const struct guest *before)
{
    const struct guest *now = &controller->machine;
    if (now->head.state != before->head.state)
        channels_tell_state(controller->channels);
    for (int i = 0; i < now->drives.count; i++)
        if (i >= before->drives.count || now->drives.drive[i].status != before->drives.drive[i].status)
            channels_tell_drive(controller->channels, &now->drives.drive[i]);
}

static bool take_event(struct controller *controller, const struct guest_event *event)
{
    struct fsm_fx fx;
    struct guest before = controller->machine;
    fsm_fx_init(&fx);
    const struct fsm_row *row = guest_step(&controller->machine, event, &fx);
    if (row == NULL) {
        log_debug("machine", "refused", "event=%s state=%s", guest_event_name(event->head.on),
                  guest_state_name(before.head.state));
        return false;
    }
    log_info("machine", row->story, "event=%s state=%s", guest_event_name(event->head.on),
             guest_state_name(controller->machine.head.state));
    effects_perform(controller, &fx);
    tell_owners(controller, &before);
    return true;
}

static void take_queue(struct controller *controller)
{
    while (controller->events != NULL) {
        struct queued_event *queued = controller->events;
        controller->events = queued->next;
        take_event(controller, &queued->event);
        free(queued);
    }
}

static void queue_event(struct controller *controller, const struct guest_event *event)
{
    struct queued_event **last = &controller->events;
    while (*last != NULL)
        last = &(*last)->next;
    *last = malloc(sizeof **last);
    if (*last == NULL)
        abort(); /* an event lost would leave the machine waiting for ever; the stub starts us again */
    **last = (struct queued_event){.event = *event};
}

bool controller_happen(struct controller *controller, const struct guest_event *event)
{
    struct guest_event timed = *event;
    timed.head.at_ms = loop_wall_ms();
    if (controller->stepping) {
        queue_event(controller, &timed);
        return true;
    }
    controller->stepping = true;
    bool taken = take_event(controller, &timed);
    take_queue(controller);
    controller->stepping = false;
    return taken;
}

bool controller_happen_plain(struct controller *controller, enum guest_event_kind kind)
{
    const struct guest_event event = {.head.on = kind};
    return controller_happen(controller, &event);
}

void controller_happen_trouble(struct controller *controller, enum guest_event_kind kind, enum kiln_code code,
                               const char *detail)
{
    struct guest_event event = {.head.on = kind, .trouble.code = code};
    fsm_text_keep(event.trouble.detail, sizeof event.trouble.detail, detail);
    controller_happen(controller, &event);
}

bool controller_happen_drive(struct controller *controller, enum guest_event_kind kind,
                             const uint8_t id[GUEST_ID_LEN], enum kiln_code code, const char *detail)
{
    struct guest_event event = {.head.on = kind, .drive.trouble.code = code};
    memcpy(event.drive.id, id, GUEST_ID_LEN);
    fsm_text_keep(event.drive.trouble.detail, sizeof event.drive.trouble.detail, detail);
    return controller_happen(controller, &event);
}

void controller_keep(struct controller *controller)
{
    struct secrets *secrets = controller->secrets;
    size_t len;
    int result = kept_encode(&secrets->kept, secrets->block, HANDOVER_KEPT_MAX, &len);
    if (result == 0 && send(controller->options.stub_fd, secrets->block, len, MSG_NOSIGNAL) < 0)
        result = -errno;
    explicit_bzero(secrets->block, sizeof secrets->block);
    if (result < 0)
        log_error("controller", "the stub cannot keep the VM's key", "error=%s", strerror(-result));
}

static int read_handover(struct controller *controller)
{
    struct secrets *secrets = controller->secrets;
    ssize_t len = recv(controller->options.stub_fd, secrets->block, sizeof secrets->block, 0);
    int result = len < 0 ? -errno : handover_decode(secrets->block, (size_t)len, &secrets->handover);
    explicit_bzero(secrets->block, sizeof secrets->block);
    if (result == 0 && secrets->handover.kept_len > 0)
        result = kept_decode(secrets->handover.kept, secrets->handover.kept_len, &secrets->kept);
    explicit_bzero(secrets->handover.kept, sizeof secrets->handover.kept);
    return result;
}

static int read_boot(struct controller *controller)
{
    char error[BOOT_ERROR_MAX] = "";
    const char *sysroot = controller->options.sysroot;
    int result = boot_read(sysroot, &controller->boot, error);
    if (result == 0)
        result = boot_read_secret(sysroot, controller->secrets->boot_secret, error);
    if (result < 0) {
        console_fail(&controller->console, CODE_BOOT_DATA_MISSING, error);
        controller->exit_status = HANDOVER_FAILED;
        return result;
    }
    register_derive_key(controller->secrets->boot_secret, controller->secrets->registration_key);
    return 0;
}

static void end_loop(void *arg)
{
    struct controller *controller = arg;
    loop_stop(controller->loop);
}

static int make_parts(struct controller *controller)
{
    int result = job_queue_create(controller->loop, &controller->jobs);
    if (result == 0)
        result = tls_client_create(controller->boot.data.edge, &controller->tls);
    if (result == 0)
        result = registration_create(controller, &controller->registration);
    if (result == 0)
        result = host_link_create(controller, &controller->link);
    if (result == 0)
        result = channels_create(controller, &controller->channels);
    if (result == 0)
        result = terminals_create(controller->loop, TERMINALS_FOLDER, &controller->terminals);
    if (result == 0)
        result = loop_timer_create(controller->loop, end_loop, controller, &controller->end);
    return result;
}

static void begin(struct controller *controller)
{
    struct fsm_fx fx;
    fsm_fx_init(&fx);
    controller->stepping = true;
    guest_begin(&controller->machine, loop_wall_ms(), &fx);
    effects_perform(controller, &fx);
    take_queue(controller);
    controller->stepping = false;
}

int controller_create(struct loop *loop, const struct controller_options *options,
                      struct controller **ret_controller)
{
    struct controller *controller = calloc(1, sizeof *controller);
    if (controller == NULL)
        return -ENOMEM;
    *controller = (struct controller){
        .loop = loop, .options = *options, .settings = {.heartbeat_s = DEFAULT_HEARTBEAT_S}};
    console_init(&controller->console, options->console_path);
    /* It came over an exec; what we start has nothing to say to the stub. */
    fcntl(options->stub_fd, F_SETFD, FD_CLOEXEC);
    void *secrets;
    int result = locked_create(sizeof *controller->secrets, &secrets);
    if (result == 0) {
        controller->secrets = secrets;
        result = read_handover(controller);
    }
    if (result == 0)
        result = read_boot(controller);
    if (result == 0)
        result = make_parts(controller);
    if (result < 0) {
        log_error("controller", "cannot start", "error=%s", strerror(-result));
        controller_destroy(controller);
        return result;
    }
    begin(controller);
    *ret_controller = controller;
    return 0;
}

void controller_destroy(struct controller *controller)
{
    if (controller == NULL)
        return;
    job_queue_destroy(controller->jobs);
    channels_destroy(controller->channels);
    terminals_destroy(controller->terminals);
    host_link_destroy(controller->link);
    registration_destroy(controller->registration);
    port22_close(controller->port22);
    if (controller->end != NULL)
        loop_timer_destroy(controller->end);
    tls_client_destroy(controller->tls);
    crypto_rsa_destroy(controller->owner.key);
    crypto_rsa_destroy(controller->key);
    while (controller->events != NULL) {
        struct queued_event *next = controller->events->next;
        free(controller->events);
        controller->events = next;
    }
    free(controller->users_text);
    locked_destroy(controller->secrets, sizeof *controller->secrets);
    free(controller);
}

int controller_exit_status(const struct controller *controller)
{
    return controller->exit_status;
}
