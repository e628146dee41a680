/*
 * Takes an object's members apart, with one check at the end. In: a tree. Out: typed values. Kept: the first
 * wrong key.
 */
#include "protocol/json.h"

#include <errno.h>
#include <string.h>

struct json_reader json_reader_init(const struct json *object)
{
    return (struct json_reader){.object = object};
}

void json_reader_fail(struct json_reader *reader, const char *key)
{
    if (!reader->wrong)
        reader->wrong = key;
}

int json_reader_end(const struct json_reader *reader)
{
    return reader->wrong ? -EINVAL : 0;
}

/* The member if it is of this kind; else NULL, and wrong unless it may be missing and is (or is null). */
static const struct json *member_of(struct json_reader *reader, const char *key, enum json_kind kind,
                                    bool may_miss)
{
    const struct json *value = json_member(reader->object, key);
    if (json_kind(value) == kind && value)
        return value;
    if (!may_miss || json_kind(value) != JSON_NULL)
        json_reader_fail(reader, key);
    return NULL;
}

const char *json_read_text(struct json_reader *reader, const char *key)
{
    const struct json *value = member_of(reader, key, JSON_TEXT, false);
    return value ? json_text(value) : "";
}

const char *json_read_text_or(struct json_reader *reader, const char *key, const char *other)
{
    const struct json *value = member_of(reader, key, JSON_TEXT, true);
    return value ? json_text(value) : other;
}

const char *json_read_name(struct json_reader *reader, const char *key)
{
    const char *text = json_read_text(reader, key);
    if (name_valid(text))
        return text;
    json_reader_fail(reader, key);
    return "";
}

int64_t json_read_int(struct json_reader *reader, const char *key, int64_t min, int64_t max)
{
    const struct json *value = member_of(reader, key, JSON_NUMBER, false);
    int64_t number;
    if (!value)
        return 0;
    if (json_int(value, &number) == 0 && number >= min && number <= max)
        return number;
    json_reader_fail(reader, key);
    return 0;
}

int64_t json_read_int_or(struct json_reader *reader, const char *key, int64_t min, int64_t max, int64_t other)
{
    if (json_kind(json_member(reader->object, key)) == JSON_NULL)
        return other;
    return json_read_int(reader, key, min, max);
}

bool json_read_bool(struct json_reader *reader, const char *key)
{
    return json_bool(member_of(reader, key, JSON_BOOL, false));
}

bool json_read_bool_or(struct json_reader *reader, const char *key, bool other)
{
    const struct json *value = member_of(reader, key, JSON_BOOL, true);
    return value ? json_bool(value) : other;
}

const struct json *json_read_array(struct json_reader *reader, const char *key)
{
    return member_of(reader, key, JSON_ARRAY, false);
}

const struct json *json_read_array_or_null(struct json_reader *reader, const char *key)
{
    return member_of(reader, key, JSON_ARRAY, true);
}

const struct json *json_read_object(struct json_reader *reader, const char *key)
{
    return member_of(reader, key, JSON_OBJECT, false);
}

const struct json *json_read_object_or_null(struct json_reader *reader, const char *key)
{
    return member_of(reader, key, JSON_OBJECT, true);
}

void json_read_hex(struct json_reader *reader, const char *key, void *out, size_t len)
{
    if (hex_decode(json_read_text(reader, key), out, len) == 0)
        return;
    memset(out, 0, len);
    json_reader_fail(reader, key);
}

static size_t read_base64(struct json_reader *reader, const char *key, const char *text, void *out,
                          size_t max)
{
    size_t len;
    if (base64_decode(text, strlen(text), out, max, &len) == 0)
        return len;
    json_reader_fail(reader, key);
    return 0;
}

size_t json_read_base64(struct json_reader *reader, const char *key, void *out, size_t max)
{
    return read_base64(reader, key, json_read_text(reader, key), out, max);
}

size_t json_read_base64_or_empty(struct json_reader *reader, const char *key, void *out, size_t max)
{
    return read_base64(reader, key, json_read_text_or(reader, key, ""), out, max);
}

void json_read_uuid(struct json_reader *reader, const char *key, uint8_t out[UUID_BYTES])
{
    if (uuid_parse(json_read_text(reader, key), out) == 0)
        return;
    memset(out, 0, UUID_BYTES);
    json_reader_fail(reader, key);
}
