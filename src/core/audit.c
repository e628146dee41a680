/*
 * Audit: see audit.h.
 */
#include "src/core/audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/crypto.h"
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
    if (len_bytes == END_BYTES) {
        ret_end->seq = wire_get_u64(bytes);
        memcpy(ret_end->hash, bytes + KEY_BYTES, RECORD_HASH_LEN);
    }
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

struct audit_check {
    uint64_t count, wrong_at;
    uint8_t hash[RECORD_HASH_LEN]; /* of the entry before */
};

static int entry_check(void *arg, const void *key, size_t key_len_bytes, const void *value,
                       size_t value_len_bytes)
{
    struct audit_check *check = arg;
    struct audit_entry entry;
    uint64_t expected = check->count + 1;
    bool good = key_len_bytes == KEY_BYTES && wire_get_u64(key) == expected &&
                record_audit_decode(value, value_len_bytes, &entry) == 0 && entry.seq == expected &&
                memcmp(entry.previous, check->hash, sizeof check->hash) == 0;
    if (!good) {
        check->wrong_at = expected;
        return 1;
    }
    check->count = expected;
    audit_hash(&entry, check->hash);
    return 0;
}

int audit_verify(struct store *store, uint64_t *ret_count, uint64_t *ret_at)
{
    struct audit_check check = {0};
    struct audit end = {0};
    int rc = store_each(store, STORE_AUDIT, NULL, 0, 0, entry_check, &check);
    if (rc >= 0)
        rc = end_get(store, &end);
    if (rc < 0)
        return rc;
    if (!check.wrong_at && (check.count < end.seq || memcmp(check.hash, end.hash, sizeof end.hash) != 0))
        check.wrong_at = check.count < end.seq ? check.count + 1 : check.count;
    *ret_count = check.count;
    *ret_at = check.wrong_at;
    return 0;
}
