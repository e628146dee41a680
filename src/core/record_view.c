/*
 * Record view: see record_view.h.
 */
#include "src/core/record_view.h"

#include <stdio.h>
#include <string.h>

#include "protocol/wire.h"
#include "src/core/record.h"
#include "src/core/store_check.h"
#include "src/core/tlv.h"

enum {
    MEMBER_NAME_BYTES = 64,
    TEXT_SHOWN_BYTES = 3072, /* of a console: escaped, it still fits a message */
    HEX_SHOWN_BYTES = 1024
};

/* A tag that is no member of a struct. */
struct extra {
    uint16_t tag;
    const char *name;
    void (*write)(struct json_writer *out, const char *name, const uint8_t *value, size_t len_bytes);
    const struct tlv_table *inner; /* the value is a row of tags of this table, ... */
    const struct extra *inner_extras;
};

struct schema {
    const struct tlv_table *table;
    const struct extra *extras; /* ends with a NULL name; may be NULL */
};

/* ---- values ---- */

static void write_hex(struct json_writer *out, const char *name, const uint8_t *value, size_t len_bytes)
{
    json_write_hex(out, name, value, len_bytes > HEX_SHOWN_BYTES ? HEX_SHOWN_BYTES : len_bytes);
}

static void write_text(struct json_writer *out, const char *name, const uint8_t *value, size_t len_bytes)
{
    json_write_text_bytes(out, name, (const char *)value,
                          len_bytes > TEXT_SHOWN_BYTES ? TEXT_SHOWN_BYTES : len_bytes);
}

static void write_number(struct json_writer *out, const char *name, const uint8_t *value, size_t len_bytes)
{
    uint64_t number = 0;
    if (len_bytes != 1 && len_bytes != 2 && len_bytes != 4 && len_bytes != 8) {
        write_hex(out, name, value, len_bytes);
        return;
    }
    for (size_t i = 0; i < len_bytes; i++)
        number = number << 8 | value[i];
    /* The members that may be negative are of 4 and 8 bytes. */
    json_write_int(out, name, len_bytes == 4 ? (int32_t)number : (int64_t)number);
}

static void write_state_timeout(struct json_writer *out, const char *name, const uint8_t *value,
                                size_t len_bytes)
{
    if (len_bytes < 9)
        write_hex(out, name, value, len_bytes);
    else
        json_write_format(out, name, "%.*s %lld", (int)(len_bytes - 9), (const char *)value,
                          (long long)wire_get_u64(value + len_bytes - 8));
}

static void write_timeout_state(struct json_writer *out, const char *name, const uint8_t *value,
                                size_t len_bytes)
{
    if (len_bytes < 8)
        write_hex(out, name, value, len_bytes);
    else
        json_write_format(out, name, "%.*s %lld", (int)(len_bytes - 8), (const char *)value + 8,
                          (long long)wire_get_u64(value));
}

static void write_holder(struct json_writer *out, const char *name, const uint8_t *value, size_t len_bytes)
{
    char uuid[UUID_TEXT_BYTES];
    if (len_bytes != VM_UUID_LEN + 1) {
        write_hex(out, name, value, len_bytes);
        return;
    }
    uuid_format(value, uuid);
    json_write_format(out, name, "%s %s", uuid, value[VM_UUID_LEN] == VM_DRIVE_WRITER ? "writer" : "reader");
}

static void write_envelope(struct json_writer *out, const char *name, const uint8_t *value, size_t len_bytes)
{
    char user[TEXT_HEX_BYTES(RECORD_HASH_LEN)];
    if (len_bytes < RECORD_HASH_LEN) {
        write_hex(out, name, value, len_bytes);
        return;
    }
    hex_encode(value, RECORD_HASH_LEN, user);
    json_write_format(out, name, "for %s, %zu bytes", user, len_bytes - RECORD_HASH_LEN);
}

/* ---- tables ---- */

static const struct extra registration_extras[] = {
    {RECORD_REGISTRATION_SPKI, "spki", write_hex, NULL, NULL},
    {RECORD_REGISTRATION_ADDRESS, "address", write_text, NULL, NULL},
    {0},
};

static const struct extra vm_extras[] = {
    {RECORD_VM_SEQ, "seq", write_number, NULL, NULL},
    {RECORD_VM_STATE, "state", write_text, NULL, NULL},
    {RECORD_VM_REGISTRATION, "registration", NULL, &record_registration_table, registration_extras},
    {RECORD_VM_DRIVE, "drive", NULL, &record_vm_drive_table, NULL},
    {RECORD_VM_TIMEOUT, "timeout_ms", write_state_timeout, NULL, NULL},
    {0},
};

static const struct extra user_extras[] = {{RECORD_USER_SPKI, "spki", write_hex, NULL, NULL}, {0}};

static const struct extra brick_extras[] = {
    {RECORD_BRICK_TIMEOUT, "timeout_ms", write_timeout_state, NULL, NULL},
    {0},
};

static const struct extra drive_extras[] = {
    {RECORD_DRIVE_HOLDER, "holder", write_holder, NULL, NULL},
    {RECORD_DRIVE_ENVELOPE, "envelope", write_envelope, NULL, NULL},
    {0},
};

static const struct extra history_extras[] = {
    {RECORD_HISTORY_FROM, "from", write_text, NULL, NULL},
    {RECORD_HISTORY_TO, "to", write_text, NULL, NULL},
    {RECORD_HISTORY_EVENT, "event", write_text, NULL, NULL},
    {0},
};

/* Of the databases whose values are records. */
static const struct schema schemas[STORE_DATABASE_COUNT] = {
    [STORE_VMS] = {&record_vm_table, vm_extras},
    [STORE_FORMER_HISTORY] = {&record_history_table, history_extras},
    [STORE_CHANGES] = {&record_history_table, history_extras},
    [STORE_AUDIT] = {&record_audit_table, NULL},
    [STORE_USERS] = {&record_user_table, user_extras},
    [STORE_BRICKS] = {&record_brick_table, brick_extras},
    [STORE_DRIVES] = {&record_drive_table, drive_extras},
};

/* ---- records ---- */

static const struct tlv_member *member_find(const struct tlv_table *table, uint16_t tag)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->members[i].tag == tag)
            return &table->members[i];
    return NULL;
}

static const struct extra *extra_find(const struct extra *extras, uint16_t tag)
{
    for (; extras && extras->name; extras++)
        if (extras->tag == tag)
            return extras;
    return NULL;
}

static void write_member(struct json_writer *out, const struct tlv_member *member, const uint8_t *value,
                         size_t len_bytes)
{
    if (member->kind == TLV_NUMBER)
        write_number(out, member->name, value, len_bytes);
    else if (member->kind == TLV_TEXT)
        write_text(out, member->name, value, len_bytes);
    else if (member->kind == TLV_BOOL && len_bytes == 1)
        json_write_bool(out, member->name, value[0]);
    else
        write_hex(out, member->name, value, len_bytes);
}

static unsigned tags_view(struct json_writer *out, struct tlv_reader *reader, const struct tlv_table *table,
                          const struct extra *extras);

/* A tag that may come more than once carries its place in the name. */
static unsigned extra_view(struct json_writer *out, const struct extra *extra, unsigned place,
                           const uint8_t *value, size_t len_bytes)
{
    char name[MEMBER_NAME_BYTES];
    struct tlv_reader inner;
    snprintf(name, sizeof name, place ? "%s.%u" : "%s", extra->name, place);
    if (!extra->inner) {
        extra->write(out, name, value, len_bytes);
        return 1;
    }
    tlv_reader_init_inner(&inner, value, len_bytes);
    json_write_object_begin(out, name);
    unsigned members = tags_view(out, &inner, extra->inner, extra->inner_extras);
    json_write_object_end(out);
    return members + 1;
}

static unsigned tags_view(struct json_writer *out, struct tlv_reader *reader, const struct tlv_table *table,
                          const struct extra *extras)
{
    unsigned members = 0, place = 0;
    uint16_t tag, before = 0;
    const uint8_t *value;
    size_t len_bytes;
    while (tlv_next(reader, &tag, &value, &len_bytes)) {
        const struct tlv_member *member = member_find(table, tag);
        const struct extra *extra = extra_find(extras, tag);
        char name[MEMBER_NAME_BYTES];
        place = tag == before ? place + 1 : 0;
        before = tag;
        if (member) {
            write_member(out, member, value, len_bytes);
            members++;
        } else if (extra) {
            members += extra_view(out, extra, place, value, len_bytes);
        } else {
            snprintf(name, sizeof name, "tag %u", tag);
            write_hex(out, name, value, len_bytes);
            members++;
        }
    }
    if (reader->failed)
        json_write_bool(out, "wrong", true);
    return members + 1;
}

static bool is_text(const uint8_t *bytes, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++)
        if (bytes[i] < 0x20 || bytes[i] > 0x7e)
            return false;
    return len_bytes > 0;
}

static void key_view(struct json_writer *out, enum store_database database, const uint8_t *key,
                     size_t len_bytes)
{
    char uuid[UUID_TEXT_BYTES];
    if (database == STORE_BRICKS || (database == STORE_META && is_text(key, len_bytes)))
        write_text(out, "key", key, len_bytes);
    else if (len_bytes == 8)
        json_write_int(out, "key", (int64_t)wire_get_u64(key));
    else if (len_bytes == VM_UUID_LEN)
        json_write_uuid(out, "key", key);
    else if (len_bytes == VM_UUID_LEN + 8) {
        uuid_format(key, uuid);
        json_write_format(out, "key", "%s %llu", uuid, (unsigned long long)wire_get_u64(key + VM_UUID_LEN));
    } else
        json_write_hex(out, "key", key, len_bytes);
}

unsigned record_view(struct json_writer *out, enum store_database database, const void *key,
                     size_t key_len_bytes, const void *value, size_t value_len_bytes)
{
    const struct schema *schema = &schemas[database];
    struct tlv_reader reader;
    unsigned members = 4;
    json_write_object_begin(out, NULL);
    json_write_text(out, "database", store_database_name(database));
    key_view(out, database, key, key_len_bytes);
    json_write_int(out, "bytes", (int64_t)value_len_bytes);
    if (!schema->table && database == STORE_CONSOLES) {
        write_text(out, "text", value, value_len_bytes);
    } else if (!schema->table) {
        write_hex(out, "hex", value, value_len_bytes);
    } else if (tlv_reader_init(&reader, value, value_len_bytes, RECORD_FORMAT)) {
        json_write_bool(out, "wrong", true);
        write_hex(out, "hex", value, value_len_bytes);
    } else {
        json_write_object_begin(out, "record");
        members += tags_view(out, &reader, schema->table, schema->extras);
        json_write_object_end(out);
    }
    json_write_object_end(out);
    return members;
}
