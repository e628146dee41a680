/*
 * Reading cursor and bounded writer of the binary wire. See wire.h.
 */
#include "protocol/wire.h"

#include <errno.h>
#include <string.h>

void wire_put_u32(uint8_t *out, uint32_t value)
{
    for (int i = 3; i >= 0; i--, value >>= 8)
        out[i] = (uint8_t)value;
}

void wire_put_u64(uint8_t *out, uint64_t value)
{
    wire_put_u32(out, (uint32_t)(value >> 32));
    wire_put_u32(out + 4, (uint32_t)value);
}

uint32_t wire_get_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

uint64_t wire_get_u64(const uint8_t *bytes)
{
    return (uint64_t)wire_get_u32(bytes) << 32 | wire_get_u32(bytes + 4);
}

bool wire_equal(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *left = a, *right = b;
    uint8_t difference = 0;
    for (size_t i = 0; i < len; i++)
        difference |= left[i] ^ right[i];
    return difference == 0;
}

struct wire_reader wire_reader_init(const void *bytes, size_t len)
{
    return (struct wire_reader){.at = bytes, .left = len};
}

struct bytes wire_read_bytes(struct wire_reader *reader, size_t len)
{
    if (reader->bad || len > reader->left) {
        reader->bad = true;
        return (struct bytes){NULL, 0};
    }
    struct bytes taken = {reader->at, len};
    reader->at += len;
    reader->left -= len;
    return taken;
}

uint8_t wire_read_u8(struct wire_reader *reader)
{
    struct bytes taken = wire_read_bytes(reader, 1);
    return taken.bytes ? taken.bytes[0] : 0;
}

uint16_t wire_read_u16(struct wire_reader *reader)
{
    struct bytes taken = wire_read_bytes(reader, 2);
    return taken.bytes ? (uint16_t)(taken.bytes[0] << 8 | taken.bytes[1]) : 0;
}

uint32_t wire_read_u32(struct wire_reader *reader)
{
    struct bytes taken = wire_read_bytes(reader, 4);
    return taken.bytes ? wire_get_u32(taken.bytes) : 0;
}

uint64_t wire_read_u64(struct wire_reader *reader)
{
    struct bytes taken = wire_read_bytes(reader, 8);
    return taken.bytes ? wire_get_u64(taken.bytes) : 0;
}

struct bytes wire_read_field(struct wire_reader *reader)
{
    return wire_read_bytes(reader, wire_read_u32(reader));
}

void wire_read_field_exact(struct wire_reader *reader, void *out, size_t len)
{
    struct bytes field = wire_read_field(reader);
    if (reader->bad || field.len != len) {
        reader->bad = true;
        memset(out, 0, len);
        return;
    }
    memcpy(out, field.bytes, len);
}

uint64_t wire_read_field_u64(struct wire_reader *reader)
{
    uint8_t bytes[8];
    wire_read_field_exact(reader, bytes, sizeof bytes);
    return wire_get_u64(bytes);
}

void wire_read_label(struct wire_reader *reader, const char *label)
{
    struct bytes field = wire_read_field(reader);
    if (reader->bad || field.len != strlen(label) || memcmp(field.bytes, label, field.len) != 0)
        reader->bad = true;
}

int wire_reader_end(const struct wire_reader *reader)
{
    return reader->bad || reader->left > 0 ? -EBADMSG : 0;
}

struct wire_writer wire_writer_init(void *bytes, size_t max)
{
    return (struct wire_writer){.bytes = bytes, .max = max};
}

void wire_write_bytes(struct wire_writer *writer, const void *bytes, size_t len)
{
    if (writer->bad || len > writer->max - writer->len) {
        writer->bad = true;
        return;
    }
    if (len > 0)
        memcpy(writer->bytes + writer->len, bytes, len);
    writer->len += len;
}

void wire_write_u8(struct wire_writer *writer, uint8_t value)
{
    wire_write_bytes(writer, &value, 1);
}

void wire_write_u16(struct wire_writer *writer, uint16_t value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    wire_write_bytes(writer, bytes, sizeof bytes);
}

void wire_write_u32(struct wire_writer *writer, uint32_t value)
{
    uint8_t bytes[4];
    wire_put_u32(bytes, value);
    wire_write_bytes(writer, bytes, sizeof bytes);
}

void wire_write_u64(struct wire_writer *writer, uint64_t value)
{
    uint8_t bytes[8];
    wire_put_u64(bytes, value);
    wire_write_bytes(writer, bytes, sizeof bytes);
}

void wire_write_field(struct wire_writer *writer, const void *bytes, size_t len)
{
    if (len > UINT32_MAX)
        writer->bad = true;
    wire_write_u32(writer, (uint32_t)len);
    wire_write_bytes(writer, bytes, len);
}

void wire_write_field_u64(struct wire_writer *writer, uint64_t value)
{
    wire_write_u32(writer, 8);
    wire_write_u64(writer, value);
}

void wire_write_field_text(struct wire_writer *writer, const char *text)
{
    wire_write_field(writer, text, strlen(text));
}

int wire_writer_end(const struct wire_writer *writer, size_t *ret_len)
{
    if (writer->bad)
        return -ENOSPC;
    *ret_len = writer->len;
    return 0;
}
