/*
 * Reconcile: which boot the domain that libvirt shows was started for, and that no boot's secret serves
 * twice.
 */
#include "core_kept.h"

/* kilnd starts with a VM whose start number BOOT was going on. */
static struct vm start_with(struct fixture *fixture, uint32_t boot)
{
    struct vm vm = kept_in(VM_IMAGE_CREATED, 1);
    vm.boot_number = boot;
    keep(fixture, &vm);
    restart(fixture);
    connection_up(fixture);
    return vm;
}

/* The domain's start is asked for, and the connection lost before it is answered; then it is there again. */
static void connection_lost_in_start(struct fixture *fixture)
{
    ask_wait(fixture, "domain");
    false_virt.connected = false;
    lifecycle(fixture, NULL, VIRT_EVENT_LOST);
    answer(fixture, "domain", -ENOTCONN);
    settle(fixture);
    connection_up(fixture);
}

static void the_domain_of_an_earlier_boot_is_not_taken_for_the_new_one(void **state)
{
    struct fixture *fixture = *state;
    const struct vm vm = start_with(fixture, 2);
    struct virt_domain_info domain = domain_of(vm.uuid, VIRT_DOMAIN_RUNNING);
    answer_list(fixture, &domain, 1);
    answer(fixture, "address", 0);
    settle(fixture);
    assert_int_equal(slot_of(fixture, 1)->vm.head.state, VM_IMAGE_CREATED);
    assert_int_equal(ask_wait(fixture, "domain")->spec.boot, 3);
}

/* The store is back from a copy: the VM is in use, and its record knows less than libvirt. */
static void the_domain_of_a_later_boot_is_taken_over(void **state)
{
    struct fixture *fixture = *state;
    const struct vm vm = start_with(fixture, 1);
    struct virt_domain_info domain = domain_of(vm.uuid, VIRT_DOMAIN_RUNNING);
    domain.boot = 7;
    answer_list(fixture, &domain, 1);
    answer(fixture, "address", 0);
    assert_int_equal(ask_wait(fixture, "domain")->spec.boot, 7);
    answer(fixture, "domain", 0);
    vm_wait(fixture, vm.uuid, VM_BOOTED);
    assert_int_equal(slot_of(fixture, 1)->vm.boot_number, 7);
}

static void a_start_that_kilnd_died_in_is_not_repeated_with_its_secret(void **state)
{
    struct fixture *fixture = *state;
    start_with(fixture, 1);
    answer_list(fixture, NULL, 0);
    answer(fixture, "address", 0);
    assert_int_equal(ask_wait(fixture, "domain")->spec.boot, 2);
    /* Nor is one whose answer was lost with the connection. */
    connection_lost_in_start(fixture);
    answer_list(fixture, NULL, 0);
    /* Its address is ensured with each start. */
    while (!ask_find("domain")) {
        if (ask_find("address"))
            answer(fixture, "address", 0);
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    }
    assert_int_equal(ask_wait(fixture, "domain")->spec.boot, 3);
}

static void the_domain_of_an_earlier_boot_is_not_taken_later_either(void **state)
{
    struct fixture *fixture = *state;
    const struct vm vm = start_with(fixture, 2);
    answer_list(fixture, NULL, 0);
    answer(fixture, "address", 0);
    connection_lost_in_start(fixture);
    struct virt_domain_info domain = domain_of(vm.uuid, VIRT_DOMAIN_RUNNING);
    answer_list(fixture, &domain, 1);
    settle(fixture);
    assert_int_equal(slot_of(fixture, 1)->vm.head.state, VM_IMAGE_CREATED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_domain_of_an_earlier_boot_is_not_taken_for_the_new_one),
        TEST(the_domain_of_an_earlier_boot_is_not_taken_later_either),
        TEST(the_domain_of_a_later_boot_is_taken_over),
        TEST(a_start_that_kilnd_died_in_is_not_repeated_with_its_secret),
    };
    return cmocka_run_group_tests_name("core_reconcile_look", tests, NULL, NULL);
}
