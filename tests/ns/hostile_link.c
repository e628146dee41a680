/*
 * Hostile link: what the hostile edge does to records of a guest's link, in both directions
 * (protocol/README 4.4). In: records. Out: the records as they are, or changed, repeated, swapped, reflected,
 * forged, or of an earlier link. Kept: the last record of each direction, a held one, and the first record of
 * the first link.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/json.h"
#include "protocol/link.h"
#include "protocol/wire.h"
#include "src/edge/kilnd.h"
#include "src/edge/links.h"
#include "tests/ns/hostile.h"
#include "tests/ns/hostile_channel.h"
#include "tests/ns/malice.h"

struct record {
    uint8_t bytes[LINK_RECORD_MAX];
    size_t len;
};

void __real_kilnd_notify(struct kilnd *kilnd, const char *method, struct json_writer *params);
void __wrap_kilnd_notify(struct kilnd *kilnd, const char *method, struct json_writer *params);
void __real_links_send(struct links *links, uint64_t link, const void *bytes, size_t len);
void __wrap_links_send(struct links *links, uint64_t link, const void *bytes, size_t len);

static struct record last_up, last_down, held, first_ever;

static void keep(struct record *record, const void *bytes, size_t len)
{
    if (len > sizeof record->bytes)
        abort();
    memcpy(record->bytes, bytes, len);
    record->len = len;
}

static bool take_armed(const char *name)
{
    if (!malice_armed(name, NULL, 0))
        return false;
    malice_done(name);
    return true;
}

/* What would be the next record after RECORD, by somebody without the key. */
static void forge_next(struct record *record)
{
    wire_put_u64(record->bytes, wire_get_u64(record->bytes) + 1);
}

static void send_up(struct kilnd *kilnd, uint64_t link, const struct record *record)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_int(&params, "link", (int64_t)link);
    json_write_base64(&params, "data", record->bytes, record->len);
    json_write_object_end(&params);
    __real_kilnd_notify(kilnd, "link.data", &params);
}

/* The record and whatever is armed for the guest's direction. */
static void pass_up(struct kilnd *kilnd, uint64_t link, struct record *record)
{
    const uint64_t counter = wire_get_u64(record->bytes);
    if (counter == 0 && first_ever.len > 0 && take_armed("link-old"))
        *record = first_ever;
    else if (counter == 0 && first_ever.len == 0)
        first_ever = *record;
    if (take_armed("link-flip"))
        record->bytes[record->len - 1] ^= 1;
    if (take_armed("link-reflect") && last_down.len > 0)
        send_up(kilnd, link, &last_down);
    if (counter > 0 && held.len == 0 && malice_armed("link-swap", NULL, 0)) {
        held = *record;
        return;
    }
    send_up(kilnd, link, record);
    if (held.len > 0) {
        send_up(kilnd, link, &held);
        held.len = 0;
        malice_done("link-swap");
    }
    if (take_armed("link-repeat"))
        send_up(kilnd, link, record);
    if (take_armed("link-forge")) {
        forge_next(record);
        send_up(kilnd, link, record);
    }
}

void __wrap_kilnd_notify(struct kilnd *kilnd, const char *method, struct json_writer *params)
{
    struct json *object;
    static struct record record;
    if (strcmp(method, "link.data") != 0 ||
        json_parse(params->text, params->len, &json_limits_edge, &object) < 0) {
        __real_kilnd_notify(kilnd, method, params);
        return;
    }
    struct json_reader reader = json_reader_init(object);
    uint64_t link = (uint64_t)json_read_int(&reader, "link", 0, INT64_MAX);
    record.len = json_read_base64(&reader, "data", record.bytes, sizeof record.bytes);
    json_destroy(object);
    /* A nonce is no record; there is nothing of it to forge. */
    if (record.len <= LINK_OVERHEAD_BYTES) {
        __real_kilnd_notify(kilnd, method, params);
        return;
    }
    json_writer_finish(params);
    keep(&last_up, record.bytes, record.len);
    pass_up(kilnd, link, &record);
}

static void pass_down(struct links *links, uint64_t link, struct record *record)
{
    if (take_armed("link-flip-down"))
        record->bytes[record->len - 1] ^= 1;
    if (last_up.len > 0 && take_armed("link-reflect-down"))
        __real_links_send(links, link, last_up.bytes, last_up.len);
    __real_links_send(links, link, record->bytes, record->len);
    if (take_armed("link-repeat-down"))
        __real_links_send(links, link, record->bytes, record->len);
    if (take_armed("link-forge-down")) {
        forge_next(record);
        __real_links_send(links, link, record->bytes, record->len);
    }
}

void __wrap_links_send(struct links *links, uint64_t link, const void *bytes, size_t len)
{
    static struct record record;
    hostile_channel_leave(true);
    if (len <= LINK_OVERHEAD_BYTES) {
        __real_links_send(links, link, bytes, len);
    } else {
        keep(&last_down, bytes, len);
        keep(&record, bytes, len);
        pass_down(links, link, &record);
    }
    hostile_channel_leave(false);
}
