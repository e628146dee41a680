/*
 * Kept: see kept.h.
 */
#include "guest/kept.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/wire.h"

#define LABEL "kiln/1 kept"

static void write_request(struct wire_writer *writer, const struct register_request *request)
{
    wire_write_field(writer, request->uuid, sizeof request->uuid);
    wire_write_field(writer, request->public_key, request->public_key_len);
    wire_write_field(writer, request->nonce_v, sizeof request->nonce_v);
    wire_write_field_text(writer, request->stub_version);
    wire_write_field_text(writer, request->controller_version);
    wire_write_field(writer, request->manifest, sizeof request->manifest);
    wire_write_field(writer, request->config, sizeof request->config);
    wire_write_field_u64(writer, request->naddresses);
    for (size_t i = 0; i < request->naddresses; i++)
        wire_write_field_text(writer, request->addresses[i]);
}

int kept_encode(const struct kept *kept, uint8_t *out, size_t max_bytes, size_t *ret_len_bytes)
{
    struct wire_writer writer = wire_writer_init(out, max_bytes);
    wire_write_field_text(&writer, LABEL);
    wire_write_field(&writer, kept->private_key, kept->private_key_len);
    write_request(&writer, &kept->request);
    wire_write_field_u64(&writer, kept->owned);
    wire_write_field(&writer, kept->owner, sizeof kept->owner);
    wire_write_field_u64(&writer, kept->assignment);
    return wire_writer_end(&writer, ret_len_bytes);
}

static void read_text(struct wire_reader *reader, char *out, size_t max_bytes)
{
    struct bytes text = wire_read_field(reader);
    reader->bad = reader->bad || text.len >= max_bytes || memchr(text.bytes, '\0', text.len) != NULL;
    if (!reader->bad)
        snprintf(out, max_bytes, "%.*s", (int)text.len, (const char *)text.bytes);
}

/* A field of at most MAX_BYTES bytes. Returns how many. */
static size_t read_short(struct wire_reader *reader, uint8_t *out, size_t max_bytes)
{
    struct bytes field = wire_read_field(reader);
    reader->bad = reader->bad || field.len > max_bytes;
    if (reader->bad || field.len == 0)
        return 0;
    memcpy(out, field.bytes, field.len);
    return field.len;
}

static void read_request(struct wire_reader *reader, struct register_request *request)
{
    wire_read_field_exact(reader, request->uuid, sizeof request->uuid);
    request->public_key_len = read_short(reader, request->public_key, sizeof request->public_key);
    wire_read_field_exact(reader, request->nonce_v, sizeof request->nonce_v);
    read_text(reader, request->stub_version, sizeof request->stub_version);
    read_text(reader, request->controller_version, sizeof request->controller_version);
    wire_read_field_exact(reader, request->manifest, sizeof request->manifest);
    wire_read_field_exact(reader, request->config, sizeof request->config);
    uint64_t naddresses = wire_read_field_u64(reader);
    reader->bad = reader->bad || naddresses > REGISTER_ADDRESSES_MAX;
    request->naddresses = reader->bad ? 0 : (size_t)naddresses;
    for (size_t i = 0; i < request->naddresses; i++)
        read_text(reader, request->addresses[i], sizeof request->addresses[i]);
}

static void read_kept(struct wire_reader *reader, struct kept *kept)
{
    wire_read_label(reader, LABEL);
    kept->private_key_len = read_short(reader, kept->private_key, sizeof kept->private_key);
    read_request(reader, &kept->request);
    uint64_t owned = wire_read_field_u64(reader);
    reader->bad = reader->bad || owned > 1;
    kept->owned = owned == 1;
    wire_read_field_exact(reader, kept->owner, sizeof kept->owner);
    kept->assignment = wire_read_field_u64(reader);
}

int kept_decode(const void *block, size_t len_bytes, struct kept *ret_kept)
{
    struct wire_reader reader = wire_reader_init(block, len_bytes);
    memset(ret_kept, 0, sizeof *ret_kept);
    read_kept(&reader, ret_kept);
    int error = wire_reader_end(&reader);
    /* No half of a secret stays. */
    if (error < 0)
        crypto_wipe(ret_kept, sizeof *ret_kept);
    return error;
}
