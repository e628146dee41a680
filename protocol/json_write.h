/*
 * JSON writer: text in a growing, bounded buffer. In: values in order. Out: text on one line, always
 * NUL-terminated. Kept: the buffer, until json_writer_finish or json_writer_take.
 *
 * KEY is NULL inside an array and at the top. The error is sticky: write everything, then ask
 * json_writer_end.
 *
 *     struct json_writer out = json_writer_init(0);
 *     json_write_object_begin(&out, NULL);
 *     json_write_text(&out, "name", vm->name);
 *     json_write_object_end(&out);
 *     if (json_writer_end(&out) == 0)
 *         rpc_reply(request, out.text);
 *     json_writer_finish(&out);
 */
#ifndef KILN_PROTOCOL_JSON_WRITE_H
#define KILN_PROTOCOL_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;

#define JSON_WRITER_MAX (4 * 1048576) /* bytes, when the caller names no limit */

struct json_writer {
    char *text; /* owned; "" before the first value; valid until finish, also after an error */
    size_t len; /* without the NUL */
    size_t max, room;
    unsigned depth;
    bool comma; /* a value stands before the next one */
    int error;
};

/* MAX_BYTES 0: JSON_WRITER_MAX. Allocates nothing yet. */
struct json_writer json_writer_init(size_t max_bytes);
void json_write_object_begin(struct json_writer *writer, const char *key);
void json_write_object_end(struct json_writer *writer);
void json_write_array_begin(struct json_writer *writer, const char *key);
void json_write_array_end(struct json_writer *writer);
/* TEXT NULL writes null; each byte that is not UTF-8 becomes U+FFFD. */
void json_write_text(struct json_writer *writer, const char *key, const char *text);
void json_write_text_bytes(struct json_writer *writer, const char *key, const char *text, size_t len);
/* printf into a string; at most 1,023 bytes, cut beyond. */
void json_write_format(struct json_writer *writer, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void json_write_int(struct json_writer *writer, const char *key, int64_t value);
void json_write_bool(struct json_writer *writer, const char *key, bool value);
void json_write_null(struct json_writer *writer, const char *key);
void json_write_hex(struct json_writer *writer, const char *key, const void *bytes, size_t len);
void json_write_base64(struct json_writer *writer, const char *key, const void *bytes, size_t len);
void json_write_uuid(struct json_writer *writer, const char *key, const uint8_t uuid[16]);
/* TEXT must be JSON already; NULL writes null. */
void json_write_raw(struct json_writer *writer, const char *key, const char *text);
/* A value that was read, with everything in it. */
void json_write_value(struct json_writer *writer, const char *key, const struct json *value);
/* 0 when whole; -ENOMEM, -EMSGSIZE over the limit, -EINVAL something is still open. */
int json_writer_end(const struct json_writer *writer);
/* The text, to be freed by the caller, and an empty writer; NULL when json_writer_end would fail. */
char *json_writer_take(struct json_writer *writer);
void json_writer_finish(struct json_writer *writer);
/* The same, overwriting the text first. (Growing wipes too, always.) */
void json_writer_finish_wiped(struct json_writer *writer);

#endif
