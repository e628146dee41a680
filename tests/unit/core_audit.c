/*
 * Audit: the chain verifies, and any entry that is changed, dropped or moved is found.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/text.h"
#include "protocol/wire.h"
#include "src/core/audit.h"
#include "tests/unit/core_store_folder.h"

enum { ENTRIES = 8 };

struct fixture {
    struct store_folder folder;
    struct audit audit;
};

static void count_done(void *arg)
{
    ++*(unsigned *)arg;
}

static void commit_wait(struct fixture *fixture, struct store_batch *batch)
{
    unsigned done = 0;
    assert_int_equal(store_commit(batch, count_done, &done), 0);
    while (!done)
        assert_int_equal(loop_step(fixture->folder.loop, true), 0);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct store_batch *batch;
    store_folder_make(&fixture->folder);
    if (audit_load(&fixture->audit, fixture->folder.store) ||
        store_batch_create(fixture->folder.store, &batch))
        return -1;
    for (int i = 0; i < ENTRIES; i++) {
        char object[16];
        struct audit_deed deed = {.actor = "uid:0", .what = "vm.create", .object = object, .to = "requested"};
        snprintf(object, sizeof object, "vm-%d", i);
        if (audit_append(&fixture->audit, batch, 1000 + i, &deed))
            return -1;
    }
    commit_wait(fixture, batch);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    store_folder_remove(&fixture->folder);
    free(fixture);
    return 0;
}

static uint64_t first_wrong(struct fixture *fixture)
{
    uint64_t count, at;
    assert_int_equal(audit_verify(fixture->folder.store, &count, &at), 0);
    return at;
}

static void entry_read(struct fixture *fixture, uint64_t seq, struct audit_entry *ret_entry)
{
    uint8_t key[8], *bytes;
    size_t len;
    wire_put_u64(key, seq);
    assert_int_equal(store_get(fixture->folder.store, STORE_AUDIT, key, sizeof key, &bytes, &len), 0);
    assert_int_equal(record_audit_decode(bytes, len, ret_entry), 0);
    free(bytes);
}

static void entry_write(struct fixture *fixture, uint64_t seq, const struct audit_entry *entry)
{
    struct store_batch *batch;
    uint8_t key[8], *bytes;
    size_t len;
    wire_put_u64(key, seq);
    assert_int_equal(store_batch_create(fixture->folder.store, &batch), 0);
    if (entry) {
        assert_int_equal(record_audit_encode(entry, &bytes, &len), 0);
        store_put(batch, STORE_AUDIT, key, sizeof key, bytes, len);
        free(bytes);
    } else {
        store_delete(batch, STORE_AUDIT, key, sizeof key);
    }
    commit_wait(fixture, batch);
}

static void a_true_chain_verifies(void **state)
{
    struct fixture *fixture = *state;
    uint64_t count, at;
    assert_int_equal(audit_verify(fixture->folder.store, &count, &at), 0);
    assert_int_equal(count, ENTRIES);
    assert_int_equal(at, 0);
}

static void a_changed_entry_is_found_wherever_it_is(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seq = 1; seq <= ENTRIES; seq++) {
        struct audit_entry entry, changed;
        entry_read(fixture, seq, &entry);
        changed = entry;
        strcpy(changed.actor, "uid:1");
        entry_write(fixture, seq, &changed);
        /* The next one does not hold its hash; of the last one the chain's end does not. */
        assert_int_equal(first_wrong(fixture), seq == ENTRIES ? seq : seq + 1);
        entry_write(fixture, seq, &entry);
        assert_int_equal(first_wrong(fixture), 0);
    }
}

static void a_dropped_entry_is_found_wherever_it_was(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seq = 1; seq <= ENTRIES; seq++) {
        struct audit_entry entry;
        entry_read(fixture, seq, &entry);
        entry_write(fixture, seq, NULL);
        assert_int_equal(first_wrong(fixture), seq);
        entry_write(fixture, seq, &entry);
    }
}

static void swapped_entries_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct audit_entry third, fourth;
    entry_read(fixture, 3, &third);
    entry_read(fixture, 4, &fourth);
    entry_write(fixture, 3, &fourth);
    entry_write(fixture, 4, &third);
    assert_int_equal(first_wrong(fixture), 3);
    /* Renumbered, too. */
    uint64_t seq = third.seq;
    third.seq = fourth.seq;
    fourth.seq = seq;
    entry_write(fixture, 3, &fourth);
    entry_write(fixture, 4, &third);
    assert_int_equal(first_wrong(fixture), 3);
}

static struct audit end_of(struct fixture *fixture)
{
    struct audit end;
    assert_int_equal(audit_load(&end, fixture->folder.store), 0);
    return end;
}

/* The entries after SEQ are dropped, and the end that is kept beside the chain is moved there too: whoever
 * can write the store can do that. */
static void truncate_after(struct fixture *fixture, uint64_t seq)
{
    struct store_batch *batch;
    struct audit_entry entry;
    uint8_t end[STORE_AUDIT_END_BYTES];
    entry_read(fixture, seq, &entry);
    for (uint64_t last = fixture->audit.seq; last > seq; last--)
        entry_write(fixture, last, NULL);
    wire_put_u64(end, seq);
    audit_hash(&entry, end + 8);
    assert_int_equal(store_batch_create(fixture->folder.store, &batch), 0);
    store_put(batch, STORE_META, STORE_AUDIT_END_KEY, sizeof STORE_AUDIT_END_KEY - 1, end, sizeof end);
    commit_wait(fixture, batch);
}

static void a_truncated_tail_is_found_by_who_knew_an_entry_of_it(void **state)
{
    struct fixture *fixture = *state;
    struct audit_verdict verdict;
    struct audit_mark mark = {.end = end_of(fixture), .whose = "was given"};
    assert_int_equal(audit_check(fixture->folder.store, &mark, 1, NULL, &verdict), 0);
    assert_int_equal(verdict.wrong_at, 0);
    assert_memory_equal(verdict.hash, mark.end.hash, sizeof verdict.hash);
    truncate_after(fixture, 5);
    assert_int_equal(first_wrong(fixture), 0);
    assert_int_equal(audit_check(fixture->folder.store, &mark, 1, NULL, &verdict), 0);
    assert_int_equal(verdict.wrong_at, 6);
    assert_string_equal(verdict.words, "the chain ends before entry 8, which was given");
    /* A chain that goes on anew from there is another one. */
    struct audit anew = end_of(fixture);
    for (int i = 0; i < 4; i++) {
        struct store_batch *batch;
        struct audit_deed deed = {.actor = "uid:0", .what = "forged"};
        assert_int_equal(store_batch_create(fixture->folder.store, &batch), 0);
        assert_int_equal(audit_append(&anew, batch, 7, &deed), 0);
        commit_wait(fixture, batch);
    }
    assert_int_equal(first_wrong(fixture), 0);
    assert_int_equal(audit_check(fixture->folder.store, &mark, 1, NULL, &verdict), 0);
    assert_int_equal(verdict.wrong_at, 8);
    assert_string_equal(verdict.words, "it is not the entry that was given");
}

/* More than one slice of the check, and entries that come while it walks. */
static void a_chain_that_grows_while_it_is_checked_is_good(void **state)
{
    struct fixture *fixture = *state;
    struct audit_verdict verdict;
    for (int i = 0; i < 30; i++) {
        struct store_batch *batch;
        assert_int_equal(store_batch_create(fixture->folder.store, &batch), 0);
        for (int j = 0; j < 100; j++) {
            struct audit_deed deed = {.actor = "uid:0", .what = "vm.create"};
            assert_int_equal(audit_append(&fixture->audit, batch, 1, &deed), 0);
        }
        assert_int_equal(store_commit(batch, NULL, NULL), 0);
        loop_step(fixture->folder.loop, false);
        assert_int_equal(audit_check(fixture->folder.store, NULL, 0, NULL, &verdict), 0);
        assert_int_equal(verdict.wrong_at, 0);
    }
}

static bool always(const struct store *store)
{
    (void)store;
    return true;
}

static void a_check_that_is_to_end_does(void **state)
{
    struct fixture *fixture = *state;
    struct audit_verdict verdict;
    assert_int_equal(audit_check(fixture->folder.store, NULL, 0, always, &verdict), -ECANCELED);
}

static void an_end_is_written_down_and_read_back(void **state)
{
    struct fixture *fixture = *state;
    struct audit end = end_of(fixture), back;
    char text[AUDIT_END_TEXT_BYTES];
    static const char *const wrong[] = {"", "8", "8:", ":00", "-1:", " 8:", "x"};
    audit_end_format(&end, text);
    assert_int_equal(audit_end_parse(text, &back), 0);
    assert_int_equal(back.seq, ENTRIES);
    assert_memory_equal(back.hash, end.hash, sizeof back.hash);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(audit_end_parse(wrong[i], &back), -EINVAL);
}

static void the_chain_goes_on_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct store_batch *batch;
    struct audit loaded;
    struct audit_deed deed = {.what = "user.add"};
    assert_int_equal(audit_load(&loaded, fixture->folder.store), 0);
    assert_int_equal(loaded.seq, ENTRIES);
    assert_memory_equal(loaded.hash, fixture->audit.hash, sizeof loaded.hash);
    assert_int_equal(store_batch_create(fixture->folder.store, &batch), 0);
    assert_int_equal(audit_append(&loaded, batch, 5, &deed), 0);
    commit_wait(fixture, batch);
    assert_int_equal(first_wrong(fixture), 0);
}

static int collect(void *arg, const struct audit_entry *entry, const uint8_t hash[RECORD_HASH_LEN])
{
    uint64_t *sum = arg;
    (void)hash;
    *sum = *sum * 10 + entry->seq;
    return 0;
}

static void entries_are_listed_from_where_one_asks(void **state)
{
    struct fixture *fixture = *state;
    uint64_t sum = 0;
    assert_int_equal(audit_each(fixture->folder.store, 5, collect, &sum), 0);
    assert_int_equal(sum, 678);
}

/* What is hashed is fixed for ever: another one would break every chain there is. */
static void the_hash_of_an_entry_is_this(void **state)
{
    (void)state;
    struct audit_entry entry = {.seq = 1, .at_ms = 2, .actor = "a", .what = "w", .object = "o", .story = "s"};
    uint8_t hash[RECORD_HASH_LEN];
    char hex[65];
    audit_hash(&entry, hash);
    hex_encode(hash, sizeof hash, hex);
    assert_string_equal(hex, "fa213845e4cce246158032a7a00641da529aaaee7f3618ce0bd3612df63dc09c");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_true_chain_verifies),
        TEST(a_changed_entry_is_found_wherever_it_is),
        TEST(a_dropped_entry_is_found_wherever_it_was),
        TEST(swapped_entries_are_found),
        TEST(a_truncated_tail_is_found_by_who_knew_an_entry_of_it),
        TEST(a_chain_that_grows_while_it_is_checked_is_good),
        TEST(a_check_that_is_to_end_does),
        TEST(an_end_is_written_down_and_read_back),
        TEST(the_chain_goes_on_after_a_restart),
        TEST(entries_are_listed_from_where_one_asks),
        cmocka_unit_test(the_hash_of_an_entry_is_this),
    };
    return cmocka_run_group_tests_name("core_audit", tests, NULL, NULL);
}
