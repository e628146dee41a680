/*
 * TLV: `u16 format | (u16 tag | u32 length | value)*`, numbers big-endian; and tables that say which member
 * of a struct goes under which tag.
 *
 * In: structs and their tables, bytes. Out: bytes, structs. Kept: nothing. Errors stick: they are asked for
 * once, at the end. Members that are zero are not written, and are zero when nothing is there for them.
 */
#ifndef KILN_CORE_TLV_H
#define KILN_CORE_TLV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tlv_writer {
    uint8_t *bytes; /* owned until tlv_writer_end */
    size_t len_bytes, room_bytes;
    bool failed;
};

struct tlv_reader {
    const uint8_t *at; /* borrowed */
    size_t left_bytes;
    bool failed;
};

enum tlv_kind {
    TLV_NUMBER, /* an integer of 1, 2, 4 or 8 bytes */
    TLV_BOOL,
    TLV_TEXT, /* a char array with a NUL, written without it; bytes after it are zero */
    TLV_BYTES /* an array of bytes of fixed length */
};

struct tlv_member {
    const char *name; /* as the struct has it */
    uint16_t tag;
    uint8_t kind; /* enum tlv_kind */
    size_t offset, size_bytes;
};

#define TLV_MEMBER(tag, kind, type, member)                                                                  \
    {                                                                                                        \
#member, tag, kind, offsetof(type, member), sizeof((type *)0)->member                                \
    }
#define TLV_COUNT(table) (sizeof(table) / sizeof(table)[0])

void tlv_writer_init(struct tlv_writer *writer, uint16_t format);
void tlv_put(struct tlv_writer *writer, uint16_t tag, const void *value, size_t len_bytes);
void tlv_put_text(struct tlv_writer *writer, uint16_t tag, const char *text);
void tlv_put_number(struct tlv_writer *writer, uint16_t tag, uint64_t value, size_t width_bytes);
/* What is put between open and close is the value of TAG. */
size_t tlv_open(struct tlv_writer *writer, uint16_t tag);
void tlv_close(struct tlv_writer *writer, size_t opened);
void tlv_put_members(struct tlv_writer *writer, const struct tlv_member *members, size_t count,
                     const void *object);
/* Gives the bytes away, or frees them and returns -ENOMEM. */
int tlv_writer_end(struct tlv_writer *writer, uint8_t **ret_bytes, size_t *ret_len_bytes);

/* -ENOTSUP a newer format, -EBADMSG no record at all. */
int tlv_reader_init(struct tlv_reader *reader, const void *bytes, size_t len_bytes, uint16_t format_max);
/* A value that is itself a row of tags. */
void tlv_reader_init_inner(struct tlv_reader *reader, const void *bytes, size_t len_bytes);
/* The next tag; false at the end or when the bytes make no sense (`failed`). */
bool tlv_next(struct tlv_reader *reader, uint16_t *ret_tag, const uint8_t **ret_value, size_t *ret_len_bytes);
/* False when there are not WIDTH_BYTES. */
bool tlv_number(const uint8_t *value, size_t len_bytes, size_t width_bytes, uint64_t *ret_number);
/* Writes the member that has TAG: 1. None has: 0. The value does not fit it: -EBADMSG. */
int tlv_take_member(const struct tlv_member *members, size_t count, void *object, uint16_t tag,
                    const uint8_t *value, size_t len_bytes);
/* All of a nested value into OBJECT, which the caller zeroed. -EBADMSG. */
int tlv_take_members(const struct tlv_member *members, size_t count, void *object, const uint8_t *value,
                     size_t len_bytes);

#endif
