/*
 * History: a VM's changes, from any of them on, among those of others; and a chain that is broken is said to
 * be.
 */
#include "core_false_virt.h"
#include "src/core/record.h"

enum { CHANGES_MAX = 16 };

struct seen {
    struct history of[CHANGES_MAX];
    size_t count, max;
};

static int see(void *arg, const struct history *history)
{
    struct seen *seen = arg;
    assert_true(seen->count < CHANGES_MAX);
    seen->of[seen->count++] = *history;
    return seen->count == seen->max;
}

static void is_the_vms_own_from_any_change_on(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN], other[VM_UUID_LEN];
    struct seen all = {.max = CHANGES_MAX};
    make_booted(fixture, "v1", uuid);
    make(fixture, "v2", other);
    answer(fixture, "overlay", 0);
    settle(fixture);
    registered_and_paired(fixture, uuid);
    settle(fixture);
    const struct vm_slot *slot = core_vm(&fixture->core, uuid);
    assert_int_equal(core_history(slot, 0, see, &all), 0);
    assert_true(all.count >= 5);
    assert_true(all.of[all.count - 1].seq - slot->number > all.count);
    assert_int_equal(all.of[0].from, -1);
    assert_int_equal(all.of[0].previous, 0);
    assert_int_equal(all.of[0].seq, slot->number);
    assert_int_equal(all.of[all.count - 1].seq, slot->seq);
    for (size_t i = 0; i < all.count; i++) {
        struct seen some = {.max = 2};
        size_t left = all.count - i - 1;
        assert_memory_equal(all.of[i].vm, uuid, sizeof uuid);
        assert_true(i == 0 || all.of[i].previous == all.of[i - 1].seq);
        assert_int_equal(core_history(slot, all.of[i].seq, see, &some), left >= 2);
        assert_int_equal(some.count, left < 2 ? left : 2);
        for (size_t j = 0; j < some.count; j++)
            assert_int_equal(some.of[j].seq, all.of[i + 1 + j].seq);
    }
}

/* The entry of SEQ becomes HISTORY, or goes. */
static void entry_put(struct fixture *fixture, uint64_t seq, const struct history *history)
{
    struct store_batch *batch;
    uint8_t key[8], *bytes;
    size_t len_bytes;
    wire_put_u64(key, seq);
    assert_int_equal(store_batch_create(fixture->core.store, &batch), 0);
    if (history) {
        assert_int_equal(record_history_encode(history, &bytes, &len_bytes), 0);
        store_put(batch, STORE_CHANGES, key, sizeof key, bytes, len_bytes);
        free(bytes);
    } else {
        store_delete(batch, STORE_CHANGES, key, sizeof key);
    }
    assert_int_equal(store_commit(batch, NULL, NULL), 0);
    settle(fixture);
}

static void a_broken_chain_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    struct seen all = {.max = CHANGES_MAX};
    make_booted(fixture, "v1", uuid);
    settle(fixture);
    const struct vm_slot *slot = core_vm(&fixture->core, uuid);
    assert_int_equal(core_history(slot, 0, see, &all), 0);
    struct history entry = all.of[1];
    entry.previous = entry.seq;
    entry_put(fixture, entry.seq, &entry);
    all.count = 0;
    assert_int_equal(core_history(slot, 0, see, &all), -EBADMSG);
    assert_int_equal(all.count, 0);
    entry.previous = all.of[0].seq;
    entry.vm[0] ^= 1;
    entry_put(fixture, entry.seq, &entry);
    assert_int_equal(core_history(slot, 0, see, &all), -EBADMSG);
    assert_int_equal(all.count, 1);
    entry_put(fixture, entry.seq, NULL);
    assert_int_equal(core_history(slot, 0, see, &all), -EBADMSG);
    assert_int_equal(core_history(slot, entry.seq, see, &all), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(is_the_vms_own_from_any_change_on),
        TEST(a_broken_chain_is_an_error),
    };
    return cmocka_run_group_tests_name("core_history", tests, NULL, NULL);
}
