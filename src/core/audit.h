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

/* Finds the end of the chain. -EBADMSG when what is kept of it makes no sense. */
int audit_load(struct audit *audit, struct store *store);

/* Appends to BATCH. Entries are chained in the order of these calls, so batches must be committed in that
 * order too. */
int audit_append(struct audit *audit, struct store_batch *batch, int64_t at_ms,
                 const struct audit_deed *deed);

void audit_hash(const struct audit_entry *entry, uint8_t ret_hash[static RECORD_HASH_LEN]);

/* Walks entries with seq > SINCE. EACH returns 0 to go on. */
typedef int audit_each_fn(void *arg, const struct audit_entry *entry, const uint8_t hash[RECORD_HASH_LEN]);
int audit_each(struct store *store, uint64_t since, audit_each_fn *each, void *arg);

/* Checks numbers, order and hashes of all that is durable. RET_COUNT entries; RET_AT the first that is wrong
 * (changed, missing, out of order, unreadable), 0 when all are good. Negative errno when it cannot be
 * read. */
int audit_verify(struct store *store, uint64_t *ret_count, uint64_t *ret_at);

#endif
