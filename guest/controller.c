/*
 * Controller: see controller.h. How it begins and ends; controller_events.c is what happens between.
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
#include "guest/host_link.h"
#include "guest/job.h"
#include "guest/port22.h"
#include "guest/registration.h"
#include "guest/terminals.h"
#include "protocol/crypto.h"
#include "src/io/locked.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/tls.h"

#define DEFAULT_HEARTBEAT_S 15

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
    controller_begin(controller);
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
    controller_forget_events(controller);
    free(controller->users_text);
    locked_destroy(controller->secrets, sizeof *controller->secrets);
    free(controller);
}

int controller_exit_status(const struct controller *controller)
{
    return controller->exit_status;
}
