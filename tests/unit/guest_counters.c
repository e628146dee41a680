/*
 * Numbers out of /proc, from files as kernels write them, and from what is cut short.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/counters.h"

static void test_cpu(void **state)
{
    (void)state;
    struct counters_cpu cpu = counters_cpu("cpu  100 2 30 4000 50 6 7 8 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n");
    assert_int_equal(cpu.busy, 100 + 2 + 30 + 6 + 7 + 8);
    assert_int_equal(cpu.idle, 4050);
    cpu = counters_cpu("intr 5\ncpu 1 2 3 4\n");
    assert_int_equal(cpu.busy, 6);
    assert_int_equal(cpu.idle, 4);
    cpu = counters_cpu("");
    assert_true(cpu.busy == 0 && cpu.idle == 0);
}

static void test_memory(void **state)
{
    (void)state;
    static const char text[] =
        "MemTotal:        1000 kB\nMemFree:          200 kB\nMemAvailable:     300 kB\nSwapFree: 9 kB\n";
    assert_int_equal(counters_memory_kib(text, "MemTotal"), 1000);
    assert_int_equal(counters_memory_kib(text, "MemAvailable"), 300);
    assert_int_equal(counters_memory_kib(text, "Mem"), 0);
    assert_int_equal(counters_memory_kib("MemTotal:", "MemTotal"), 0);
}

static void test_network(void **state)
{
    (void)state;
    static const char text[] =
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop\n"
        "    lo:   99999      10    0    0    0     0          0         0    99999      10    0    0\n"
        "  eth0: 1500000    1000    0    0    0     0          0         0   250000     900    0    0\n"
        "enp2s0:       5       1    0    0    0     0          0         0        7       1    0    0\n";
    uint64_t rx, tx;
    counters_network(text, &rx, &tx);
    assert_int_equal(rx, 1500005);
    assert_int_equal(tx, 250007);
    counters_network("  eth0: 15", &rx, &tx);
    assert_true(rx == 0 && tx == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cpu), cmocka_unit_test(test_memory),
                                       cmocka_unit_test(test_network)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
