/*
 * Host tell: see host_tell.h.
 */
#include "guest/host_tell.h"

#include <stdbool.h>
#include <string.h>

#include "guest/channels.h"
#include "guest/controller.h"
#include "guest/host_link.h"
#include "protocol/code.h"
#include "protocol/json_write.h"

static struct json_writer begin(void)
{
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    return out;
}

static void end(struct host_link *link, const char *method, struct json_writer *out)
{
    json_write_object_end(out);
    host_link_notify(link, method, out);
}

static const char *code_name(int32_t code)
{
    const struct code_info *info = code_info((enum kiln_code)code);
    return info != NULL ? info->name : "INTERNAL";
}

static void tell_state(struct host_link *link, struct host_told *told, const struct guest *guest)
{
    if (told->state == guest->head.state)
        return;
    told->state = guest->head.state;
    struct json_writer out = begin();
    json_write_text(&out, "state", guest_state_name(guest->head.state));
    json_write_text(&out, "story", guest->head.story);
    end(link, "guest.state", &out);
}

static void tell_channel(struct host_link *link, const char *method, uint64_t channel)
{
    struct json_writer out = begin();
    json_write_int(&out, "channel", (int64_t)channel);
    json_write_int(&out, "assignment", (int64_t)host_link_controller(link)->owner.assignment);
    end(link, method, &out);
}

static bool has_channel(const uint64_t *channels, unsigned count, uint64_t channel)
{
    for (unsigned i = 0; i < count; i++)
        if (channels[i] == channel)
            return true;
    return false;
}

static void tell_channels(struct host_link *link, struct host_told *told)
{
    uint64_t now[HOST_CHANNELS_MAX];
    unsigned count = channels_list(host_link_controller(link)->channels, now, HOST_CHANNELS_MAX);
    for (unsigned i = 0; i < count; i++)
        if (!has_channel(told->channels, told->nchannels, now[i]))
            tell_channel(link, "guest.paired", now[i]);
    for (unsigned i = 0; i < told->nchannels; i++)
        if (!has_channel(now, count, told->channels[i]))
            tell_channel(link, "guest.unpaired", told->channels[i]);
    memcpy(told->channels, now, count * sizeof now[0]);
    told->nchannels = count;
}

static const char *wire_status(const struct guest_drive *drive)
{
    if (drive->status == GUEST_DRIVE_MOUNTED)
        return "mounted";
    if (drive->status != GUEST_DRIVE_FAILED)
        return NULL; /* attached, or being unlocked: the host knows the one and needs not the other */
    return drive->code == CODE_DRIVE_BLANK ? "blank" : "failed";
}

static bool was_told(const struct host_told *told, const struct guest_drive *drive)
{
    for (int i = 0; i < told->drives.count; i++) {
        const struct guest_drive *before = &told->drives.drive[i];
        if (memcmp(before->id, drive->id, GUEST_ID_LEN) == 0)
            return before->status == drive->status && before->code == drive->code &&
                   strcmp(before->detail, drive->detail) == 0;
    }
    return false;
}

static void tell_drives(struct host_link *link, struct host_told *told, const struct guest *guest)
{
    for (int i = 0; i < guest->drives.count; i++) {
        const struct guest_drive *drive = &guest->drives.drive[i];
        const char *status = wire_status(drive);
        if (status == NULL || was_told(told, drive))
            continue;
        struct json_writer out = begin();
        json_write_uuid(&out, "drive", drive->id);
        json_write_text(&out, "status", status);
        json_write_text(&out, "code", drive->code != 0 ? code_name(drive->code) : "");
        json_write_text(&out, "detail", drive->detail);
        end(link, "guest.drive", &out);
    }
    told->drives = guest->drives;
}

static void tell_failure(struct host_link *link, struct host_told *told, const struct guest *guest)
{
    if (told->code == guest->code)
        return;
    told->code = guest->code;
    if (guest->code == 0)
        return;
    struct json_writer out = begin();
    json_write_text(&out, "code", code_name(guest->code));
    json_write_text(&out, "detail", guest->detail);
    end(link, "guest.failure", &out);
}

static void tell_ready(struct host_link *link, struct host_told *told, const struct guest *guest)
{
    bool ready = guest->head.state == GUEST_READY;
    if (ready && !told->ready) {
        struct json_writer out = begin();
        end(link, "guest.ready", &out);
    }
    told->ready = ready;
}

void host_tell(struct host_link *link)
{
    struct host_told *told = host_link_told(link);
    const struct guest *guest = &host_link_controller(link)->machine;
    if (told == NULL)
        return;
    tell_state(link, told, guest);
    tell_channels(link, told);
    tell_drives(link, told, guest);
    tell_failure(link, told, guest);
    tell_ready(link, told, guest);
}
