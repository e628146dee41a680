/*
 * The controller's events: each is taken by the machine, its effects are performed, and owners are told what
 * changed. What happens while an event is being taken waits its turn. See controller.h.
 */
#include <stdlib.h>
#include <string.h>

#include "guest/channels.h"
#include "guest/controller.h"
#include "guest/effects.h"
#include "src/io/log.h"
#include "src/io/loop.h"

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

void controller_begin(struct controller *controller)
{
    struct fsm_fx fx;
    fsm_fx_init(&fx);
    controller->stepping = true;
    guest_begin(&controller->machine, loop_wall_ms(), &fx);
    effects_perform(controller, &fx);
    take_queue(controller);
    controller->stepping = false;
}

void controller_forget_events(struct controller *controller)
{
    while (controller->events != NULL) {
        struct queued_event *next = controller->events->next;
        free(controller->events);
        controller->events = next;
    }
}
