/*
 * Text forms of bytes (README 1.4): hex, base64, UUIDs, names, UTF-8.
 * In: bytes or text. Out: the other. Nothing is kept. Decoders are strict: one text for each value.
 */
#ifndef KILN_PROTOCOL_TEXT_H
#define KILN_PROTOCOL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UUID_BYTES = 16,
    UUID_TEXT_BYTES = 37, /* with the NUL */
    NAME_BYTES = 33,      /* a VM, brick, drive or user name with the NUL (README 8.4) */
};

/* Bytes that belong to another. */
struct bytes {
    const uint8_t *bytes; /* borrowed */
    size_t len;
};

#define TEXT_HEX_BYTES(n) ((n)*2 + 1)                /* hex of n bytes, with the NUL */
#define TEXT_BASE64_BYTES(n) (((n) + 2) / 3 * 4 + 1) /* base64 of n bytes, with the NUL */
#define TEXT_BASE64_DECODED(n) ((n) / 4 * 3)         /* at most as many bytes from n characters */

/* Writes 2 * LEN lower-case digits and a NUL. */
void hex_encode(const void *bytes, size_t len, char *out);
/* TEXT must be exactly LEN bytes as lower-case hex. -EBADMSG. RET_BYTES is written on success only. */
int hex_decode(const char *text, void *ret_bytes, size_t len);

/* Writes TEXT_BASE64_BYTES(LEN) characters, padded, with a NUL (RFC 4648 section 4). */
void base64_encode(const void *bytes, size_t len, char *out);
/* Whole groups, padded, no white space, unused bits zero. -EBADMSG; -ENOSPC when longer than MAX. OUT may be
 * touched on failure. */
int base64_decode(const char *text, size_t len, void *out, size_t max, size_t *ret_len);

/* 8-4-4-4-12 lower case, with a NUL. */
void uuid_format(const uint8_t uuid[UUID_BYTES], char out[UUID_TEXT_BYTES]);
int uuid_parse(const char *text, uint8_t ret_uuid[UUID_BYTES]);

/* Whether TEXT matches [a-z0-9][a-z0-9-]{0,31} (README 8.4). NULL is not a name. */
bool name_valid(const char *text);

/* Length of the longest valid UTF-8 prefix (RFC 3629: no overlong forms, no surrogates). */
size_t utf8_valid_prefix(const char *text, size_t len);

#endif
