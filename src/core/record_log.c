/*
 * Records: history and audit entries. States and events go by name, as in the VM's record.
 */
#include <errno.h>
#include <string.h>

#include "src/core/record.h"
#include "src/core/tlv.h"

#define HISTORY(tag, kind, member) TLV_MEMBER(tag, kind, struct history, member)
static const struct tlv_member history_members[] = {
    HISTORY(16, TLV_NUMBER, seq),  HISTORY(17, TLV_NUMBER, at_ms), HISTORY(18, TLV_BYTES, vm),
    HISTORY(19, TLV_TEXT, name),   HISTORY(20, TLV_TEXT, story),   HISTORY(21, TLV_TEXT, actor),
    HISTORY(22, TLV_NUMBER, code), HISTORY(23, TLV_TEXT, detail),
    HISTORY(RECORD_HISTORY_PREVIOUS, TLV_NUMBER, previous),
};
const struct tlv_table record_history_table = {history_members, TLV_COUNT(history_members)};

#define AUDIT(tag, kind, member) TLV_MEMBER(tag, kind, struct audit_entry, member)
static const struct tlv_member audit_members[] = {
    AUDIT(16, TLV_NUMBER, seq), AUDIT(17, TLV_NUMBER, at_ms), AUDIT(18, TLV_BYTES, previous),
    AUDIT(19, TLV_TEXT, actor), AUDIT(20, TLV_TEXT, what),    AUDIT(21, TLV_TEXT, object),
    AUDIT(22, TLV_TEXT, from),  AUDIT(23, TLV_TEXT, to),      AUDIT(24, TLV_TEXT, story),
};
const struct tlv_table record_audit_table = {audit_members, TLV_COUNT(audit_members)};

static void name_put(struct tlv_writer *writer, uint16_t tag, const char *name)
{
    if (name)
        tlv_put_text(writer, tag, name);
}

int record_history_encode(const struct history *history, uint8_t **ret_bytes, size_t *ret_len_bytes)
{
    struct tlv_writer writer;
    tlv_writer_init(&writer, RECORD_FORMAT);
    name_put(&writer, RECORD_HISTORY_FROM, vm_state_name(history->from));
    name_put(&writer, RECORD_HISTORY_TO, vm_state_name(history->to));
    name_put(&writer, RECORD_HISTORY_EVENT, vm_event_name(history->event));
    tlv_put_members(&writer, history_members, TLV_COUNT(history_members), history);
    return tlv_writer_end(&writer, ret_bytes, ret_len_bytes);
}

/* A name that this version does not know is kept as -1: history is for people, and goes on. */
static int32_t name_take(const uint8_t *value, size_t len_bytes, const char *(*name_of)(int), int count)
{
    for (int i = 0; i < count; i++) {
        const char *name = name_of(i);
        if (strlen(name) == len_bytes && memcmp(name, value, len_bytes) == 0)
            return i;
    }
    return -1;
}

static int history_take(struct history *history, uint16_t tag, const uint8_t *value, size_t len_bytes)
{
    switch (tag) {
    case RECORD_HISTORY_FROM:
        history->from = name_take(value, len_bytes, vm_state_name, VM_STATE_COUNT);
        return 0;
    case RECORD_HISTORY_TO:
        history->to = name_take(value, len_bytes, vm_state_name, VM_STATE_COUNT);
        return 0;
    case RECORD_HISTORY_EVENT:
        history->event = name_take(value, len_bytes, vm_event_name, VM_EVENT_COUNT);
        return 0;
    default:
        return tlv_take_member(history_members, TLV_COUNT(history_members), history, tag, value, len_bytes);
    }
}

int record_history_decode(const void *bytes, size_t len_bytes, struct history *ret_history)
{
    struct history history = {.from = -1, .to = -1, .event = -1};
    struct tlv_reader reader;
    uint16_t tag;
    const uint8_t *value;
    size_t value_len_bytes;
    int rc = tlv_reader_init(&reader, bytes, len_bytes, RECORD_FORMAT);
    if (rc)
        return rc;
    while (tlv_next(&reader, &tag, &value, &value_len_bytes))
        if (history_take(&history, tag, value, value_len_bytes) < 0)
            return -EBADMSG;
    if (reader.failed)
        return -EBADMSG;
    *ret_history = history;
    return 0;
}

int record_history_previous(const void *bytes, size_t len_bytes, uint64_t *ret_previous)
{
    struct tlv_reader reader;
    uint64_t previous = 0;
    uint16_t tag;
    const uint8_t *value;
    size_t value_len_bytes;
    int rc = tlv_reader_init(&reader, bytes, len_bytes, RECORD_FORMAT);
    if (rc)
        return rc;
    while (tlv_next(&reader, &tag, &value, &value_len_bytes))
        if (tag == RECORD_HISTORY_PREVIOUS && !tlv_number(value, value_len_bytes, sizeof previous, &previous))
            return -EBADMSG;
    if (reader.failed)
        return -EBADMSG;
    *ret_previous = previous;
    return 0;
}

int record_audit_encode(const struct audit_entry *entry, uint8_t **ret_bytes, size_t *ret_len_bytes)
{
    struct tlv_writer writer;
    tlv_writer_init(&writer, RECORD_FORMAT);
    tlv_put_members(&writer, audit_members, TLV_COUNT(audit_members), entry);
    return tlv_writer_end(&writer, ret_bytes, ret_len_bytes);
}

int record_audit_decode(const void *bytes, size_t len_bytes, struct audit_entry *ret_entry)
{
    struct audit_entry entry = {0};
    struct tlv_reader reader;
    int rc = tlv_reader_init(&reader, bytes, len_bytes, RECORD_FORMAT);
    if (!rc)
        rc = tlv_take_members(audit_members, TLV_COUNT(audit_members), &entry, reader.at, reader.left_bytes);
    if (!rc)
        *ret_entry = entry;
    return rc;
}
