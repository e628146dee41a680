/* links: kiln_protocol */
/* Text forms and the binary wire: one text for each value, nothing beyond the end, errors stick. */
#include <errno.h>
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/wire.h"

enum { BYTES_MAX = 256, REFUSED = 0x5a };

static void check_hex(const char *text)
{
    uint8_t bytes[BYTES_MAX], untouched[BYTES_MAX];
    char again[TEXT_HEX_BYTES(BYTES_MAX)];
    size_t len = strlen(text) / 2;
    if (len > BYTES_MAX)
        return;
    memset(bytes, REFUSED, sizeof bytes);
    memset(untouched, REFUSED, sizeof untouched);
    if (hex_decode(text, bytes, len) < 0) {
        CLAIM(memcmp(bytes, untouched, sizeof bytes) == 0);
        return;
    }
    hex_encode(bytes, len, again);
    CLAIM(strcmp(again, text) == 0 && hex_decode(text, bytes, len + 1) < 0);
}

static void check_base64(const uint8_t *data, size_t size, const char *text)
{
    uint8_t bytes[BYTES_MAX];
    char again[TEXT_BASE64_BYTES(BYTES_MAX)];
    size_t len;
    if (size <= BYTES_MAX) {
        base64_encode(data, size, again);
        CLAIM(strlen(again) + 1 == TEXT_BASE64_BYTES(size));
        CLAIM(base64_decode(again, strlen(again), bytes, size, &len) == 0 && len == size);
        CLAIM(size == 0 || memcmp(bytes, data, size) == 0);
        CLAIM(size == 0 || base64_decode(again, strlen(again), bytes, size - 1, &len) == -ENOSPC);
    }
    if (base64_decode(text, size, bytes, sizeof bytes, &len) == 0) {
        CLAIM(len <= TEXT_BASE64_DECODED(size));
        base64_encode(bytes, len, again);
        CLAIM(strlen(again) == size && memcmp(again, text, size) == 0);
    }
}

static void check_names(const char *text, size_t size)
{
    uint8_t uuid[UUID_BYTES];
    char again[UUID_TEXT_BYTES];
    if (uuid_parse(text, uuid) == 0) {
        uuid_format(uuid, again);
        CLAIM(strcmp(again, text) == 0);
    }
    CLAIM(!name_valid(text) || (strlen(text) > 0 && strlen(text) < NAME_BYTES && text[0] != '-'));
    size_t good = utf8_valid_prefix(text, size);
    CLAIM(good <= size && utf8_valid_prefix(text, good) == good);
    CLAIM(good == size || utf8_valid_prefix(text + good, size - good) == 0);
}

/* What is read field by field is written to the same bytes. */
static void check_wire(const uint8_t *data, size_t size)
{
    static uint8_t written[65536];
    struct wire_reader reader = wire_reader_init(data, size);
    struct wire_writer writer = wire_writer_init(written, sizeof written);
    size_t len, fields = 0;
    while (!reader.bad && reader.left > 0) {
        struct bytes field = wire_read_field(&reader);
        CLAIM(reader.left <= size && (!reader.bad || field.len == 0));
        if (!reader.bad)
            wire_write_field(&writer, field.bytes, field.len);
        fields++;
    }
    if (wire_reader_end(&reader) == 0) {
        CLAIM(fields <= size / 4);
        CLAIM(size > sizeof written || (wire_writer_end(&writer, &len) == 0 && len == size));
        CLAIM(size > sizeof written || size == 0 || memcmp(written, data, size) == 0);
        return;
    }
    CLAIM(wire_read_u64(&reader) == 0 && wire_read_field(&reader).len == 0 && wire_reader_end(&reader) < 0);
}

/* However small the room, nothing is written past it and the end tells. */
static void check_room(const uint8_t *data, size_t size)
{
    size_t room = size > 0 ? data[0] : 0, len = 0;
    uint8_t *small = malloc(room + 1);
    if (!small)
        return;
    struct wire_writer writer = wire_writer_init(small, room);
    wire_write_u16(&writer, 1);
    wire_write_field(&writer, data, size);
    wire_write_field_u64(&writer, size);
    CLAIM((wire_writer_end(&writer, &len) == 0) == (2 + 4 + size + 12 <= room));
    CLAIM(len <= room);
    free(small);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = input_text(data, size);
    check_hex(text);
    check_base64(data, size, text);
    check_names(text, size);
    check_wire(data, size);
    check_room(data, size);
    free(text);
    return 0;
}
