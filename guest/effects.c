/*
 * Effects: see effects.h.
 */
#include "guest/effects.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/channels.h"
#include "guest/controller.h"
#include "guest/host_link.h"
#include "guest/host_tell.h"
#include "guest/job.h"
#include "guest/owner_ask.h"
#include "guest/port22.h"
#include "guest/registration.h"
#include "guest/sshd.h"
#include "src/io/log.h"
#include "src/io/loop.h"

#define LAST_WORDS_MS                                                                                        \
    300 /* what is queued on the link may take this long to leave before the program ends                    \
         */

static void serve_connection(void *arg, int fd)
{
    struct controller *controller = arg;
    sshd_serve(controller->loop, fd);
}

static void prepare_sshd(void *arg)
{
    char said[SSHD_SAID_MAX] = "";
    (void)arg;
    if (sshd_prepare(said) < 0)
        log_error("sshd", "cannot be prepared", "said=%s", said);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void bind_port(struct controller *controller)
{
    char holder[PORT22_HOLDER_MAX] = "";
    int result = controller->port22 != NULL ? 0
                                            : port22_open(controller->loop, PORT22_NUMBER, serve_connection,
                                                          controller, holder, &controller->port22);
    if (result < 0) {
        controller_happen_trouble(controller, GUEST_ON_PORT_TAKEN, CODE_PORT_22_TAKEN,
                                  result == -EADDRINUSE ? holder : strerror(-result));
        return;
    }
    /* Making the host key takes time that the registration leaves us. */
    job_start(controller->jobs, prepare_sshd, nothing, controller);
    controller_happen_plain(controller, GUEST_ON_PORT_BOUND);
}

static void open_gate(struct controller *controller)
{
    port22_set_gate(controller->port22, true);
}

static void close_gate(struct controller *controller)
{
    port22_set_gate(controller->port22, false);
}

static void register_vm(struct controller *controller)
{
    registration_start(controller->registration);
}

static void open_link(struct controller *controller)
{
    host_link_open(controller->link);
}

static void open_channel(struct controller *controller)
{
    channels_open(controller->channels);
}

static void close_channels(struct controller *controller)
{
    channels_close(controller->channels);
}

static void report_failure(struct controller *controller)
{
    console_fail(&controller->console, (enum kiln_code)controller->machine.code, controller->machine.detail);
    host_tell(controller->link);
}

static void tell_host(struct controller *controller)
{
    host_tell(controller->link);
}

/* A VM that was in use before a crash must not be lost because the host was away just then. */
static bool host_was_away(const struct controller *controller)
{
    int32_t code = controller->machine.code;
    return controller->machine.exit == GUEST_EXIT_FAILED &&
           (code == CODE_HOST_UNREACHABLE || code == CODE_WEBSOCKET_FAILED);
}

static void end_program(struct controller *controller)
{
    static const int statuses[] = {[GUEST_EXIT_NONE] = EXIT_FAILURE,
                                   [GUEST_EXIT_FAILED] = HANDOVER_FAILED,
                                   [GUEST_EXIT_SHUTDOWN] = HANDOVER_SHUTDOWN,
                                   [GUEST_EXIT_UPDATE] = HANDOVER_UPDATE};
    controller->exit_status =
        host_was_away(controller) ? HANDOVER_UNREACHABLE : statuses[controller->machine.exit];
    loop_timer_arm(controller->end, LAST_WORDS_MS);
}

static void (*const performers[GUEST_EFFECT_COUNT])(struct controller *) = {
    [GUEST_FX_MAKE_KEY] = identity_make_key,
    [GUEST_FX_BIND_PORT] = bind_port,
    [GUEST_FX_REGISTER] = register_vm,
    [GUEST_FX_OPEN_LINK] = open_link,
    [GUEST_FX_OPEN_CHANNEL] = open_channel,
    [GUEST_FX_TELL_HOST] = tell_host,
    [GUEST_FX_CHECK_DRIVES] = drives_check,
    [GUEST_FX_WIPE_KEYS] = drives_wipe_keys,
    [GUEST_FX_APPLY_USERS] = people_apply,
    [GUEST_FX_OPEN_GATE] = open_gate,
    [GUEST_FX_CLOSE_GATE] = close_gate,
    [GUEST_FX_AUTHORIZE_SSH] = owner_ask_perform,
    [GUEST_FX_OPEN_TERMINAL] = owner_ask_perform,
    [GUEST_FX_CLOSE_CHANNELS] = close_channels,
    [GUEST_FX_REPORT_FAILURE] = report_failure,
    [GUEST_FX_EXIT] = end_program,
};

void effects_perform(struct controller *controller, const struct fsm_fx *fx)
{
    for (size_t i = 0; i < fx->count; i++) {
        const struct fsm_effect *effect = &fx->list[i];
        if (effect->what == GUEST_FX_UNLOCK)
            drives_unlock(controller, effect->which);
        else
            performers[effect->what](controller);
    }
}
