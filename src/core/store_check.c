/*
 * Store check: see store_check.h.
 */
#include "src/core/store_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/wire.h"

static const char *const database_names[STORE_DATABASE_COUNT] = {
#define X(upper, text) [STORE_##upper] = text,
    STORE_DATABASES(X)
#undef X
};

const char *store_database_name(enum store_database database)
{
    return database_names[database];
}

bool store_database_is_former(enum store_database database)
{
    return database == STORE_FORMER_HISTORY || database == STORE_FORMER_SEQUENCE;
}

int store_database_find(const char *name)
{
    for (int i = 0; i < STORE_DATABASE_COUNT; i++)
        if (strcmp(database_names[i], name) == 0)
            return i;
    return -1;
}

struct check {
    struct store_verdict verdict;
    struct store_sums kept; /* as the store has them */
    bool has_sums, has_bad_sums, has_stranger;
    store_check_fn *each;
    void *arg;
};

static bool key_is(const void *key, size_t key_len_bytes, const char *name)
{
    return key_len_bytes == strlen(name) && memcmp(key, name, key_len_bytes) == 0;
}

/* Returns whether the record belongs to no sum. */
static bool meta_take(struct check *check, const void *key, size_t key_len_bytes, const void *value,
                      size_t value_len_bytes)
{
    if (key_is(key, key_len_bytes, STORE_SUMS_KEY)) {
        check->has_sums = true;
        check->has_bad_sums = store_sums_decode(value, value_len_bytes, &check->kept) != 0;
        return true;
    }
    if (key_is(key, key_len_bytes, STORE_FORMAT_KEY))
        check->verdict.format = value_len_bytes == sizeof(uint32_t) ? wire_get_u32(value) : UINT32_MAX;
    if (key_is(key, key_len_bytes, STORE_AUDIT_END_KEY) && value_len_bytes == STORE_AUDIT_END_BYTES)
        memcpy(check->verdict.audit_end, value, value_len_bytes);
    return false;
}

static int record_take(void *arg, const char *name, const void *key, size_t key_len_bytes, const void *value,
                       size_t value_len_bytes)
{
    struct check *check = arg;
    int database = store_database_find(name);
    if (database < 0) {
        check->has_stranger = true;
        return 0;
    }
    check->verdict.records[database]++;
    if (database == STORE_META && meta_take(check, key, key_len_bytes, value, value_len_bytes))
        return 0;
    store_sums_add(&check->verdict.sums, (enum store_database)database, key, key_len_bytes, value,
                   value_len_bytes);
    return check->each ? check->each(check->arg, (enum store_database)database, key, key_len_bytes, value,
                                     value_len_bytes)
                       : 0;
}

static int damaged(char error[STORE_ERROR_LEN], const char *words, const char *which)
{
    snprintf(error, STORE_ERROR_LEN, "damaged: %s%s", words, which);
    return -EUCLEAN;
}

static bool is_empty(const struct store_verdict *verdict)
{
    for (int i = 0; i < STORE_DATABASE_COUNT; i++)
        if (verdict->records[i])
            return false;
    return true;
}

static int sums_compare(const struct check *check, char error[STORE_ERROR_LEN])
{
    if (!check->has_sums || check->has_bad_sums)
        return damaged(error, "the sums of its records are ", check->has_sums ? "wrong" : "gone");
    if (check->kept.transaction != check->verdict.walked.transaction)
        return damaged(error, "its beginning is not that of its last transaction", "");
    for (int i = 0; i < STORE_DATABASE_COUNT; i++)
        if (!store_sum_same(&check->kept.of[i], &check->verdict.sums.of[i]))
            return damaged(error, "the records are not those that were written: ", database_names[i]);
    return 0;
}

static int judge(struct check *check, char error[STORE_ERROR_LEN])
{
    struct store_verdict *verdict = &check->verdict;
    if (is_empty(verdict) && !check->has_stranger)
        return 0;
    if (verdict->format > STORE_FORMAT && verdict->format != UINT32_MAX) {
        snprintf(error, STORE_ERROR_LEN,
                 "a newer kilnd wrote it (format %u, this one knows %d): start that one, or restore a backup",
                 verdict->format, STORE_FORMAT);
        return -ENOTSUP;
    }
    if (check->has_stranger || verdict->format == 0 || verdict->format > STORE_FORMAT)
        return damaged(error, "its format is unknown", "");
    if (verdict->format == STORE_FORMAT_SUMLESS && !check->has_sums)
        return 0;
    if (verdict->format == STORE_FORMAT_SUMLESS)
        return damaged(error, "its format is not that of its records", "");
    int rc = sums_compare(check, error);
    if (!rc)
        verdict->sums.transaction = check->kept.transaction;
    return rc;
}

int store_check(int fd, uint64_t transaction, store_check_fn *each, void *arg,
                struct store_verdict *ret_verdict, char error[STORE_ERROR_LEN])
{
    struct check check = {.each = each, .arg = arg};
    int rc = store_walk(fd, transaction, record_take, &check, &check.verdict.walked, error);
    if (!rc)
        rc = judge(&check, error);
    if (!rc)
        *ret_verdict = check.verdict;
    return rc;
}
