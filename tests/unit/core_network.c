/*
 * Addresses: the lowest that no VM has, whoever came and went.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/wire.h"
#include "src/core/network.h"

enum { FIRST = 0x0a4d000a /* 10.77.0.10 */, ROUNDS = 4000, VMS = 64 };

static struct network network;

static int open_network(void **state)
{
    const struct config config = {.network.subnet = *state ? *state : "10.77.0.0/16"};
    return network_init(&network, &config);
}

static int close_network(void **state)
{
    (void)state;
    network_finish(&network);
    return 0;
}

static struct vm vm_at(uint32_t address)
{
    struct vm vm = {0};
    wire_put_u32(vm.ipv4, address);
    return vm;
}

static uint32_t lowest(void)
{
    uint8_t ipv4[4];
    assert_int_equal(network_address(&network, ipv4), 0);
    return wire_get_u32(ipv4);
}

/* Against a search of all. */
static void the_lowest_that_nobody_has(void **state)
{
    bool there[VMS] = {false};
    uint32_t address[VMS] = {0};
    (void)state;
    srand(7);
    for (int i = 0; i < ROUNDS; i++) {
        int which = rand() % VMS;
        struct vm vm = vm_at(there[which] ? address[which] : lowest());
        if (there[which])
            network_release(&network, vm.ipv4);
        else
            assert_int_equal(network_hold(&network, vm.ipv4), 0);
        there[which] = !there[which];
        address[which] = wire_get_u32(vm.ipv4);
        uint32_t wanted = FIRST;
        for (int j = 0; j < VMS; j++)
            if (there[j] && address[j] == wanted) {
                wanted++;
                j = -1;
            }
        assert_int_equal(lowest(), wanted);
    }
}

/* As two records could after a restore: each gives it back. */
static void two_that_have_one(void **state)
{
    const struct vm vm = vm_at(FIRST);
    (void)state;
    assert_int_equal(network_hold(&network, vm.ipv4), 0);
    assert_int_equal(network_hold(&network, vm.ipv4), 0);
    assert_true(network_is_shared(&network, vm.ipv4));
    network_release(&network, vm.ipv4);
    assert_false(network_is_shared(&network, vm.ipv4));
    assert_int_equal(lowest(), FIRST + 1);
    network_release(&network, vm.ipv4);
    assert_int_equal(lowest(), FIRST);
    network_release(&network, vm.ipv4);
    assert_int_equal(lowest(), FIRST);
}

static void an_address_of_another_subnet_is_none(void **state)
{
    const uint32_t others[] = {0, FIRST - 1, 0x0a4dffff, 0x0a4e000a, UINT32_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct vm vm = vm_at(others[i]);
        assert_int_equal(network_hold(&network, vm.ipv4), 0);
        network_release(&network, vm.ipv4);
    }
    assert_int_equal(network.count, 0);
    assert_int_equal(lowest(), FIRST);
}

static void a_subnet_that_is_full(void **state)
{
    uint8_t ipv4[4];
    (void)state;
    /* Of 10.77.0.16/28 the host has the first, VMs the tenth to the last but one. */
    for (uint32_t address = 0x0a4d001a; address < 0x0a4d001f; address++) {
        struct vm vm = vm_at(address);
        assert_int_equal(lowest(), address);
        assert_int_equal(network_hold(&network, vm.ipv4), 0);
    }
    assert_int_equal(network_address(&network, ipv4), -EADDRNOTAVAIL);
    const struct vm last = vm_at(0x0a4d001e);
    network_release(&network, last.ipv4);
    assert_int_equal(lowest(), 0x0a4d001e);
}

int main(void)
{
    static char small[] = "10.77.0.16/28";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_lowest_that_nobody_has, open_network, close_network),
        cmocka_unit_test_setup_teardown(two_that_have_one, open_network, close_network),
        cmocka_unit_test_setup_teardown(an_address_of_another_subnet_is_none, open_network, close_network),
        cmocka_unit_test_prestate_setup_teardown(a_subnet_that_is_full, open_network, close_network, small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
