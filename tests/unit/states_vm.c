/*
 * The VM's tables walked, and the questions asked of a record.
 */
#include "fsm_walk.h"
#include "states/vm.h"

static struct vm vm_in(int state)
{
    struct vm vm = {.head = {.state = state}, .boot_number = 1, .boots_max = 1};
    vm_timeouts_init(&vm);
    return vm;
}

static void tables_hold(void **unused)
{
    (void)unused;
    walk_machine(&vm_machine);
}

static void destroy_leads_to_destroyed_from_every_live_state(void **unused)
{
    (void)unused;
    for (int state = 0; state < VM_STATE_COUNT; state++) {
        struct vm vm = vm_in(state);
        struct vm_event event = {.head = {.on = VM_ON_DESTROY_ASKED, .at_ms = 1}};
        struct fsm_fx fx;
        fsm_fx_init(&fx);
        assert_non_null(vm_step(&vm, &event, &fx));
        assert_int_equal(vm.head.state, VM_DESTROYED);
        assert_true(fsm_fx_has(&fx, VM_FX_ENSURE_DOMAIN_GONE, 0));
        assert_false(fsm_fx_has(&fx, VM_FX_ENSURE_DRIVES_FREE, 0));
    }
}

static void every_deadline_ends_the_vm_and_says_so(void **unused)
{
    (void)unused;
    for (int state = 0; state < VM_DESTROYED; state++) {
        if (!vm_machine.states[state]->timeout_ms)
            continue;
        struct vm vm = vm_in(state);
        struct vm_event event = {.head = {.on = VM_ON_TIMEOUT, .at_ms = 10}};
        struct fsm_fx fx;
        fsm_fx_init(&fx);
        vm.head.deadline_at_ms = 10;
        assert_non_null(vm_step(&vm, &event, &fx));
        assert_int_equal(vm.head.state, VM_DESTROYED);
        assert_int_not_equal(vm.code, 0);
        assert_string_equal(vm.detail, vm_machine.states[state]->story);
    }
}

static void a_timeout_of_zero_is_none(void **unused)
{
    struct vm vm = {.name = "a"};
    struct fsm_fx fx;
    (void)unused;
    fsm_fx_init(&fx);
    vm_begin(&vm, 1000, &fx);
    assert_int_equal(vm.head.deadline_at_ms, 0);
}

static void states_have_the_names_of_the_requirements(void **unused)
{
    static const char *const names[] = {"requested",  "image-created", "booted",
                                        "registered", "paired",        "drives-attached",
                                        "ready",      "ssh-proxied",   "destroyed"};
    (void)unused;
    for (int i = 0; i < VM_STATE_COUNT; i++) {
        assert_string_equal(vm_state_name(i), names[i]);
        assert_int_equal(vm_state_find(names[i]), i);
    }
    assert_int_equal(vm_state_find("asleep"), -1);
    assert_null(vm_state_name(VM_STATE_COUNT));
    assert_null(vm_state_name(-1));
    assert_string_equal(vm_event_name(VM_ON_DESTROY_ASKED), "destroy-asked");
    assert_null(vm_event_name(VM_EVENT_COUNT));
    assert_string_equal(vm_effect_name(VM_FX_FORGET), "forget");
    assert_null(vm_effect_name(-1));
    assert_string_equal(vm_drive_status_name(VM_DRIVE_MOUNTED), "mounted");
}

static void drives_are_found_by_id(void **unused)
{
    struct vm vm = {.drives = 2};
    uint8_t id[VM_UUID_LEN] = {7};
    (void)unused;
    assert_int_equal(vm_drive_find(&vm, id), -1);
    vm.drive[1].id[0] = 7;
    assert_int_equal(vm_drive_find(&vm, id), 1);
    vm.drives = 1;
    assert_int_equal(vm_drive_find(&vm, id), -1);
}

static void a_link_is_for_the_registered_and_living(void **unused)
{
    struct vm vm = vm_in(VM_BOOTED);
    (void)unused;
    assert_false(vm_link_allowed(&vm));
    vm.registered = true;
    assert_true(vm_link_allowed(&vm));
    vm.head.state = VM_DESTROYED;
    assert_false(vm_link_allowed(&vm));
}

static void a_bridge_is_for_usable_vms_with_applications(void **unused)
{
    struct vm vm = vm_in(VM_READY);
    (void)unused;
    assert_false(vm_bridge_allowed(&vm));
    vm.offers_applications = true;
    assert_true(vm_bridge_allowed(&vm));
    vm.head.state = VM_DRIVES_ATTACHED;
    assert_false(vm_bridge_allowed(&vm));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_hold),
        cmocka_unit_test(destroy_leads_to_destroyed_from_every_live_state),
        cmocka_unit_test(every_deadline_ends_the_vm_and_says_so),
        cmocka_unit_test(a_timeout_of_zero_is_none),
        cmocka_unit_test(states_have_the_names_of_the_requirements),
        cmocka_unit_test(drives_are_found_by_id),
        cmocka_unit_test(a_link_is_for_the_registered_and_living),
        cmocka_unit_test(a_bridge_is_for_usable_vms_with_applications),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
