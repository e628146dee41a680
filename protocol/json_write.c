/*
 * JSON writer into a growing, bounded buffer. See json_write.h.
 */
#include "protocol/json_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/crypto.h"
#include "protocol/json.h"

struct json_writer json_writer_init(size_t max_bytes)
{
    static char empty[] = "";
    return (struct json_writer){.text = empty, .max = max_bytes ? max_bytes : JSON_WRITER_MAX};
}

/* By hand and not by realloc, which leaves what it moved from unwiped. */
static int grow(struct json_writer *writer, size_t need)
{
    size_t room = writer->room * 2 > need ? writer->room * 2 : need + 256;
    char *text = malloc(room);
    if (!text)
        return -ENOMEM;
    memcpy(text, writer->text, writer->len + 1);
    if (writer->room > 0) {
        crypto_wipe(writer->text, writer->len);
        free(writer->text);
    }
    writer->text = text;
    writer->room = room;
    return 0;
}

static void put(struct json_writer *writer, const char *bytes, size_t len)
{
    if (!writer->error && len > writer->max - writer->len)
        writer->error = -EMSGSIZE;
    if (!writer->error && writer->len + len + 1 > writer->room)
        writer->error = grow(writer, writer->len + len + 1);
    if (writer->error)
        return;
    memcpy(writer->text + writer->len, bytes, len);
    writer->len += len;
    writer->text[writer->len] = '\0';
}

static void put_char(struct json_writer *writer, char c)
{
    if (writer->error || writer->len + 2 > writer->room || writer->len == writer->max) {
        put(writer, &c, 1);
        return;
    }
    writer->text[writer->len++] = c;
    writer->text[writer->len] = '\0';
}

static void put_escaped(struct json_writer *writer, unsigned char c)
{
    static const char *const shorts[] = {['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f",
                                         ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\"};
    char escape[8];
    if (c < sizeof shorts / sizeof *shorts && shorts[c]) {
        put(writer, shorts[c], 2);
        return;
    }
    snprintf(escape, sizeof escape, "\\u%04x", c);
    put(writer, escape, 6);
}

static bool is_plain(unsigned char c)
{
    return c >= ' ' && c != '"' && c != '\\' && c != 0x7f;
}

static size_t plain_ascii_prefix(const char *text, size_t len)
{
    size_t done = 0;
    while (done < len && (unsigned char)text[done] < 0x80 && is_plain((unsigned char)text[done]))
        done++;
    return done;
}

/* TEXT is valid UTF-8 here; bytes above 127 go as they are. */
static void put_valid(struct json_writer *writer, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t run = 0;
        while (i + run < len && is_plain((unsigned char)text[i + run]))
            run++;
        put(writer, text + i, run);
        i += run;
        if (i < len)
            put_escaped(writer, (unsigned char)text[i++]);
    }
}

static void put_string(struct json_writer *writer, const char *text, size_t len)
{
    put_char(writer, '"');
    /* Most texts are no more than this. */
    size_t plain = plain_ascii_prefix(text, len);
    put(writer, text, plain);
    text += plain;
    len -= plain;
    while (len > 0) {
        size_t valid = utf8_valid_prefix(text, len);
        put_valid(writer, text, valid);
        if (valid < len) {
            put(writer, "\xef\xbf\xbd", 3);
            valid++;
        }
        text += valid;
        len -= valid;
    }
    put_char(writer, '"');
}

/* What stands before every value. */
static void begin(struct json_writer *writer, const char *key)
{
    if (writer->comma)
        put_char(writer, ',');
    writer->comma = true;
    if (!key)
        return;
    put_string(writer, key, strlen(key));
    put_char(writer, ':');
}

static void open_nested(struct json_writer *writer, const char *key, char c)
{
    begin(writer, key);
    put_char(writer, c);
    writer->depth++;
    writer->comma = false;
}

static void close_nested(struct json_writer *writer, char c)
{
    if (writer->depth == 0)
        writer->error = -EINVAL;
    else
        writer->depth--;
    put_char(writer, c);
    writer->comma = true;
}

void json_write_object_begin(struct json_writer *writer, const char *key)
{
    open_nested(writer, key, '{');
}

void json_write_object_end(struct json_writer *writer)
{
    close_nested(writer, '}');
}

void json_write_array_begin(struct json_writer *writer, const char *key)
{
    open_nested(writer, key, '[');
}

void json_write_array_end(struct json_writer *writer)
{
    close_nested(writer, ']');
}

void json_write_text_bytes(struct json_writer *writer, const char *key, const char *text, size_t len)
{
    begin(writer, key);
    put_string(writer, text, len);
}

void json_write_text(struct json_writer *writer, const char *key, const char *text)
{
    if (text)
        json_write_text_bytes(writer, key, text, strlen(text));
    else
        json_write_null(writer, key);
}

void json_write_format(struct json_writer *writer, const char *key, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_write_text(writer, key, text);
}

void json_write_int(struct json_writer *writer, const char *key, int64_t value)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRId64, value);
    begin(writer, key);
    put(writer, digits, (size_t)len);
}

void json_write_bool(struct json_writer *writer, const char *key, bool value)
{
    json_write_raw(writer, key, value ? "true" : "false");
}

void json_write_null(struct json_writer *writer, const char *key)
{
    json_write_raw(writer, key, NULL);
}

void json_write_raw(struct json_writer *writer, const char *key, const char *text)
{
    begin(writer, key);
    put(writer, text ? text : "null", text ? strlen(text) : 4);
}

void json_write_hex(struct json_writer *writer, const char *key, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    char digits[TEXT_HEX_BYTES(32)];
    begin(writer, key);
    put_char(writer, '"');
    for (size_t i = 0; i < len; i += 32) {
        size_t some = len - i < 32 ? len - i : 32;
        hex_encode(at + i, some, digits);
        put(writer, digits, 2 * some);
    }
    crypto_wipe(digits, sizeof digits);
    put_char(writer, '"');
}

void json_write_base64(struct json_writer *writer, const char *key, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    char group[TEXT_BASE64_BYTES(3)];
    begin(writer, key);
    put_char(writer, '"');
    for (size_t i = 0; i < len; i += 3) {
        base64_encode(at + i, len - i < 3 ? len - i : 3, group);
        put(writer, group, 4);
    }
    crypto_wipe(group, sizeof group);
    put_char(writer, '"');
}

void json_write_uuid(struct json_writer *writer, const char *key, const uint8_t uuid[16])
{
    char text[UUID_TEXT_BYTES];
    uuid_format(uuid, text);
    json_write_text(writer, key, text);
}

static void write_items(struct json_writer *writer, const struct json *value)
{
    for (size_t i = 0; i < json_count(value); i++)
        json_write_value(writer, json_key_at(value, i), json_at(value, i));
}

void json_write_value(struct json_writer *writer, const char *key, const struct json *value)
{
    switch (json_kind(value)) {
    case JSON_OBJECT:
        json_write_object_begin(writer, key);
        write_items(writer, value);
        json_write_object_end(writer);
        break;
    case JSON_ARRAY:
        json_write_array_begin(writer, key);
        write_items(writer, value);
        json_write_array_end(writer);
        break;
    case JSON_TEXT:
        json_write_text(writer, key, json_text(value));
        break;
    case JSON_NUMBER:
        json_write_raw(writer, key, json_text(value));
        break;
    case JSON_BOOL:
        json_write_bool(writer, key, json_bool(value));
        break;
    case JSON_NULL:
        json_write_null(writer, key);
        break;
    }
}

int json_writer_end(const struct json_writer *writer)
{
    if (writer->error)
        return writer->error;
    return writer->depth > 0 || writer->len == 0 ? -EINVAL : 0;
}

char *json_writer_take(struct json_writer *writer)
{
    if (json_writer_end(writer) < 0)
        return NULL;
    char *text = writer->text;
    *writer = json_writer_init(writer->max);
    return text;
}

void json_writer_finish(struct json_writer *writer)
{
    if (writer->room > 0)
        free(writer->text);
    *writer = json_writer_init(writer->max);
}

void json_writer_finish_wiped(struct json_writer *writer)
{
    if (writer->room > 0)
        crypto_wipe(writer->text, writer->len);
    json_writer_finish(writer);
}
