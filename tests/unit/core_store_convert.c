/*
 * Store convert: what an older kilnd wrote is read, checked as it was, and becomes the present format with
 * nothing lost; a backup of it comes back too.
 */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sched.h>
#include <stdatomic.h>

#include "protocol/wire.h"
#include "src/core/audit.h"
#include "src/core/record.h"
#include "src/core/store_backup.h"
#include "tests/unit/core_store_fixture.h"

static struct store_folder stored;

/* Two records and two audit entries, as a kilnd of format 1 left them (LMDB's bytes, cut behind its last
 * page). */
static void a_store_without_sums_becomes_one_with(void **state)
{
    struct store_verdict verdict;
    struct audit_verdict chain;
    char command[256], head[128], error[STORE_ERROR_LEN] = "";
    struct store *store;
    (void)state;
    stored_close(&stored);
    snprintf(head, sizeof head, "%s.head", stored.path);
    snprintf(command, sizeof command,
             "cp tests/unit/core_store_format1.mdb %s/data.mdb && truncate -s 64M %s/data.mdb", stored.path,
             stored.path);
    assert_int_equal(system(command), 0);
    /* Under the head of another store it is a store that went back. */
    assert_int_equal(store_open(stored.path, stored.loop, &store, error), -EUCLEAN);
    assert_int_equal(unlink(head), 0);
    for (int i = 0; i < 2; i++) {
        store_folder_open(&stored);
        assert_int_equal(stored_check(&stored, &verdict, error), 0);
        assert_int_equal(verdict.format, STORE_FORMAT);
        assert_int_equal(verdict.sums.transaction, verdict.walked.transaction);
        assert_int_equal(verdict.records[STORE_BRICKS], 2);
        assert_int_equal(audit_check(stored.store, NULL, 0, NULL, &chain), 0);
        assert_int_equal(chain.count, 2);
        assert_int_equal(chain.wrong_at, 0);
        stored_close(&stored);
    }
    store_folder_open(&stored);
}

/* What change_take has seen, by number. */
struct changes_seen {
    struct history last[32]; /* of each VM */
    size_t nvms;
    uint64_t count;
};

static struct history *last_of(struct changes_seen *seen, const uint8_t uuid[VM_UUID_LEN])
{
    for (size_t i = 0; i < seen->nvms; i++)
        if (memcmp(seen->last[i].vm, uuid, VM_UUID_LEN) == 0)
            return &seen->last[i];
    assert_true(seen->nvms < sizeof seen->last / sizeof seen->last[0]);
    memcpy(seen->last[seen->nvms].vm, uuid, VM_UUID_LEN);
    return &seen->last[seen->nvms++];
}

static int change_take(void *arg, const void *key, size_t key_len_bytes, const void *value,
                       size_t value_len_bytes)
{
    struct changes_seen *seen = arg;
    struct history history;
    assert_int_equal(key_len_bytes, 8);
    assert_int_equal(record_history_decode(value, value_len_bytes, &history), 0);
    assert_int_equal(wire_get_u64(key), history.seq);
    assert_int_equal(history.seq, ++seen->count);
    struct history *last = last_of(seen, history.vm);
    assert_int_equal(history.previous, last->seq);
    assert_int_equal(history.from, last->seq ? last->to : -1);
    *last = history;
    return 0;
}

/* By the number of its first change; its record says the last. */
static int vm_take(void *arg, const void *key, size_t key_len_bytes, const void *value,
                   size_t value_len_bytes)
{
    uint64_t *first = arg, last;
    struct vm vm;
    assert_int_equal(key_len_bytes, 8);
    assert_int_equal(wire_get_u64(key), *first);
    assert_int_equal(record_vm_decode(value, value_len_bytes, &vm, &last), 0);
    assert_int_equal(last, *first + 6);
    *first += 7;
    return 0;
}

/* Three VMs with seven changes each, as a kilnd of format 2 left them. */
static void format2_put(struct store_verdict *ret_verdict)
{
    char error[STORE_ERROR_LEN] = "";
    int fd = open("tests/unit/core_store_format2.mdb", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    stored_close(&stored);
    if (store_restore(stored.path, fd, "format2", ret_verdict, error))
        fail_msg("%s", error);
    close(fd);
}

/* A backup of it comes back, and each
 * change is found by its number and names the one before it. */
static void history_by_vm_becomes_a_chain(void **state)
{
    struct store_verdict verdict;
    struct audit_verdict chain;
    char error[STORE_ERROR_LEN] = "";
    uint64_t first;
    (void)state;
    format2_put(&verdict);
    assert_int_equal(verdict.format, STORE_FORMAT_BY_VM);
    assert_int_equal(verdict.records[STORE_FORMER_HISTORY], 21);
    for (int i = 0; i < 2; i++) {
        struct changes_seen seen = {0};
        store_folder_open(&stored);
        assert_int_equal(stored_check(&stored, &verdict, error), 0);
        assert_int_equal(verdict.format, STORE_FORMAT);
        assert_int_equal(verdict.records[STORE_FORMER_HISTORY], 0);
        assert_int_equal(verdict.records[STORE_FORMER_SEQUENCE], 0);
        assert_int_equal(verdict.records[STORE_VMS], 3);
        first = 1;
        assert_int_equal(store_each(stored.store, STORE_VMS, NULL, 0, 0, vm_take, &first), 0);
        assert_int_equal(store_each(stored.store, STORE_CHANGES, NULL, 0, 0, change_take, &seen), 0);
        assert_int_equal(seen.count, 21);
        assert_int_equal(seen.nvms, 3);
        assert_int_equal(audit_check(stored.store, NULL, 0, NULL, &chain), 0);
        assert_int_equal(chain.count, 21);
        assert_int_equal(chain.wrong_at, 0);
        stored_close(&stored);
    }
    store_folder_open(&stored);
}

static int bytes_count(void *arg, const void *key, size_t key_len_bytes, const void *value,
                       size_t value_len_bytes)
{
    unsigned *bytes = arg;
    (void)key;
    (void)key_len_bytes;
    (void)value;
    *bytes += (unsigned)value_len_bytes;
    return 0;
}

/* More than the map has room for twice: it grows while the changes take their places. */
static void a_long_history_is_converted_too(void **state)
{
    enum { CHANGES = 11000, BYTES = 4000, ADDED = 14 };
    static const uint8_t entry[BYTES], by_vm[4] = {0, 0, 0, STORE_FORMAT_BY_VM};
    struct store_verdict verdict;
    struct store_batch *batch;
    uint8_t key[VM_UUID_LEN + 8] = {7};
    char error[STORE_ERROR_LEN] = "";
    unsigned bytes = 0;
    (void)state;
    assert_int_equal(store_batch_create(stored.store, &batch), 0);
    for (unsigned seq = 1; seq <= CHANGES; seq++) {
        wire_put_u64(key + VM_UUID_LEN, seq);
        store_put(batch, STORE_FORMER_HISTORY, key, sizeof key, entry, sizeof entry);
        store_put(batch, STORE_FORMER_SEQUENCE, key + VM_UUID_LEN, 8, key, VM_UUID_LEN);
    }
    store_put(batch, STORE_META, STORE_FORMAT_KEY, strlen(STORE_FORMAT_KEY), by_vm, sizeof by_vm);
    assert_int_equal(store_commit(batch, NULL, NULL), 0);
    stored_close(&stored);
    store_folder_open(&stored);
    assert_int_equal(store_each(stored.store, STORE_CHANGES, NULL, 0, 0, bytes_count, &bytes), 0);
    assert_int_equal(bytes, CHANGES * (BYTES + ADDED) - ADDED);
    assert_int_equal(stored_check(&stored, &verdict, error), 0);
    assert_int_equal(verdict.format, STORE_FORMAT);
    assert_true(verdict.walked.map_bytes > 64u << 20);
}

/* ---- beside the loop ---- */

/* Whose conversion begins only when it closes. */
static struct store *_Atomic slow;
static atomic_bool is_converting;
int __real_mdb_dbi_open(MDB_txn *txn, const char *name, unsigned flags, MDB_dbi *ret_dbi);
int __wrap_mdb_dbi_open(MDB_txn *txn, const char *name, unsigned flags, MDB_dbi *ret_dbi);

int __wrap_mdb_dbi_open(MDB_txn *txn, const char *name, unsigned flags, MDB_dbi *ret_dbi)
{
    struct store *store = atomic_load(&slow);
    atomic_store(&is_converting, store != NULL);
    while (store && !store_job_ends(store))
        sched_yield();
    return __real_mdb_dbi_open(txn, name, flags, ret_dbi);
}

struct look {
    struct store *store;
    int rc;
    bool told;
    char words[STORE_ERROR_LEN];
};

static void look_run(void *arg)
{
    struct look *look = arg;
    look->rc = store_look(look->store, look->words);
}

static void look_told(void *arg)
{
    ((struct look *)arg)->told = true;
}

/* However much there is to convert, who asks meanwhile is answered, and who asks kilnd to end need not wait:
 * the store is then what it was. */
static void a_conversion_is_beside_the_loop_and_ends_with_its_store(void **state)
{
    struct store_verdict verdict;
    struct look look = {.rc = 1};
    char error[STORE_ERROR_LEN] = "";
    (void)state;
    format2_put(&verdict);
    assert_int_equal(store_claim(stored.path, stored.loop, &look.store, error), 0);
    atomic_store(&slow, look.store);
    assert_int_equal(store_job(look.store, look_run, look_told, &look), 0);
    while (!atomic_load(&is_converting) && !look.told)
        loop_step(stored.loop, false);
    assert_true(atomic_load(&is_converting));
    store_close(look.store);
    atomic_store(&slow, NULL);
    assert_int_equal(look.rc, -ECANCELED);
    assert_int_equal(stored_check(&stored, &verdict, error), 0);
    assert_int_equal(verdict.format, STORE_FORMAT_BY_VM);
    assert_int_equal(verdict.records[STORE_FORMER_HISTORY], 21);
    store_folder_open(&stored);
    assert_int_equal(stored_check(&stored, &verdict, error), 0);
    assert_int_equal(verdict.format, STORE_FORMAT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, stored_setup, stored_teardown, &stored)
    const struct CMUnitTest tests[] = {
        TEST(a_store_without_sums_becomes_one_with),
        TEST(history_by_vm_becomes_a_chain),
        TEST(a_long_history_is_converted_too),
        TEST(a_conversion_is_beside_the_loop_and_ends_with_its_store),
    };
    return cmocka_run_group_tests_name("core_store_convert", tests, NULL, NULL);
}
