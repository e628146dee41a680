/*
 * What a guest says on its link, as events of its VM's machine (protocol/README 6.4).
 *
 * In: JSON-RPC of a proved link. Out: events. Kept: which channels the guest named.
 * A message that is malformed, or that the machine refuses, closes the link.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json.h"
#include "src/core/guest_link_private.h"
#include "src/core/machine.h"
#include "src/io/loop.h"
#include "src/io/rpc.h"

/* Which link an event came from; the link may be gone when the event is durable. */
struct report {
    struct guest_links *links; /* borrowed */
    uint64_t serial;
};

static void taken(void *arg, int error, const struct vm *vm)
{
    struct report *report = arg;
    (void)vm;
    struct guest_link *link = report->links->list;
    while (link && link->serial != report->serial)
        link = link->next;
    if (link)
        link->owed--;
    if (link && error == -EPERM)
        guest_link_end(link, "it says what cannot be now");
    free(report);
}

/* Whether the link may bring one more event in this window. */
static bool count_event(struct guest_link *link)
{
    int64_t now_ms = loop_monotonic_ms();
    if (now_ms - link->window_ms >= GUEST_EVENTS_PER_MS) {
        link->window_ms = now_ms;
        link->events = 0;
    }
    return ++link->events <= GUEST_EVENTS_MAX;
}

static void post(struct guest_link *link, const struct vm_event *event)
{
    struct report *report = NULL;
    if (link->ended || link->replaced)
        return;
    /* A disk that refuses may do so for long, and what waits for it waits in memory. */
    if (!count_event(link) || link->owed == GUEST_EVENTS_OWED_MAX) {
        guest_link_end(link, "too many reports");
        return;
    }
    report = malloc(sizeof *report);
    if (report) {
        *report = (struct report){link->links, link->serial};
        if (machine_post(link->links->verbs->core, link->uuid, event, CORE_ACTOR_GUEST, taken, report) == 0) {
            link->owed++;
            return;
        }
    }
    free(report);
    guest_link_end(link, "no memory");
}

static void post_kind(struct guest_link *link, enum vm_event_kind kind)
{
    struct vm_event event = {.head = {.on = kind}};
    post(link, &event);
}

static void post_channels(struct guest_link *link, enum vm_event_kind kind)
{
    struct vm_event event = {.head = {.on = kind}};
    event.count = link->nchannels;
    post(link, &event);
}

/* Ends the link unless all was read well. */
static bool is_whole(struct guest_link *link, const struct json_reader *reader)
{
    if (json_reader_end(reader) == 0)
        return true;
    guest_link_end(link, "a message is malformed");
    return false;
}

static void handle_hello(struct rpc_request *request, const struct json *params, void *arg)
{
    (void)params;
    (void)arg;
    rpc_reply(request, "{}");
}

static void handle_state(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    struct vm_event event = {.head = {.on = VM_ON_GUEST_STATE}};
    const char *state = json_read_text(&reader, "state");
    rpc_reply(request, "{}");
    if (!is_whole(arg, &reader))
        return;
    fsm_text_keep(event.guest_state, sizeof event.guest_state, state);
    post(arg, &event);
}

/* What the owner can set right and try again; anything else ends the integration. */
static bool can_be_tried_again(enum kiln_code code)
{
    switch (code) {
    case CODE_HOST_UNREACHABLE:
    case CODE_WEBSOCKET_FAILED:
    case CODE_DRIVE_UNKNOWN:
    case CODE_DRIVE_KEY_WRONG:
    case CODE_DRIVE_BLANK:
    case CODE_DRIVE_NOT_BLANK:
    case CODE_DRIVE_MOUNT_FAILED:
    case CODE_DRIVE_MODE:
    case CODE_USERS_MALFORMED:
    case CODE_USERS_FAILED:
    case CODE_NO_USER:
        return true;
    default:
        return false;
    }
}

static void read_trouble(struct json_reader *reader, struct vm_trouble *trouble)
{
    const struct code_info *info = code_find(json_read_text_or(reader, "code", ""));
    trouble->code = info ? (int32_t)info->code : CODE_INTERNAL;
    fsm_text_keep(trouble->detail, sizeof trouble->detail, json_read_text_or(reader, "detail", ""));
}

static void handle_failure(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    struct vm_event event = {.head = {.on = VM_ON_GUEST_FAILED}};
    read_trouble(&reader, &event.trouble);
    rpc_reply(request, "{}");
    if (!is_whole(arg, &reader))
        return;
    if (can_be_tried_again((enum kiln_code)event.trouble.code))
        event.head.on = VM_ON_GUEST_TROUBLE;
    post(arg, &event);
}

static uint32_t find_channel(const struct guest_link *link, uint64_t channel)
{
    uint32_t i = 0;
    while (i < link->nchannels && link->channels[i] != channel)
        i++;
    return i;
}

/* The guest names the assignment that its channel's binding carries; another one than the record's cannot
 * be. */
static void handle_paired(struct rpc_request *request, const struct json *params, void *arg)
{
    struct guest_link *link = arg;
    struct json_reader reader = json_reader_init(params);
    const struct vm_slot *slot = core_vm(link->links->verbs->core, link->uuid);
    uint64_t channel = (uint64_t)json_read_int(&reader, "channel", 0, INT64_MAX);
    uint64_t assignment = (uint64_t)json_read_int(&reader, "assignment", 0, INT64_MAX);
    rpc_reply(request, "{}");
    if (!slot || !slot->vm.assigned || assignment != slot->vm.assignment_number)
        json_reader_fail(&reader, "assignment");
    if (find_channel(link, channel) == GUEST_CHANNELS_MAX)
        json_reader_fail(&reader, "channel");
    if (!is_whole(link, &reader))
        return;
    if (find_channel(link, channel) == link->nchannels)
        link->channels[link->nchannels++] = channel;
    post_channels(link, VM_ON_PAIRED);
}

static void handle_unpaired(struct rpc_request *request, const struct json *params, void *arg)
{
    struct guest_link *link = arg;
    struct json_reader reader = json_reader_init(params);
    uint64_t channel = (uint64_t)json_read_int(&reader, "channel", 0, INT64_MAX);
    uint32_t index = find_channel(link, channel);
    rpc_reply(request, "{}");
    if (!is_whole(link, &reader) || index == link->nchannels)
        return;
    link->channels[index] = link->channels[--link->nchannels];
    post_channels(link, VM_ON_CHANNEL_CLOSED);
}

static void handle_drive(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    struct vm_event event = {.head = {.on = VM_ON_DRIVE_STATUS}};
    json_read_uuid(&reader, "drive", event.drive.id);
    const char *status = json_read_text(&reader, "status");
    read_trouble(&reader, &event.drive.trouble);
    rpc_reply(request, "{}");
    if (strcmp(status, "unlocked") == 0)
        event.drive.status = VM_DRIVE_UNLOCKED;
    else if (strcmp(status, "mounted") == 0)
        event.drive.status = VM_DRIVE_MOUNTED;
    else if (strcmp(status, "failed") == 0 || strcmp(status, "blank") == 0)
        event.drive.status = VM_DRIVE_FAILED;
    else
        json_reader_fail(&reader, "status");
    if (strcmp(status, "blank") == 0)
        event.drive.trouble.code = CODE_DRIVE_BLANK;
    if (is_whole(arg, &reader))
        post(arg, &event);
}

static void handle_ready(struct rpc_request *request, const struct json *params, void *arg)
{
    (void)params;
    rpc_reply(request, "{}");
    post_kind(arg, VM_ON_GUEST_READY);
}

/* By its first heartbeat the guest has named all channels that are open: those that the record still counts
 * from before ended while no link was there to say so. */
static void handle_heartbeat(struct rpc_request *request, const struct json *params, void *arg)
{
    struct guest_link *link = arg;
    const struct vm_slot *slot = core_vm(link->links->verbs->core, link->uuid);
    (void)params;
    rpc_reply(request, "{}");
    if (link->settled)
        return;
    link->settled = true;
    if (slot && slot->vm.channels > link->nchannels)
        post_channels(link, VM_ON_CHANNEL_CLOSED);
}

const struct rpc_method guest_report_methods[] = {
    {"guest.hello", handle_hello},   {"guest.state", handle_state},         {"guest.failure", handle_failure},
    {"guest.paired", handle_paired}, {"guest.unpaired", handle_unpaired},   {"guest.drive", handle_drive},
    {"guest.ready", handle_ready},   {"guest.heartbeat", handle_heartbeat}, {NULL, NULL},
};
