/*
 * TLV: see tlv.h.
 */
#include "src/core/tlv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 6 };

static void number_store(uint8_t *to, uint64_t value, size_t width_bytes)
{
    for (size_t i = width_bytes; i-- > 0; value >>= 8)
        to[i] = (uint8_t)value;
}

static uint64_t number_load(const uint8_t *from, size_t width_bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width_bytes; i++)
        value = value << 8 | from[i];
    return value;
}

static uint8_t *writer_room(struct tlv_writer *writer, size_t more_bytes)
{
    if (writer->failed)
        return NULL;
    size_t room = writer->room_bytes ? writer->room_bytes : 512;
    while (room - writer->len_bytes < more_bytes)
        room *= 2;
    if (room != writer->room_bytes) {
        uint8_t *bytes = realloc(writer->bytes, room);
        if (!bytes) {
            writer->failed = true;
            return NULL;
        }
        writer->bytes = bytes;
        writer->room_bytes = room;
    }
    uint8_t *at = writer->bytes + writer->len_bytes;
    writer->len_bytes += more_bytes;
    return at;
}

void tlv_writer_init(struct tlv_writer *writer, uint16_t format)
{
    *writer = (struct tlv_writer){0};
    uint8_t *at = writer_room(writer, 2);
    if (at)
        number_store(at, format, 2);
}

void tlv_put(struct tlv_writer *writer, uint16_t tag, const void *value, size_t len_bytes)
{
    uint8_t *at = writer_room(writer, HEADER_BYTES + len_bytes);
    if (!at)
        return;
    number_store(at, tag, 2);
    number_store(at + 2, len_bytes, 4);
    if (len_bytes)
        memcpy(at + HEADER_BYTES, value, len_bytes);
}

void tlv_put_text(struct tlv_writer *writer, uint16_t tag, const char *text)
{
    tlv_put(writer, tag, text, strlen(text));
}

void tlv_put_number(struct tlv_writer *writer, uint16_t tag, uint64_t value, size_t width_bytes)
{
    uint8_t bytes[8];
    number_store(bytes, value, width_bytes);
    tlv_put(writer, tag, bytes, width_bytes);
}

size_t tlv_open(struct tlv_writer *writer, uint16_t tag)
{
    tlv_put(writer, tag, NULL, 0);
    return writer->len_bytes;
}

void tlv_close(struct tlv_writer *writer, size_t opened)
{
    if (!writer->failed)
        number_store(writer->bytes + opened - 4, writer->len_bytes - opened, 4);
}

/* As the machine stores integers of that width, which is what makes the table independent of their names. */
static uint64_t member_number(const void *at, size_t size_bytes)
{
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (size_bytes) {
    case 1:
        return *(const uint8_t *)at;
    case 2:
        memcpy(&u16, at, sizeof u16);
        return u16;
    case 4:
        memcpy(&u32, at, sizeof u32);
        return u32;
    default:
        memcpy(&u64, at, sizeof u64);
        return u64;
    }
}

static void member_set_number(void *at, size_t size_bytes, uint64_t value)
{
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    const void *from = size_bytes == 1   ? (const void *)&u8
                       : size_bytes == 2 ? (const void *)&u16
                       : size_bytes == 4 ? (const void *)&u32
                                         : (const void *)&value;
    memcpy(at, from, size_bytes);
}

static bool all_zero(const uint8_t *at, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        if (at[i])
            return false;
    return true;
}

void tlv_put_members(struct tlv_writer *writer, const struct tlv_member *members, size_t count,
                     const void *object)
{
    for (size_t i = 0; i < count; i++) {
        const struct tlv_member *member = &members[i];
        const uint8_t *at = (const uint8_t *)object + member->offset;
        if (all_zero(at, member->size_bytes))
            continue;
        if (member->kind == TLV_NUMBER || member->kind == TLV_BOOL)
            tlv_put_number(writer, member->tag, member_number(at, member->size_bytes), member->size_bytes);
        else if (member->kind == TLV_TEXT)
            tlv_put(writer, member->tag, at, strnlen((const char *)at, member->size_bytes - 1));
        else
            tlv_put(writer, member->tag, at, member->size_bytes);
    }
}

int tlv_writer_end(struct tlv_writer *writer, uint8_t **ret_bytes, size_t *ret_len_bytes)
{
    if (writer->failed) {
        free(writer->bytes);
        writer->bytes = NULL;
        return -ENOMEM;
    }
    *ret_bytes = writer->bytes;
    *ret_len_bytes = writer->len_bytes;
    return 0;
}

void tlv_reader_init_inner(struct tlv_reader *reader, const void *bytes, size_t len_bytes)
{
    *reader = (struct tlv_reader){.at = bytes, .left_bytes = len_bytes};
}

int tlv_reader_init(struct tlv_reader *reader, const void *bytes, size_t len_bytes, uint16_t format_max)
{
    if (len_bytes < 2)
        return -EBADMSG;
    uint64_t format = number_load(bytes, 2);
    if (format == 0)
        return -EBADMSG;
    if (format > format_max)
        return -ENOTSUP;
    tlv_reader_init_inner(reader, (const uint8_t *)bytes + 2, len_bytes - 2);
    return 0;
}

bool tlv_next(struct tlv_reader *reader, uint16_t *ret_tag, const uint8_t **ret_value, size_t *ret_len_bytes)
{
    if (reader->failed || reader->left_bytes == 0)
        return false;
    uint64_t len_bytes = reader->left_bytes < HEADER_BYTES ? 0 : number_load(reader->at + 2, 4);
    if (reader->left_bytes < HEADER_BYTES || len_bytes > reader->left_bytes - HEADER_BYTES) {
        reader->failed = true;
        return false;
    }
    *ret_tag = (uint16_t)number_load(reader->at, 2);
    *ret_value = reader->at + HEADER_BYTES;
    *ret_len_bytes = len_bytes;
    reader->at += HEADER_BYTES + len_bytes;
    reader->left_bytes -= HEADER_BYTES + len_bytes;
    return true;
}

bool tlv_number(const uint8_t *value, size_t len_bytes, size_t width_bytes, uint64_t *ret_number)
{
    if (len_bytes != width_bytes)
        return false;
    *ret_number = number_load(value, width_bytes);
    return true;
}

static int member_take(const struct tlv_member *member, uint8_t *at, const uint8_t *value, size_t len_bytes)
{
    bool is_text = member->kind == TLV_TEXT;
    if (is_text ? len_bytes >= member->size_bytes : len_bytes != member->size_bytes)
        return -EBADMSG;
    if (is_text && memchr(value, 0, len_bytes))
        return -EBADMSG;
    if (member->kind == TLV_BOOL && value[0] > 1)
        return -EBADMSG;
    if (member->kind == TLV_NUMBER) {
        member_set_number(at, member->size_bytes, number_load(value, len_bytes));
        return 1;
    }
    memset(at, 0, member->size_bytes);
    if (member->kind == TLV_BOOL) {
        const bool yes = value[0] == 1;
        memcpy(at, &yes, sizeof yes);
    } else if (len_bytes) {
        memcpy(at, value, len_bytes);
    }
    return 1;
}

int tlv_take_member(const struct tlv_member *members, size_t count, void *object, uint16_t tag,
                    const uint8_t *value, size_t len_bytes)
{
    /* Most tables name their tags without a gap: the place is known. */
    size_t likely = count && tag >= members[0].tag ? (size_t)(tag - members[0].tag) : count;
    for (size_t i = likely < count && members[likely].tag == tag ? likely : 0; i < count; i++)
        if (members[i].tag == tag)
            return member_take(&members[i], (uint8_t *)object + members[i].offset, value, len_bytes);
    return 0;
}

int tlv_take_members(const struct tlv_member *members, size_t count, void *object, const uint8_t *value,
                     size_t len_bytes)
{
    struct tlv_reader reader;
    uint16_t tag;
    const uint8_t *inner;
    size_t inner_len_bytes;
    tlv_reader_init_inner(&reader, value, len_bytes);
    while (tlv_next(&reader, &tag, &inner, &inner_len_bytes))
        if (tlv_take_member(members, count, object, tag, inner, inner_len_bytes) < 0)
            return -EBADMSG;
    return reader.failed ? -EBADMSG : 0;
}
