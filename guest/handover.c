/*
 * Handover: see handover.h. A record is block-like (README 1.2): label and fields.
 */
#include "guest/handover.h"

#include <errno.h>
#include <string.h>

#include "protocol/wire.h"

#define LABEL "kiln/1 handover"

int handover_encode(const struct handover *handover, uint8_t out[HANDOVER_RECORD_MAX], size_t *ret_len_bytes)
{
    struct wire_writer writer = wire_writer_init(out, HANDOVER_RECORD_MAX);
    wire_write_field_text(&writer, LABEL);
    wire_write_field(&writer, handover->manifest, sizeof handover->manifest);
    wire_write_field(&writer, handover->config, sizeof handover->config);
    wire_write_field_text(&writer, handover->stub_version);
    wire_write_field(&writer, handover->kept, handover->kept_len);
    return wire_writer_end(&writer, ret_len_bytes);
}

int handover_decode(const void *record, size_t len_bytes, struct handover *ret_handover)
{
    struct wire_reader reader = wire_reader_init(record, len_bytes);
    wire_read_label(&reader, LABEL);
    struct bytes manifest = wire_read_field(&reader);
    struct bytes config = wire_read_field(&reader);
    struct bytes version = wire_read_field(&reader);
    struct bytes kept = wire_read_field(&reader);
    if (wire_reader_end(&reader) < 0 || manifest.len != HANDOVER_HASH_LEN ||
        config.len != HANDOVER_HASH_LEN || version.len >= HANDOVER_VERSION_MAX ||
        memchr(version.bytes, '\0', version.len) != NULL || kept.len > HANDOVER_KEPT_MAX)
        return -EBADMSG;
    memcpy(ret_handover->manifest, manifest.bytes, HANDOVER_HASH_LEN);
    memcpy(ret_handover->config, config.bytes, HANDOVER_HASH_LEN);
    memcpy(ret_handover->stub_version, version.bytes, version.len);
    ret_handover->stub_version[version.len] = '\0';
    memcpy(ret_handover->kept, kept.bytes, kept.len);
    ret_handover->kept_len = kept.len;
    return 0;
}
