/*
 * Each cell of the recovery table: what a kept state with a sight becomes.
 */
#include "fsm_walk.h"
#include "recovered.h"

/* Nothing is known of its domain but that it has not ended. */
static bool is_out_of_reach(int state, enum recovery_sight sight)
{
    bool lives = state >= VM_BOOTED && state < VM_DESTROYED;
    return sight == RECOVERY_UNREACHABLE || (sight == RECOVERY_LOST && lives);
}

static struct vm kept_in(int state)
{
    struct vm vm = {.head = {.state = state, .deadline_at_ms = 77}, .assigned = true};
    vm.boot_number = state > VM_REQUESTED ? 1 : 0;
    vm.boots_max = 1;
    vm.registered = state >= VM_REGISTERED;
    vm.link_up = vm.registered;
    vm.unreachable = true;
    vm.paused = true;
    return vm;
}

/* As kilnd takes a record over. */
static const struct fsm_row *recover(struct vm *vm, enum recovery_sight sight, struct fsm_fx *fx)
{
    struct vm_event event = {.head = {.on = VM_ON_LINK_DOWN, .at_ms = 50}};
    fsm_fx_init(fx);
    if (vm->link_up)
        assert_non_null(vm_step(vm, &event, fx));
    event.head.on = recovery_find(vm->head.state, sight)->on;
    return vm_step(vm, &event, fx);
}

static void check_cell(int state, enum recovery_sight sight)
{
    struct vm vm = kept_in(state);
    struct fsm_fx fx;
    const struct recovery_cell *cell = recovery_find(state, sight);
    assert_non_null(cell);
    assert_in_range(strlen(cell->story), 1, VM_DETAIL_LEN - 1);
    assert_non_null(recover(&vm, sight, &fx));
    assert_int_equal(vm.head.state, recovered_state(state, sight, false));
    assert_false(vm.link_up);
    assert_int_equal(vm.unreachable, is_out_of_reach(state, sight));
    assert_false(fx.overflow);
    if (vm.head.state == state)
        assert_int_equal(vm.head.deadline_at_ms, 77);
}

static void each_cell_is_there_and_has_a_row(void **unused)
{
    (void)unused;
    for (int state = 0; state < VM_STATE_COUNT; state++)
        for (int sight = 0; sight < RECOVERY_SIGHT_COUNT; sight++)
            check_cell(state, sight);
}

static struct fsm_fx recovered_fx(int state, enum recovery_sight sight, struct vm *vm)
{
    struct fsm_fx fx;
    *vm = kept_in(state);
    recover(vm, sight, &fx);
    return fx;
}

static void the_effects_of_the_kept_state_are_wanted_again(void **unused)
{
    struct vm vm;
    struct fsm_fx fx = recovered_fx(VM_REQUESTED, RECOVERY_ABSENT, &vm);
    (void)unused;
    assert_true(fsm_fx_has(&fx, VM_FX_ENSURE_VOLUME, 0));
    fx = recovered_fx(VM_IMAGE_CREATED, RECOVERY_ABSENT, &vm);
    assert_true(fsm_fx_has(&fx, VM_FX_ENSURE_DOMAIN, 0));
    fx = recovered_fx(VM_PAIRED, RECOVERY_RUNNING, &vm);
    assert_true(fsm_fx_has(&fx, VM_FX_ENSURE_DRIVES_ATTACHED, 0));
    assert_false(vm.paused);
    fx = recovered_fx(VM_READY, RECOVERY_PAUSED, &vm);
    assert_true(fsm_fx_has(&fx, VM_FX_ENSURE_GUEST_TOLD, 0));
    assert_true(vm.paused);
    fx = recovered_fx(VM_DESTROYED, RECOVERY_RUNNING, &vm);
    assert_true(fsm_fx_has(&fx, VM_FX_ENSURE_DOMAIN_GONE, 0));
}

static void a_lost_libvirt_ensures_nothing(void **unused)
{
    (void)unused;
    for (int state = 0; state < VM_STATE_COUNT; state++) {
        struct vm vm;
        struct fsm_fx fx = recovered_fx(state, RECOVERY_UNREACHABLE, &vm);
        assert_int_equal(fx.count, 0);
    }
}

static void a_crashed_start_is_tried_again_with_a_new_secret(void **unused)
{
    struct vm vm = kept_in(VM_IMAGE_CREATED);
    struct fsm_fx fx;
    (void)unused;
    vm.boots_max = 2;
    recover(&vm, RECOVERY_CRASHED, &fx);
    assert_int_equal(vm.head.state, VM_IMAGE_CREATED);
    assert_int_equal(vm.boot_number, 2);
    assert_true(fsm_fx_has(&fx, VM_FX_ENSURE_DOMAIN, 0));
}

static uint32_t recovered_boot(struct vm_sight sight)
{
    struct vm vm = kept_in(VM_IMAGE_CREATED);
    struct vm_event event = {.head = {.on = VM_ON_RECOVERED, .at_ms = 50}, .sight = sight};
    struct fsm_fx fx;
    vm.boot_number = 2;
    vm.boots_max = 2;
    fsm_fx_init(&fx);
    assert_non_null(vm_step(&vm, &event, &fx));
    assert_true(fsm_fx_has(&fx, VM_FX_ENSURE_DOMAIN, 0));
    assert_in_range(vm.boot_number, 1, vm.boots_max);
    return vm.boot_number;
}

static void no_secret_is_given_to_two_domains(void **unused)
{
    (void)unused;
    assert_int_equal(recovered_boot((struct vm_sight){.domain = false}), 3);
    assert_int_equal(recovered_boot((struct vm_sight){.domain = true, .boot = 2}), 2);
    assert_int_equal(recovered_boot((struct vm_sight){.domain = true, .boot = 1}), 3);
    assert_int_equal(recovered_boot((struct vm_sight){.domain = true, .boot = 7}), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cell_is_there_and_has_a_row),
        cmocka_unit_test(the_effects_of_the_kept_state_are_wanted_again),
        cmocka_unit_test(a_lost_libvirt_ensures_nothing),
        cmocka_unit_test(a_crashed_start_is_tried_again_with_a_new_secret),
        cmocka_unit_test(no_secret_is_given_to_two_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
