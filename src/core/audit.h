/*
 * Audit: who did what to which VM, drive, brick or user. Append-only, each entry holds the hash of the one
 * before.
 *
 * In: an actor and words. Out: an entry in the batch that makes the deed durable; entries; a verdict.
 * Kept: the number and the hash of the last entry.
 * hash = SHA-256 of block("kiln/1 audit", seq, at_ms, previous, actor, what, object, from, to, story).
 */
#ifndef KILN_CORE_AUDIT_H
#define KILN_CORE_AUDIT_H

#include "src/core/record.h"
#include "src/core/store.h"

struct audit {
    uint64_t seq;
    uint8_t hash[RECORD_HASH_LEN];
};

/* What shall be written; members may be NULL for "". */
struct audit_deed {
    const char *actor, *what, *object, *from, *to, *story;
};

/* Finds the end of the chain, as far as it is durable. -EBADMSG when what is kept of it makes no sense. */
int audit_load(struct audit *audit, struct store *store);

/* Appends to BATCH. Entries are chained in the order of these calls, so batches must be committed in that
 * order too. */
int audit_append(struct audit *audit, struct store_batch *batch, int64_t at_ms,
                 const struct audit_deed *deed);

void audit_hash(const struct audit_entry *entry, uint8_t ret_hash[static RECORD_HASH_LEN]);

/* Walks entries with seq > SINCE. EACH returns 0 to go on. */
typedef int audit_each_fn(void *arg, const struct audit_entry *entry, const uint8_t hash[RECORD_HASH_LEN]);
int audit_each(struct store *store, uint64_t since, audit_each_fn *each, void *arg);

/* What a check of the chain found. */
struct audit_verdict {
    uint64_t count;    /* entries, up to the first that is wrong */
    uint64_t wrong_at; /* the first that is wrong (changed, missing, out of order); 0: all are good */
    uint8_t hash[RECORD_HASH_LEN]; /* of the last that is good */
    char words[VM_DETAIL_LEN];     /* what is wrong; "" when nothing is */
};

/* An entry that somebody knows to have been written; WHOSE says who: "was given". Borrowed. */
struct audit_mark {
    struct audit end;
    const char *whose;
};

/* Checks numbers, order and hashes of all that is durable, some entries at a time: entries may be appended
 * meanwhile. The end of the chain that the store's meta holds must be in it, and each of MARKS. ENDS (may be
 * NULL) is asked now and then whether to give up. Any thread. -ECANCELED it was; negative errno when the
 * chain cannot be read. */
int audit_check(struct store *store, const struct audit_mark *marks, size_t nmarks,
                bool (*ends)(const struct store *store), struct audit_verdict *ret_verdict);

/* audit_check without marks. */
int audit_verify(struct store *store, uint64_t *ret_count, uint64_t *ret_at);

/* "SEQ:HASH" of an end, for people to keep elsewhere; and back. -EINVAL */
enum { AUDIT_END_TEXT_BYTES = 20 + 1 + 2 * RECORD_HASH_LEN + 1 };
void audit_end_format(const struct audit *end, char ret_text[static AUDIT_END_TEXT_BYTES]);
int audit_end_parse(const char *text, struct audit *ret_end);
/* From the bytes of STORE_AUDIT_END_KEY. */
struct audit audit_end_decode(const uint8_t bytes[static STORE_AUDIT_END_BYTES]);

#endif
