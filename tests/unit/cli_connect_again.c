/*
 * kiln-connect that lost the edge comes again later each time, and not with all the others.
 */
#include "src/cli/connect_again.h"

#include "src/io/loop.h"
#include "tests/unit/later.h"

static uint64_t waits_ms[WAITS];
static int tries;
static bool stop;

void __real_loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms);
void __wrap_loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms);

/* The time passes at once. */
void __wrap_loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms)
{
    waits_ms[tries] = delay_ms;
    __real_loop_timer_arm(timer, 0);
}

int connect_channel_open(struct connect *connect, const struct json *vm, struct connect_channel **ret_channel)
{
    (void)connect;
    (void)vm;
    (void)ret_channel;
    stop = ++tries == WAITS;
    return CLI_UNREACHABLE;
}

int connect_login(struct connect *connect)
{
    (void)connect;
    return CLI_UNREACHABLE;
}

static void it_comes_later_each_time_and_apart(void **state)
{
    struct connect connect = {.host = ""};
    struct connect_channel *channel;
    (void)state;
    assert_int_equal(loop_create(&connect.loop), 0);
    assert_int_equal(connect_again_channel(&connect, NULL, &stop, &channel), CLI_UNREACHABLE);
    assert_int_equal(tries, WAITS);
    waits_check(waits_ms, CONNECT_AGAIN_FIRST_MS, CONNECT_AGAIN_LAST_MS);
    loop_destroy(connect.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_comes_later_each_time_and_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
