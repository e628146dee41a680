/*
 * Audit: the check of the chain. See audit.h.
 *
 * In: the chain, and what else is known of its end. Out: a verdict. Kept: nothing.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "protocol/wire.h"
#include "src/core/audit.h"

enum { SLICE = 512, KEY_BYTES = 8 };

struct check {
    struct audit_mark meta; /* the end that is kept beside the chain */
    const struct audit_mark *marks;
    size_t nmarks;
    unsigned left; /* entries of this slice */
    struct audit_verdict verdict;
};

static int wrong(struct check *check, uint64_t at, const char *words)
{
    check->verdict.wrong_at = at;
    snprintf(check->verdict.words, sizeof check->verdict.words, "%s", words);
    return 1;
}

static int mark_compare(struct check *check, const struct audit_mark *mark)
{
    char words[VM_DETAIL_LEN];
    const struct audit_verdict *verdict = &check->verdict;
    if (mark->end.seq != verdict->count || memcmp(mark->end.hash, verdict->hash, sizeof verdict->hash) == 0)
        return 0;
    snprintf(words, sizeof words, "it is not the entry that %s", mark->whose);
    return wrong(check, verdict->count, words);
}

static int marks_compare(struct check *check)
{
    int rc = mark_compare(check, &check->meta);
    for (size_t i = 0; !rc && i < check->nmarks; i++)
        rc = mark_compare(check, &check->marks[i]);
    return rc;
}

static int entry_check(void *arg, const void *key, size_t key_len_bytes, const void *value,
                       size_t value_len_bytes)
{
    struct check *check = arg;
    struct audit_verdict *verdict = &check->verdict;
    struct audit_entry entry;
    uint64_t expected = verdict->count + 1;
    if (check->left-- == 0)
        return INT_MAX;
    if (key_len_bytes != KEY_BYTES || wire_get_u64(key) != expected)
        return wrong(check, expected, "an entry is missing");
    if (record_audit_decode(value, value_len_bytes, &entry))
        return wrong(check, expected, "the entry cannot be read");
    if (entry.seq != expected)
        return wrong(check, expected, "the entry was written in another place");
    if (memcmp(entry.previous, verdict->hash, sizeof verdict->hash) != 0)
        return wrong(check, expected, "the entry does not follow from the one before");
    verdict->count = expected;
    audit_hash(&entry, verdict->hash);
    return marks_compare(check);
}

/* The chain ends before an entry that somebody knows. */
static int end_compare(struct check *check, const struct audit_mark *mark)
{
    char words[VM_DETAIL_LEN];
    if (mark->end.seq <= check->verdict.count)
        return 0;
    snprintf(words, sizeof words, "the chain ends before entry %llu, which %s",
             (unsigned long long)mark->end.seq, mark->whose);
    return wrong(check, check->verdict.count + 1, words);
}

static void end_check(struct check *check)
{
    int rc = end_compare(check, &check->meta);
    for (size_t i = 0; !rc && i < check->nmarks; i++)
        rc = end_compare(check, &check->marks[i]);
}

int audit_check(struct store *store, const struct audit_mark *marks, size_t nmarks,
                bool (*ends)(const struct store *store), struct audit_verdict *ret_verdict)
{
    struct check check = {.meta = {.whose = "the store has as its end"}, .marks = marks, .nmarks = nmarks};
    uint8_t from[KEY_BYTES];
    /* The end first, then the walk: what is appended meanwhile is not missed. */
    int rc = audit_load(&check.meta.end, store);
    while (rc >= 0) {
        if (ends && ends(store))
            return -ECANCELED;
        check.left = SLICE;
        wire_put_u64(from, check.verdict.count + 1);
        rc = store_each(store, STORE_AUDIT, from, check.verdict.count ? sizeof from : 0, 0, entry_check,
                        &check);
        if (rc != INT_MAX)
            break;
    }
    if (rc < 0)
        return rc;
    if (!check.verdict.wrong_at)
        end_check(&check);
    *ret_verdict = check.verdict;
    return 0;
}

int audit_verify(struct store *store, uint64_t *ret_count, uint64_t *ret_at)
{
    struct audit_verdict verdict;
    int rc = audit_check(store, NULL, 0, NULL, &verdict);
    if (rc)
        return rc;
    *ret_count = verdict.count;
    *ret_at = verdict.wrong_at;
    return 0;
}
