/*
 * Channels: see channels.h.
 */
#include "guest/channels.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "guest/controller.h"
#include "guest/owner_channel.h"
#include "protocol/code.h"
#include "protocol/handshake.h"
#include "protocol/json_write.h"
#include "src/io/backoff.h"
#include "src/io/loop.h"

#define RETRY_FIRST_MS 100 /* after one that ended unauthenticated or could not be opened */
#define RETRY_LAST_MS 5000

struct channels {
    struct controller *controller;            /* borrowed */
    struct owner_channel *list[CHANNELS_MAX]; /* owned; NULL: free */
    bool wanted;                              /* one shall wait */
    uint64_t next_number;
    struct loop_timer *again; /* owned */
    struct backoff backoff;
};

static unsigned count_stage(const struct channels *channels, enum owner_stage stage)
{
    unsigned count = 0;
    for (int i = 0; i < CHANNELS_MAX; i++)
        count += channels->list[i] != NULL && owner_channel_stage(channels->list[i]) == stage;
    return count;
}

static void try_later(struct channels *channels)
{
    loop_timer_arm(channels->again, backoff_next(&channels->backoff));
}

static void open_one(struct channels *channels)
{
    int slot = 0;
    while (slot < CHANNELS_MAX && channels->list[slot] != NULL)
        slot++;
    if (slot == CHANNELS_MAX)
        return;
    if (owner_channel_open(channels->controller, channels->next_number++, &channels->list[slot]) < 0) {
        channels->list[slot] = NULL;
        try_later(channels);
    }
}

/* Opens the next when none waits; strangers who begin handshakes and do not finish them get no more of
 * them. */
static void keep_waiting(void *arg)
{
    struct channels *channels = arg;
    if (channels->wanted && !loop_timer_armed(channels->again) && count_stage(channels, OWNER_WAITING) == 0 &&
        count_stage(channels, OWNER_HANDSHAKE) < HANDSHAKE_BEGUN_MAX)
        open_one(channels);
}

int channels_create(struct controller *controller, struct channels **ret_channels)
{
    struct channels *channels = calloc(1, sizeof *channels);
    if (channels == NULL)
        return -ENOMEM;
    channels->controller = controller;
    channels->next_number = 1;
    channels->backoff = (struct backoff){.first_ms = RETRY_FIRST_MS, .last_ms = RETRY_LAST_MS};
    int result = loop_timer_create(controller->loop, keep_waiting, channels, &channels->again);
    if (result < 0) {
        free(channels);
        return result;
    }
    *ret_channels = channels;
    return 0;
}

void channels_open(struct channels *channels)
{
    channels->wanted = true;
    keep_waiting(channels);
}

void channels_close(struct channels *channels)
{
    channels->wanted = false;
    loop_timer_disarm(channels->again);
    for (int i = 0; i < CHANNELS_MAX; i++) {
        struct owner_channel *channel = channels->list[i];
        channels->list[i] = NULL;
        owner_channel_close(channel);
    }
}

void channels_destroy(struct channels *channels)
{
    if (channels == NULL)
        return;
    channels_close(channels);
    loop_timer_destroy(channels->again);
    free(channels);
}

unsigned channels_list(const struct channels *channels, uint64_t *ret_numbers, unsigned max)
{
    unsigned count = 0;
    for (int i = 0; i < CHANNELS_MAX && count < max; i++)
        if (channels->list[i] != NULL && owner_channel_stage(channels->list[i]) == OWNER_AUTHENTICATED)
            ret_numbers[count++] = owner_channel_number(channels->list[i]);
    return count;
}

static void tell_all(struct channels *channels, const char *method, struct json_writer *params)
{
    for (int i = 0; i < CHANNELS_MAX && json_writer_end(params) == 0; i++)
        if (channels->list[i] != NULL)
            owner_channel_notify(channels->list[i], method, params->text);
    json_writer_finish(params);
}

void channels_tell_state(struct channels *channels)
{
    const struct guest *guest = &channels->controller->machine;
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "state", guest_state_name(guest->head.state));
    json_write_text(&out, "story", guest->head.story);
    json_write_object_end(&out);
    tell_all(channels, "state", &out);
}

void channels_tell_drive(struct channels *channels, const struct guest_drive *drive)
{
    const struct code_info *info = code_info((enum kiln_code)drive->code);
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_uuid(&out, "drive", drive->id);
    json_write_text(&out, "status", guest_drive_status_name(drive->status));
    json_write_text(&out, "code", info != NULL ? info->name : "");
    json_write_text(&out, "detail", drive->detail);
    json_write_object_end(&out);
    tell_all(channels, "drive", &out);
}

void channels_begun(struct channels *channels)
{
    keep_waiting(channels);
}

static void tell_count(struct channels *channels, enum guest_event_kind kind)
{
    const struct guest_event event = {.head.on = kind, .count = count_stage(channels, OWNER_AUTHENTICATED)};
    controller_happen(channels->controller, &event);
}

void channels_authenticated(struct channels *channels)
{
    backoff_reset(&channels->backoff);
    tell_count(channels, GUEST_ON_OWNER_AUTHENTICATED);
    keep_waiting(channels);
}

void channels_ended(struct channels *channels, struct owner_channel *channel)
{
    bool authenticated = owner_channel_stage(channel) == OWNER_AUTHENTICATED;
    for (int i = 0; i < CHANNELS_MAX; i++)
        if (channels->list[i] == channel)
            channels->list[i] = NULL;
    if (authenticated)
        tell_count(channels, GUEST_ON_CHANNEL_CLOSED);
    else if (channels->wanted && !loop_timer_armed(channels->again))
        try_later(channels);
    keep_waiting(channels);
}
