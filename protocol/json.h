/*
 * JSON (RFC 8259): a tree read with limits, and a reader that takes an object apart with one check at the
 * end. In: text. Out: a tree. Kept: the tree, until json_destroy. The writer is in json_write.h.
 *
 * Strict: valid UTF-8, no lone surrogates, no NUL in a string, no key twice in an object, nothing after the
 * value.
 *
 *     struct json_reader params = json_reader_init(tree);
 *     const char *name = json_read_text(&params, "name");
 *     int64_t size = json_read_int_or(&params, "size_mib", 1, 1 << 20, 1024);
 *     if (json_reader_end(&params))
 *         return fail(CODE_BAD_PARAMETER, params.wrong);    // the key
 */
#ifndef KILN_PROTOCOL_JSON_H
#define KILN_PROTOCOL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/json_write.h"
#include "protocol/text.h"

struct json;

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT };

struct json_limits {
    size_t text_max_bytes;
    unsigned depth_max;   /* nested arrays and objects */
    unsigned members_max; /* members and elements in total */
};

extern const struct json_limits json_limits_message; /* README 1.7: 64 KiB, 16, 1,024 */
extern const struct json_limits json_limits_edge;    /* the same with 256 KiB */
extern const struct json_limits json_limits_channel; /* 2 MiB, 16, 262,144: users.json travels in it */

/* Reads one value. LIMITS NULL: json_limits_message. -EBADMSG malformed, -EMSGSIZE over a limit, -ENOMEM. */
int json_parse(const char *text, size_t len, const struct json_limits *limits, struct json **ret_tree);
/* Frees a tree that json_parse gave. NULL does nothing. */
void json_destroy(struct json *tree);
/* The same, overwriting every string first: for trees that held a secret. */
void json_destroy_wiped(struct json *tree);

/* NULL values have kind JSON_NULL, so chains need no checks. */
enum json_kind json_kind(const struct json *value);
/* Members of an object or elements of an array; 0 for anything else. */
size_t json_count(const struct json *value);
/* Element or member by position, NULL beyond the end. */
const struct json *json_at(const struct json *value, size_t index);
/* Key of an object's member by position, NULL beyond the end. */
const char *json_key_at(const struct json *object, size_t index);
/* Member of an object, NULL when there is none or it is no object. */
const struct json *json_member(const struct json *object, const char *key);
/* Text of a string or of a number as it was written, else NULL. json_is_text tells them apart. */
const char *json_text(const struct json *value);
bool json_is_text(const struct json *value);
/* 0, or -EINVAL when not a whole number that fits. */
int json_int(const struct json *value, int64_t *ret_number);
bool json_bool(const struct json *value); /* true only for true */

/*
 * Reader of one object's members. Functions without a default need the member; "_or" functions take null for
 * missing. The first that is missing or wrong leaves its key in `wrong`; what is read after it, and it, are
 * empty (text is "", never NULL, unless the default is NULL).
 */
struct json_reader {
    const struct json *object; /* borrowed */
    const char *wrong;         /* borrowed: the key, or NULL */
};

/* OBJECT that is no object (also NULL) counts as empty. */
struct json_reader json_reader_init(const struct json *object);
const char *json_read_text(struct json_reader *reader, const char *key);
const char *json_read_text_or(struct json_reader *reader, const char *key, const char *other);
/* A name of README 8.4. */
const char *json_read_name(struct json_reader *reader, const char *key);
int64_t json_read_int(struct json_reader *reader, const char *key, int64_t min, int64_t max);
int64_t json_read_int_or(struct json_reader *reader, const char *key, int64_t min, int64_t max,
                         int64_t other);
bool json_read_bool(struct json_reader *reader, const char *key);
bool json_read_bool_or(struct json_reader *reader, const char *key, bool other);
/* An array or object; the _or forms give NULL when it is missing. */
const struct json *json_read_array(struct json_reader *reader, const char *key);
const struct json *json_read_array_or_null(struct json_reader *reader, const char *key);
const struct json *json_read_object(struct json_reader *reader, const char *key);
const struct json *json_read_object_or_null(struct json_reader *reader, const char *key);
/* Exactly LEN bytes as lower-case hex; OUT is zeroed on failure. */
void json_read_hex(struct json_reader *reader, const char *key, void *out, size_t len);
/* Base64 of at most MAX bytes; returns how many, 0 on failure. */
size_t json_read_base64(struct json_reader *reader, const char *key, void *out, size_t max);
/* The same, 0 bytes when it is missing. */
size_t json_read_base64_or_empty(struct json_reader *reader, const char *key, void *out, size_t max);
void json_read_uuid(struct json_reader *reader, const char *key, uint8_t out[UUID_BYTES]);
/* Says that KEY is wrong, for checks of the caller's; the first one stands. */
void json_reader_fail(struct json_reader *reader, const char *key);
/* 0, or -EINVAL with `wrong` set. */
int json_reader_end(const struct json_reader *reader);

#endif
