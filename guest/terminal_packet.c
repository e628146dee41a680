/*
 * Terminal packets: see terminal_packet.h.
 */
#include "guest/terminal_packet.h"

#include <errno.h>
#include <string.h>

#include "protocol/wire.h"

static void write_info(struct wire_writer *writer, const struct terminal_info *info)
{
    wire_write_field_text(writer, info->user);
    wire_write_bytes(writer, info->owner, sizeof info->owner);
    wire_write_u64(writer, info->opened_ms);
    wire_write_u64(writer, info->detached_ms);
    wire_write_u32(writer, info->keep_s);
    wire_write_u16(writer, info->rows);
    wire_write_u16(writer, info->columns);
    wire_write_u8(writer, info->ended);
    wire_write_u8(writer, info->status);
}

static void read_info(struct wire_reader *reader, struct terminal_info *info)
{
    struct bytes user = wire_read_field(reader);
    struct bytes owner = wire_read_bytes(reader, sizeof info->owner);
    info->opened_ms = wire_read_u64(reader);
    info->detached_ms = wire_read_u64(reader);
    info->keep_s = wire_read_u32(reader);
    info->rows = wire_read_u16(reader);
    info->columns = wire_read_u16(reader);
    uint8_t ended = wire_read_u8(reader);
    info->ended = ended == 1;
    info->status = wire_read_u8(reader);
    if (reader->bad || user.len >= sizeof info->user || ended > 1 ||
        (user.len > 0 && memchr(user.bytes, '\0', user.len) != NULL)) {
        reader->bad = true;
        return;
    }
    if (user.len > 0)
        memcpy(info->user, user.bytes, user.len);
    memcpy(info->owner, owner.bytes, sizeof info->owner);
}

int terminal_packet_encode(const struct terminal_packet *packet, uint8_t *out, size_t max, size_t *ret_len)
{
    struct wire_writer writer = wire_writer_init(out, max);
    wire_write_u8(&writer, (uint8_t)packet->word);
    switch (packet->word) {
    case TERMINAL_HELLO:
        write_info(&writer, &packet->info);
        break;
    case TERMINAL_JOINED:
        wire_write_u64(&writer, packet->from);
        wire_write_u64(&writer, packet->shown);
        break;
    case TERMINAL_JOIN:
        wire_write_u64(&writer, packet->from);
        /* fall through */
    case TERMINAL_RESIZE:
        wire_write_u16(&writer, packet->rows);
        wire_write_u16(&writer, packet->columns);
        break;
    case TERMINAL_OUTPUT:
    case TERMINAL_INPUT:
        wire_write_bytes(&writer, packet->bytes.bytes, packet->bytes.len);
        break;
    case TERMINAL_TAKEN:
    case TERMINAL_GRANT:
        wire_write_u32(&writer, packet->count);
        break;
    case TERMINAL_ENDED:
    case TERMINAL_DONE:
        wire_write_u8(&writer, packet->status);
        break;
    case TERMINAL_LEAVE:
    case TERMINAL_HANG_UP:
        break;
    }
    return wire_writer_end(&writer, ret_len);
}

/* What stands behind the word. */
static void read_rest(struct wire_reader *reader, struct terminal_packet *packet)
{
    switch (packet->word) {
    case TERMINAL_HELLO:
        read_info(reader, &packet->info);
        return;
    case TERMINAL_JOINED:
        packet->from = wire_read_u64(reader);
        packet->shown = wire_read_u64(reader);
        return;
    case TERMINAL_JOIN:
        packet->from = wire_read_u64(reader);
        /* fall through */
    case TERMINAL_RESIZE:
        packet->rows = wire_read_u16(reader);
        packet->columns = wire_read_u16(reader);
        return;
    case TERMINAL_OUTPUT:
    case TERMINAL_INPUT:
        packet->bytes = wire_read_bytes(reader, reader->left);
        return;
    case TERMINAL_TAKEN:
    case TERMINAL_GRANT:
        packet->count = wire_read_u32(reader);
        return;
    case TERMINAL_ENDED:
    case TERMINAL_DONE:
        packet->status = wire_read_u8(reader);
        return;
    case TERMINAL_LEAVE:
    case TERMINAL_HANG_UP:
        return;
    }
    reader->bad = true;
}

int terminal_packet_decode(const uint8_t *packet, size_t len, struct terminal_packet *ret_packet)
{
    struct wire_reader reader = wire_reader_init(packet, len);
    struct terminal_packet found = {.word = wire_read_u8(&reader)};
    read_rest(&reader, &found);
    if (wire_reader_end(&reader) < 0)
        return -EBADMSG;
    *ret_packet = found;
    return 0;
}
