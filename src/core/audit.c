/*
 * Audit: see audit.h.
 */
#include "src/core/audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/crypto.h"
#include "protocol/text.h"
#include "protocol/wire.h"

enum {
    KEY_BYTES = 8,
    BLOCK_MAX = 1024,
    END_BYTES = KEY_BYTES + RECORD_HASH_LEN
}; /* an entry at its longest takes some 600 */

static const char end_key[] = STORE_AUDIT_END_KEY;
_Static_assert((int)END_BYTES == (int)STORE_AUDIT_END_BYTES, "the store's head repeats it");

static void text_keep(char *to, size_t size_bytes, const char *from)
{
    fsm_text_keep(to, size_bytes, from ? from : "");
}

void audit_hash(const struct audit_entry *entry, uint8_t ret_hash[static RECORD_HASH_LEN])
{
    uint8_t block[BLOCK_MAX];
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    wire_write_field_text(&writer, "kiln/1 audit");
    wire_write_field_u64(&writer, entry->seq);
    wire_write_field_u64(&writer, (uint64_t)entry->at_ms);
    wire_write_field(&writer, entry->previous, sizeof entry->previous);
    wire_write_field_text(&writer, entry->actor);
    wire_write_field_text(&writer, entry->what);
    wire_write_field_text(&writer, entry->object);
    wire_write_field_text(&writer, entry->from);
    wire_write_field_text(&writer, entry->to);
    wire_write_field_text(&writer, entry->story);
    crypto_hash(block, writer.len, ret_hash);
}

/* The end of the chain is kept beside it: no later entry speaks for the last one. */
static void end_put(const struct audit *audit, struct store_batch *batch)
{
    uint8_t end[END_BYTES];
    wire_put_u64(end, audit->seq);
    memcpy(end + KEY_BYTES, audit->hash, RECORD_HASH_LEN);
    store_put(batch, STORE_META, end_key, sizeof end_key - 1, end, sizeof end);
}

struct audit audit_end_decode(const uint8_t bytes[static STORE_AUDIT_END_BYTES])
{
    struct audit end = {.seq = wire_get_u64(bytes)};
    memcpy(end.hash, bytes + KEY_BYTES, RECORD_HASH_LEN);
    return end;
}

void audit_end_format(const struct audit *end, char ret_text[static AUDIT_END_TEXT_BYTES])
{
    char hex[TEXT_HEX_BYTES(RECORD_HASH_LEN)];
    hex_encode(end->hash, sizeof end->hash, hex);
    snprintf(ret_text, AUDIT_END_TEXT_BYTES, "%llu:%s", (unsigned long long)end->seq, hex);
}

int audit_end_parse(const char *text, struct audit *ret_end)
{
    struct audit end;
    char *colon;
    errno = 0;
    end.seq = strtoull(text, &colon, 10);
    if (errno || colon == text || *colon != ':' || text[0] < '0' || text[0] > '9' ||
        hex_decode(colon + 1, end.hash, sizeof end.hash))
        return -EINVAL;
    *ret_end = end;
    return 0;
}

static int end_get(struct store *store, struct audit *ret_end)
{
    uint8_t *bytes;
    size_t len_bytes;
    int rc = store_get(store, STORE_META, end_key, sizeof end_key - 1, &bytes, &len_bytes);
    if (rc == -ENOENT) {
        *ret_end = (struct audit){0};
        return 0;
    }
    if (rc)
        return rc;
    if (len_bytes == END_BYTES)
        *ret_end = audit_end_decode(bytes);
    free(bytes);
    return len_bytes == END_BYTES ? 0 : -EBADMSG;
}

int audit_append(struct audit *audit, struct store_batch *batch, int64_t at_ms, const struct audit_deed *deed)
{
    struct audit_entry entry = {.seq = audit->seq + 1, .at_ms = at_ms};
    uint8_t *bytes, key[KEY_BYTES];
    size_t len_bytes;
    memcpy(entry.previous, audit->hash, sizeof entry.previous);
    text_keep(entry.actor, sizeof entry.actor, deed->actor);
    text_keep(entry.what, sizeof entry.what, deed->what);
    text_keep(entry.object, sizeof entry.object, deed->object);
    text_keep(entry.from, sizeof entry.from, deed->from);
    text_keep(entry.to, sizeof entry.to, deed->to);
    text_keep(entry.story, sizeof entry.story, deed->story);
    int rc = record_audit_encode(&entry, &bytes, &len_bytes);
    if (rc)
        return rc;
    wire_put_u64(key, entry.seq);
    store_put(batch, STORE_AUDIT, key, sizeof key, bytes, len_bytes);
    free(bytes);
    audit->seq = entry.seq;
    audit_hash(&entry, audit->hash);
    end_put(audit, batch);
    return 0;
}

int audit_load(struct audit *audit, struct store *store)
{
    return end_get(store, audit);
}

struct audit_walk {
    audit_each_fn *each;
    void *arg;
};

static int entry_each(void *arg, const void *key, size_t key_len_bytes, const void *value,
                      size_t value_len_bytes)
{
    const struct audit_walk *walk = arg;
    struct audit_entry entry;
    uint8_t hash[RECORD_HASH_LEN];
    (void)key;
    (void)key_len_bytes;
    if (record_audit_decode(value, value_len_bytes, &entry))
        return -EBADMSG;
    audit_hash(&entry, hash);
    return walk->each(walk->arg, &entry, hash);
}

int audit_each(struct store *store, uint64_t since, audit_each_fn *each, void *arg)
{
    struct audit_walk walk = {.each = each, .arg = arg};
    uint8_t from[KEY_BYTES];
    wire_put_u64(from, since + 1);
    return store_each(store, STORE_AUDIT, from, sizeof from, 0, entry_each, &walk);
}
