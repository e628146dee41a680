/*
 * Store: what is told durable is durable, in order, whatever happens to the process or the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/wire.h"
#include "src/core/audit.h"
#include "tests/unit/core_store_folder.h"

static int setup(void **state)
{
    struct store_folder *fixture = calloc(1, sizeof *fixture);
    store_folder_make(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    store_folder_remove(*state);
    free(*state);
    return 0;
}

static void count_done(void *arg)
{
    ++*(unsigned *)arg;
}

static void commit_number(struct store_folder *fixture, uint64_t number, store_done_fn *done, void *arg)
{
    struct store_batch *batch;
    uint8_t key[8];
    wire_put_u64(key, number);
    assert_int_equal(store_batch_create(fixture->store, &batch), 0);
    store_put(batch, STORE_CHANGES, key, sizeof key, &number, sizeof number);
    store_put(batch, STORE_META, "last", 4, key, sizeof key);
    assert_int_equal(store_commit(batch, done, arg), 0);
}

static void step_until(struct store_folder *fixture, const unsigned *count, unsigned wanted)
{
    while (*count < wanted)
        assert_int_equal(loop_step(fixture->loop, true), 0);
}

static uint64_t last_number(struct store_folder *fixture)
{
    uint8_t *bytes;
    size_t len;
    int rc = store_get(fixture->store, STORE_META, "last", 4, &bytes, &len);
    if (rc == -ENOENT)
        return 0;
    assert_int_equal(rc, 0);
    uint64_t number = wire_get_u64(bytes);
    free(bytes);
    return number;
}

static int count_in_order(void *arg, const void *key, size_t key_len, const void *value, size_t value_len)
{
    uint64_t *count = arg;
    (void)value;
    assert_int_equal(key_len, 8);
    assert_int_equal(value_len, 8);
    assert_int_equal(wire_get_u64(key), ++*count);
    return 0;
}

static void durable_values_are_there_after_a_restart(void **state)
{
    struct store_folder *fixture = *state;
    unsigned count = 0;
    for (uint64_t number = 1; number <= 100; number++)
        commit_number(fixture, number, count_done, &count);
    step_until(fixture, &count, 100);
    assert_int_equal(store_waiting(fixture->store), 0);
    store_close(fixture->store);
    store_folder_open(fixture);
    assert_int_equal(last_number(fixture), 100);
    uint64_t found = 0;
    assert_int_equal(store_each(fixture->store, STORE_CHANGES, NULL, 0, 0, count_in_order, &found), 0);
    assert_int_equal(found, 100);
}

static void closing_keeps_what_was_committed(void **state)
{
    struct store_folder *fixture = *state;
    for (uint64_t number = 1; number <= 50; number++)
        commit_number(fixture, number, NULL, NULL);
    store_close(fixture->store);
    store_folder_open(fixture);
    assert_int_equal(last_number(fixture), 50);
}

struct order {
    unsigned next, *count;
    unsigned mine;
};

static void in_order(void *arg)
{
    struct order *order = arg;
    assert_int_equal(*order->count, order->mine);
    ++*order->count;
}

static void callbacks_come_in_the_order_of_commits(void **state)
{
    struct store_folder *fixture = *state;
    struct order orders[64];
    unsigned count = 0;
    for (unsigned i = 0; i < 64; i++) {
        orders[i] = (struct order){.count = &count, .mine = i};
        commit_number(fixture, i + 1, in_order, &orders[i]);
    }
    step_until(fixture, &count, 64);
}

/* Two turns, each with commits from several calls. */
static void a_turn_of_the_loop_is_one_transaction(void **state)
{
    struct store_folder *fixture = *state;
    unsigned done = 0;
    commit_number(fixture, 1, count_done, &done);
    step_until(fixture, &done, 1);
    for (unsigned turn = 0; turn < 2; turn++) {
        uint64_t before = store_transaction(fixture->store);
        for (uint64_t i = 0; i < 50; i++)
            commit_number(fixture, 2 + turn * 50 + i, count_done, &done);
        assert_int_equal(store_waiting(fixture->store), 50);
        step_until(fixture, &done, 51 + turn * 50);
        assert_int_equal(store_transaction(fixture->store), before + 1);
    }
}

static int stop_at_third(void *arg, const void *key, size_t key_len, const void *value, size_t value_len)
{
    (void)key;
    (void)key_len;
    (void)value;
    (void)value_len;
    return ++*(int *)arg == 3 ? 77 : 0;
}

static void walks_keep_to_their_prefix_and_stop_when_told(void **state)
{
    struct store_folder *fixture = *state;
    struct store_batch *batch;
    unsigned done = 0;
    int seen = 0;
    const char *const keys[] = {"a1", "b1", "b2", "b3", "b4", "c1"};
    assert_int_equal(store_batch_create(fixture->store, &batch), 0);
    for (size_t i = 0; i < 6; i++)
        store_put(batch, STORE_BRICKS, keys[i], 2, "x", 1);
    store_delete(batch, STORE_BRICKS, "b4", 2);
    store_delete(batch, STORE_BRICKS, "never there", 11);
    assert_int_equal(store_commit(batch, count_done, &done), 0);
    step_until(fixture, &done, 1);
    seen = -10;
    assert_int_equal(store_each(fixture->store, STORE_BRICKS, "b", 1, 1, stop_at_third, &seen), 0);
    assert_int_equal(seen, -7);
    seen = 0;
    assert_int_equal(store_each(fixture->store, STORE_BRICKS, NULL, 0, 0, stop_at_third, &seen), 77);
    char key[4];
    size_t len;
    assert_int_equal(store_last_key(fixture->store, STORE_BRICKS, key, sizeof key, &len), 0);
    assert_memory_equal(key, "c1", 2);
    assert_int_equal(store_last_key(fixture->store, STORE_USERS, key, sizeof key, &len), -ENOENT);
}

static void a_wrong_put_fails_its_batch_alone(void **state)
{
    struct store_folder *fixture = *state;
    struct store_batch *batch;
    unsigned done = 0;
    char key[STORE_KEY_MAX + 1] = "k";
    assert_int_equal(store_batch_create(fixture->store, &batch), 0);
    store_put(batch, STORE_META, "before", 6, "x", 1);
    store_put(batch, STORE_META, key, sizeof key, "x", 1);
    assert_int_equal(store_commit(batch, count_done, &done), -EINVAL);
    commit_number(fixture, 1, count_done, &done);
    step_until(fixture, &done, 1);
    uint8_t *bytes;
    size_t len;
    assert_int_equal(store_get(fixture->store, STORE_META, "before", 6, &bytes, &len), -ENOENT);
}

static void the_map_grows_by_itself(void **state)
{
    struct store_folder *fixture = *state;
    enum { MIB = 1 << 20, VALUES = 80 };
    char *value = calloc(1, MIB);
    unsigned done = 0;
    for (int i = 0; i < VALUES; i++) {
        struct store_batch *batch;
        assert_int_equal(store_batch_create(fixture->store, &batch), 0);
        store_put(batch, STORE_CONSOLES, &i, sizeof i, value, MIB);
        assert_int_equal(store_commit(batch, count_done, &done), 0);
    }
    free(value);
    step_until(fixture, &done, VALUES);
    assert_int_equal(store_error(fixture->store), 0);
}

static void a_second_writer_is_refused(void **state)
{
    struct store_folder *fixture = *state;
    struct store *second;
    char error[STORE_ERROR_LEN] = "";
    assert_int_equal(store_open(fixture->path, fixture->loop, &second, error), -EBUSY);
    assert_non_null(strstr(error, "another kilnd"));
}

static void a_newer_format_is_refused(void **state)
{
    struct store_folder *fixture = *state;
    struct store_batch *batch;
    struct store *newer = NULL;
    unsigned done = 0;
    const uint8_t next[4] = {0, 0, 0, STORE_FORMAT + 1};
    char error[STORE_ERROR_LEN] = "";
    assert_int_equal(store_batch_create(fixture->store, &batch), 0);
    store_put(batch, STORE_META, STORE_FORMAT_KEY, strlen(STORE_FORMAT_KEY), next, sizeof next);
    assert_int_equal(store_commit(batch, count_done, &done), 0);
    step_until(fixture, &done, 1);
    store_close(fixture->store);
    assert_int_equal(store_open(fixture->path, fixture->loop, &newer, error), -ENOTSUP);
    assert_non_null(strstr(error, "newer kilnd"));
    fixture->store = NULL;
}

/* Pages that a transaction takes and gives back are never written: the file ends before the last page that
 * LMDB counts, and nothing is missing. */
static void a_transaction_that_gives_pages_back_leaves_a_good_store(void **state)
{
    enum { NUMBERS = 8192 };
    struct store_folder *fixture = *state;
    struct store_batch *batch;
    unsigned done = 0;
    char key[64] = "";
    for (unsigned i = 0; i < NUMBERS; i++) {
        memcpy(key, &i, sizeof i);
        assert_int_equal(store_batch_create(fixture->store, &batch), 0);
        store_put(batch, STORE_META, key, sizeof key, &i, sizeof i);
        assert_int_equal(store_commit(batch, count_done, &done), 0);
    }
    step_until(fixture, &done, NUMBERS);
    assert_int_equal(store_batch_create(fixture->store, &batch), 0);
    for (unsigned i = 0; i < NUMBERS; i++) {
        memcpy(key, &i, sizeof i);
        store_delete(batch, STORE_META, key, sizeof key);
    }
    assert_int_equal(store_commit(batch, count_done, &done), 0);
    step_until(fixture, &done, NUMBERS + 1);
    store_close(fixture->store);
    store_folder_open(fixture);
    commit_number(fixture, 1, count_done, &done);
    step_until(fixture, &done, NUMBERS + 2);
    assert_int_equal(last_number(fixture), 1);
}

static void a_shortened_file_is_refused(void **state)
{
    struct store_folder *fixture = *state;
    struct store *store = NULL;
    char error[STORE_ERROR_LEN] = "", path[128];
    for (uint64_t number = 1; number <= 1000; number++)
        commit_number(fixture, number, NULL, NULL);
    store_close(fixture->store);
    fixture->store = NULL;
    snprintf(path, sizeof path, "%s/data.mdb", fixture->path);
    assert_int_equal(truncate(path, 3 * 4096), 0);
    assert_int_equal(store_open(fixture->path, fixture->loop, &store, error), -EUCLEAN);
}

static void write_limit(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void failed_write_seen(void *arg)
{
    struct store_folder *fixture = arg;
    if (!store_error(fixture->store))
        loop_post(fixture->loop, failed_write_seen, fixture);
}

/* A disk that refuses: nothing is told durable, the old truth can be read, and all of it comes when it takes
 * again. */
static void a_disk_that_refuses_heals_by_itself(void **state)
{
    struct store_folder *fixture = *state;
    unsigned done = 0, late = 0;
    struct store_batch *batch;
    char *value = calloc(1, 1 << 20);
    commit_number(fixture, 1, count_done, &done);
    step_until(fixture, &done, 1);
    signal(SIGXFSZ, SIG_IGN);
    write_limit(64 * 1024);
    assert_int_equal(store_batch_create(fixture->store, &batch), 0);
    store_put(batch, STORE_CONSOLES, "big", 3, value, 1 << 20);
    assert_int_equal(store_commit(batch, count_done, &late), 0);
    commit_number(fixture, 2, count_done, &late);
    free(value);
    failed_write_seen(fixture);
    while (!store_error(fixture->store))
        assert_int_equal(loop_step(fixture->loop, true), 0);
    assert_int_equal(late, 0);
    assert_int_equal(last_number(fixture), 1);
    write_limit(RLIM_INFINITY);
    step_until(fixture, &late, 2);
    assert_int_equal(store_error(fixture->store), 0);
    assert_int_equal(last_number(fixture), 2);
}

/* ---- kill -9 ---- */

struct victim {
    struct store_folder fixture;
    struct audit audit;
    uint64_t number;
    int report_fd;
    uint64_t reported;
};

static void victim_commit(struct victim *victim);

static void victim_done(void *arg)
{
    struct victim *victim = arg;
    victim->reported++;
    if (write(victim->report_fd, &victim->reported, sizeof victim->reported) != sizeof victim->reported)
        _exit(1);
    victim_commit(victim);
}

static void victim_commit(struct victim *victim)
{
    struct store_batch *batch;
    uint8_t key[8];
    uint64_t number = ++victim->number;
    struct audit_deed deed = {.actor = "uid:0", .what = "test", .object = "number"};
    wire_put_u64(key, number);
    if (store_batch_create(victim->fixture.store, &batch))
        _exit(1);
    store_put(batch, STORE_CHANGES, key, sizeof key, &number, sizeof number);
    store_put(batch, STORE_META, "last", 4, key, sizeof key);
    if (audit_append(&victim->audit, batch, 1, &deed) || store_commit(batch, victim_done, victim))
        _exit(1);
}

static void victim_run(const char *path, int report_fd)
{
    struct victim victim = {.report_fd = report_fd};
    snprintf(victim.fixture.path, sizeof victim.fixture.path, "%s", path);
    if (loop_create(&victim.fixture.loop))
        _exit(1);
    store_folder_open(&victim.fixture);
    if (audit_load(&victim.audit, victim.fixture.store))
        _exit(1);
    victim.number = victim.reported = last_number(&victim.fixture);
    /* Several at once, so that a transaction has more than one. */
    for (int i = 0; i < 5; i++)
        victim_commit(&victim);
    loop_run(victim.fixture.loop);
    _exit(1);
}

static uint64_t kill_in_the_middle(const char *path, unsigned reports)
{
    int fds[2];
    uint64_t reported = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        victim_run(path, fds[1]);
    }
    close(fds[1]);
    for (unsigned i = 0; i < reports; i++)
        if (read(fds[0], &reported, sizeof reported) != sizeof reported)
            fail_msg("the victim ended by itself");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    /* What it said before it died counts too. */
    while (read(fds[0], &reported, sizeof reported) == sizeof reported)
        continue;
    close(fds[0]);
    return reported;
}

static void killed_at_any_moment_it_keeps_its_word(void **state)
{
    struct store_folder *fixture = *state;
    store_close(fixture->store);
    for (unsigned round = 0; round < 40; round++) {
        fixture->store = NULL;
        uint64_t reported = kill_in_the_middle(fixture->path, 1 + round * 7 % 13);
        store_folder_open(fixture);
        uint64_t last = last_number(fixture), found = 0, count, at;
        assert_true(last >= reported);
        assert_int_equal(store_each(fixture->store, STORE_CHANGES, NULL, 0, 0, count_in_order, &found), 0);
        assert_int_equal(found, last);
        assert_int_equal(audit_verify(fixture->store, &count, &at), 0);
        assert_int_equal(at, 0);
        assert_int_equal(count, last);
        store_close(fixture->store);
    }
    fixture->store = NULL;
    store_folder_open(fixture);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(durable_values_are_there_after_a_restart),
        TEST(closing_keeps_what_was_committed),
        TEST(callbacks_come_in_the_order_of_commits),
        TEST(a_turn_of_the_loop_is_one_transaction),
        TEST(walks_keep_to_their_prefix_and_stop_when_told),
        TEST(a_wrong_put_fails_its_batch_alone),
        TEST(the_map_grows_by_itself),
        TEST(a_second_writer_is_refused),
        TEST(a_newer_format_is_refused),
        TEST(a_transaction_that_gives_pages_back_leaves_a_good_store),
        TEST(a_shortened_file_is_refused),
        TEST(a_disk_that_refuses_heals_by_itself),
        TEST(killed_at_any_moment_it_keeps_its_word),
    };
    return cmocka_run_group_tests_name("core_store", tests, NULL, NULL);
}
