/*
 * The binary wire (README 1.1 to 1.3): a reading cursor, a bounded writer, fields and blocks.
 * In and out: bytes in memory of the caller's. Kept: nothing.
 *
 * Errors are sticky: read or write everything, then ask once at the end. After an error readers give zeros
 * and empty slices, writers write nothing.
 */
#ifndef KILN_PROTOCOL_WIRE_H
#define KILN_PROTOCOL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/text.h"

struct wire_reader {
    const uint8_t *at; /* borrowed */
    size_t left;
    bool bad;
};

struct wire_reader wire_reader_init(const void *bytes, size_t len);
uint8_t wire_read_u8(struct wire_reader *reader);
uint16_t wire_read_u16(struct wire_reader *reader);
uint32_t wire_read_u32(struct wire_reader *reader);
uint64_t wire_read_u64(struct wire_reader *reader);
/* The next LEN bytes, in place. */
struct bytes wire_read_bytes(struct wire_reader *reader, size_t len);
/* A field's content, in place. */
struct bytes wire_read_field(struct wire_reader *reader);
/* A field of exactly LEN bytes, copied to OUT (zeroed on failure). */
void wire_read_field_exact(struct wire_reader *reader, void *out, size_t len);
/* A field with a number in it (8 bytes). */
uint64_t wire_read_field_u64(struct wire_reader *reader);
/* A field that must hold exactly this text, such as a block's label. */
void wire_read_label(struct wire_reader *reader, const char *label);
/* 0 when all was read well and nothing is left, else -EBADMSG. */
int wire_reader_end(const struct wire_reader *reader);

struct wire_writer {
    uint8_t *bytes; /* borrowed */
    size_t len, max;
    bool bad;
};

struct wire_writer wire_writer_init(void *bytes, size_t max);
void wire_write_u8(struct wire_writer *writer, uint8_t value);
void wire_write_u16(struct wire_writer *writer, uint16_t value);
void wire_write_u32(struct wire_writer *writer, uint32_t value);
void wire_write_u64(struct wire_writer *writer, uint64_t value);
void wire_write_bytes(struct wire_writer *writer, const void *bytes, size_t len);
/* A field: u32 length and the bytes. */
void wire_write_field(struct wire_writer *writer, const void *bytes, size_t len);
void wire_write_field_u64(struct wire_writer *writer, uint64_t value);
/* Text without its NUL; also a block's label. */
void wire_write_field_text(struct wire_writer *writer, const char *text);
/* 0 and the length, or -ENOSPC. */
int wire_writer_end(const struct wire_writer *writer, size_t *ret_len);

/* Big-endian, unaligned. */
void wire_put_u32(uint8_t *out, uint32_t value);
void wire_put_u64(uint8_t *out, uint64_t value);
uint32_t wire_get_u32(const uint8_t *bytes);
uint64_t wire_get_u64(const uint8_t *bytes);

/* Whether equal, in a time that depends on LEN alone (README 1.6). */
bool wire_equal(const void *a, const void *b, size_t len);

#endif
