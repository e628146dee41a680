/*
 * Replays: a nonce counts once in its window, also after a restart; a full table empties with time.
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

#include "src/core/replay.h"
#include "src/core/store.h"
#include "src/io/loop.h"

static const uint8_t alice[REPLAY_USER_BYTES] = {1}, bob[REPLAY_USER_BYTES] = {2};
static const int64_t START_MS = 1700000000000;

struct fixture {
    char path[64];
    struct loop *loop;
    struct store *store;
    struct replay *replay;
};

static void open_replay(struct fixture *fixture)
{
    char error[STORE_ERROR_LEN] = "";
    if (store_open(fixture->path, fixture->loop, &fixture->store, error))
        fail_msg("%s", error);
    assert_int_equal(replay_create(fixture->store, &fixture->replay), 0);
}

static void close_replay(struct fixture *fixture)
{
    replay_destroy(fixture->replay);
    store_close(fixture->store);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    strcpy(fixture->path, "/tmp/kiln-replay-XXXXXX");
    if (!mkdtemp(fixture->path) || loop_create(&fixture->loop))
        return -1;
    open_replay(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[192];
    close_replay(fixture);
    loop_destroy(fixture->loop);
    snprintf(command, sizeof command, "rm -rf %s %s.head", fixture->path, fixture->path);
    free(fixture);
    return system(command);
}

static int take(struct fixture *fixture, const uint8_t *user, uint32_t number, int64_t time_ms,
                int64_t now_ms)
{
    uint8_t nonce[REPLAY_NONCE_BYTES] = {0};
    memcpy(nonce, &number, sizeof number);
    return replay_take(fixture->replay, user, nonce, time_ms, now_ms);
}

static void a_nonce_counts_once_in_its_window(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(take(fixture, alice, 1, START_MS, START_MS), 0);
    assert_int_equal(take(fixture, alice, 1, START_MS, START_MS + REPLAY_WINDOW_MS), -EEXIST);
    assert_int_equal(take(fixture, bob, 1, START_MS, START_MS), 0);
    assert_int_equal(take(fixture, alice, 2, START_MS - REPLAY_WINDOW_MS - 1, START_MS), -ETIME);
    assert_int_equal(take(fixture, alice, 2, START_MS + REPLAY_WINDOW_MS + 1, START_MS), -ETIME);
    assert_int_equal(take(fixture, alice, 2, INT64_MIN, START_MS), -ETIME);
    assert_int_equal(take(fixture, alice, 2, INT64_MAX, START_MS), -ETIME);
}

static void a_clock_set_back_brings_no_request_back(void **state)
{
    struct fixture *fixture = *state;
    const int64_t later_ms = START_MS + 2 * REPLAY_WINDOW_MS;
    assert_int_equal(take(fixture, alice, 1, START_MS, START_MS), 0);
    assert_int_equal(take(fixture, alice, 2, later_ms, later_ms), 0);
    assert_int_equal(take(fixture, alice, 1, START_MS, START_MS), -ETIME);
    assert_int_equal(take(fixture, alice, 3, START_MS + 1, START_MS + 1), 0);
}

static void a_nonce_is_known_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(take(fixture, alice, 1, START_MS + REPLAY_WINDOW_MS, START_MS), 0);
    close_replay(fixture);
    open_replay(fixture);
    assert_int_equal(take(fixture, alice, 1, START_MS + REPLAY_WINDOW_MS, START_MS), -EEXIST);
}

/* Who has used up its part waits for the window, and not for others to come. */
static void a_full_part_empties_with_time(void **state)
{
    struct fixture *fixture = *state;
    const int64_t later_ms = START_MS + REPLAY_WINDOW_MS + 1;
    for (uint32_t i = 0; i < REPLAY_PER_USER_MAX; i++)
        assert_int_equal(take(fixture, alice, i, START_MS, START_MS), 0);
    assert_int_equal(take(fixture, alice, REPLAY_PER_USER_MAX, START_MS, START_MS), -ENOSPC);
    assert_int_equal(take(fixture, bob, 0, START_MS, START_MS), 0);
    assert_int_equal(take(fixture, alice, REPLAY_PER_USER_MAX, later_ms, later_ms), 0);
    close_replay(fixture);
    open_replay(fixture);
    assert_int_equal(take(fixture, alice, REPLAY_PER_USER_MAX, later_ms, later_ms), -EEXIST);
    for (uint32_t i = 1; i < REPLAY_PER_USER_MAX; i++)
        assert_int_equal(take(fixture, alice, REPLAY_PER_USER_MAX + i, later_ms, later_ms), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_nonce_counts_once_in_its_window, setup, teardown),
        cmocka_unit_test_setup_teardown(a_clock_set_back_brings_no_request_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_nonce_is_known_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_part_empties_with_time, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
