/*
 * Waits double up to the longest, each somewhere in its upper half, and not always at the same place.
 */
#include "src/io/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void waits_double_up_to_the_longest(void **state)
{
    struct backoff backoff = {.first_ms = 100, .last_ms = 700};
    const uint32_t due[] = {100, 200, 400, 700, 700};
    (void)state;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 5; i++)
            assert_in_range(backoff_next(&backoff), due[i] / 2, due[i]);
        backoff_reset(&backoff);
    }
}

static void those_who_lost_the_same_peer_come_back_apart(void **state)
{
    bool seen[4] = {false};
    (void)state;
    for (int i = 0; i < 400; i++) {
        struct backoff backoff = {.first_ms = 1000, .last_ms = 1000};
        uint32_t quarter = (backoff_next(&backoff) - 500) / 125;
        seen[quarter < 4 ? quarter : 3] = true;
    }
    assert_true(seen[0] && seen[1] && seen[2] && seen[3]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_the_longest),
        cmocka_unit_test(those_who_lost_the_same_peer_come_back_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
