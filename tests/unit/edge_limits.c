/*
 * Limits per address: each address has its own, a host with all addresses of an IPv6 network has one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "src/edge/limits.h"
#include "src/io/listener.h"

static void test_networks_are_named(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"192.0.2.7", "192.0.2.7"},
        {"::ffff:192.0.2.7", "::ffff:192.0.2.7"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
        {"2001:db8:1:3::6", "2001:db8:1:3::"},
        {"unknown", "unknown"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char network[LIMIT_ADDRESS_MAX];
        listener_name_network(cases[i][0], network);
        assert_string_equal(network, cases[i][1]);
    }
}

static void test_a_network_has_one_limit(void **state)
{
    (void)state;
    struct limits *limits;
    char address[LIMIT_ADDRESS_MAX];
    assert_int_equal(limits_create(&limits), 0);
    for (unsigned i = 0; i < LIMIT_HELD_PER_ADDRESS_MAX; i++) {
        snprintf(address, sizeof(address), "2001:db8::%x", i);
        assert_true(limits_take(limits, address));
    }
    assert_false(limits_take(limits, "2001:db8::ffff"));
    assert_true(limits_take(limits, "2001:db8:0:1::1"));
    assert_true(limits_take(limits, "192.0.2.7"));
    limits_give_back(limits, "2001:db8::1");
    assert_true(limits_take(limits, "2001:db8::ffff"));
    assert_false(limits_take(limits, "2001:db8::1"));
    limits_destroy(limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks_are_named),
        cmocka_unit_test(test_a_network_has_one_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
