/*
 * Rates: a burst at once, then steadily; each key has its own; a key without room begins anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/io/rates.h"

static const struct rates_config ten_a_second = {.per_second = 10, .burst = 3, .keys_max = 2};

static void test_a_burst_then_steadily(void **state)
{
    struct rates *rates;
    (void)state;
    assert_int_equal(rates_create(&ten_a_second, &rates), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rates_look(rates, "a", 1, 5000), 0);
        assert_int_equal(rates_take(rates, "a", 1, 5000), 0);
    }
    assert_int_equal(rates_look(rates, "a", 1, 5000), 100);
    assert_int_equal(rates_take(rates, "a", 1, 5000), 100);
    assert_int_equal(rates_take(rates, "a", 1, 5060), 40);
    /* Who asks too early is not made to wait longer. */
    assert_int_equal(rates_take(rates, "a", 1, 5100), 0);
    assert_int_equal(rates_take(rates, "a", 1, 5100), 100);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rates_take(rates, "a", 1, 60000), 0);
    assert_int_equal(rates_take(rates, "a", 1, 60000), 100);
    rates_destroy(rates);
}

static void test_each_key_has_its_own(void **state)
{
    struct rates *rates;
    (void)state;
    assert_int_equal(rates_create(&ten_a_second, &rates), 0);
    while (rates_take(rates, "a", 1, 1000) == 0)
        ;
    assert_int_equal(rates_take(rates, "b", 1, 1001), 0);
    assert_int_not_equal(rates_take(rates, "a", 1, 1002), 0);
    /* "c" takes the place of "b", which came longer ago than "a". */
    assert_int_equal(rates_take(rates, "c", 1, 1003), 0);
    assert_int_not_equal(rates_take(rates, "a", 1, 1004), 0);
    rates_destroy(rates);
}

static void test_the_clock_may_begin_at_zero(void **state)
{
    struct rates *rates;
    (void)state;
    assert_int_equal(rates_create(&ten_a_second, &rates), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rates_take(rates, "a", 1, 0), 0);
    assert_int_equal(rates_take(rates, "a", 1, 0), 100);
    rates_destroy(rates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_then_steadily),
        cmocka_unit_test(test_each_key_has_its_own),
        cmocka_unit_test(test_the_clock_may_begin_at_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
