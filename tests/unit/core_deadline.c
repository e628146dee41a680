/*
 * Deadlines: time that passed counts, and nothing else: neither a wall clock that is set, nor a restart, nor
 * both together, and a reboot begins anew.
 */
#include "core_false_virt.h"

#include <sys/syscall.h>
#include <time.h>

#include "src/core/deadline.h"

enum { HOUR_MS = 3600 * 1000, BOOTED_S = 300, SLACK_MS = 30 * 1000 };

/* How far the wall clock was set; everything of this program asks here for the time. */
static int64_t set_ms;

int clock_gettime(clockid_t id, struct timespec *ret_time)
{
    long rc = syscall(SYS_clock_gettime, id, ret_time);
    if (id == CLOCK_REALTIME)
        ret_time->tv_sec += set_ms / 1000;
    return (int)rc;
}

static int setup(void **state)
{
    set_ms = 0;
    return fixture_setup(state);
}

/* Runs the loop long enough for a timer that is due to fire and be taken. */
static void time_pass(struct fixture *fixture)
{
    int64_t until_ms = loop_monotonic_ms() + 250;
    while (loop_monotonic_ms() < until_ms)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    settle(fixture);
}

static void assert_left(struct fixture *fixture, const uint8_t *uuid, int64_t wanted_ms)
{
    int64_t left_ms = core_vm(&fixture->core, uuid)->vm.head.deadline_at_ms - loop_wall_ms();
    assert_true(left_ms > wanted_ms - SLACK_MS && left_ms <= wanted_ms);
}

static void make_waiting(struct fixture *fixture, uint8_t *ret_uuid)
{
    fixture->core.config.deadlines.booted_s = BOOTED_S;
    make_booted(fixture, "v1", ret_uuid);
    settle(fixture);
    assert_left(fixture, ret_uuid, BOOTED_S * 1000);
}

static void restart(struct fixture *fixture, const uint8_t *uuid)
{
    struct virt_domain_info domain = domain_of(uuid, VIRT_DOMAIN_RUNNING);
    core_down(fixture);
    core_up(fixture);
    virt_up(fixture, &domain, 1);
    time_pass(fixture);
}

static void a_clock_that_is_set_ends_nothing(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_waiting(fixture, uuid);
    for (int64_t by_ms = -HOUR_MS; by_ms <= HOUR_MS; by_ms += HOUR_MS) {
        set_ms = by_ms;
        time_pass(fixture);
        assert_left(fixture, uuid, BOOTED_S * 1000);
        /* Any change of the record arms the timer again. */
        lifecycle(fixture, uuid, VIRT_EVENT_PAUSED);
        lifecycle(fixture, uuid, VIRT_EVENT_RESUMED);
        time_pass(fixture);
        assert_int_equal(core_vm(&fixture->core, uuid)->vm.head.state, VM_BOOTED);
        assert_left(fixture, uuid, BOOTED_S * 1000);
    }
}

static void a_clock_that_is_set_while_kilnd_is_away_ends_nothing(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_waiting(fixture, uuid);
    for (int64_t by_ms = HOUR_MS; by_ms >= -HOUR_MS; by_ms -= 2 * HOUR_MS) {
        set_ms = by_ms;
        restart(fixture, uuid);
        assert_int_equal(core_vm(&fixture->core, uuid)->vm.head.state, VM_BOOTED);
        assert_left(fixture, uuid, BOOTED_S * 1000);
    }
}

static void a_clock_that_is_set_back_makes_nothing_late(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    fixture->core.config.deadlines.booted_s = 1;
    make_booted(fixture, "v1", uuid);
    set_ms = -HOUR_MS;
    const struct vm *vm = vm_wait(fixture, uuid, VM_DESTROYED);
    assert_int_equal(vm->code, CODE_DEADLINE_PASSED);
}

static struct vm_slot *slot_told(struct fixture *fixture, const uint8_t *uuid, uint64_t boot, int64_t at_ms)
{
    struct vm_slot *slot = index_find(&fixture->core.vms, uuid);
    slot->vm.clock_boot = boot;
    slot->vm.head.deadline_at_ms = at_ms;
    deadline_rebase(slot);
    return slot;
}

static void after_a_reboot_a_state_has_its_whole_time(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_waiting(fixture, uuid);
    slot_told(fixture, uuid, fixture->core.clock_boot + 1, loop_wall_ms() - HOUR_MS);
    assert_left(fixture, uuid, BOOTED_S * 1000);
    slot_told(fixture, uuid, fixture->core.clock_boot + 1, loop_wall_ms() + HOUR_MS);
    assert_left(fixture, uuid, BOOTED_S * 1000);
}

static void the_retention_goes_by_the_calendar_over_a_reboot(void **state)
{
    struct fixture *fixture = *state;
    struct vm_event asked = {.head.on = VM_ON_DESTROY_ASKED};
    uint8_t uuid[VM_UUID_LEN];
    make_waiting(fixture, uuid);
    assert_int_equal(machine_post(&fixture->core, uuid, &asked, "uid:0", NULL, NULL), 0);
    vm_wait(fixture, uuid, VM_DESTROYED);
    slot_told(fixture, uuid, fixture->core.clock_boot + 1, loop_wall_ms() + HOUR_MS);
    assert_left(fixture, uuid, HOUR_MS);
    struct vm_slot *slot = slot_told(fixture, uuid, fixture->core.clock_boot + 1, INT64_MAX / 2);
    assert_left(fixture, uuid, slot->vm.timeout_ms[VM_DESTROYED]);
}

static void a_record_from_before_clocks_were_kept_goes_by_the_wall(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_waiting(fixture, uuid);
    slot_told(fixture, uuid, 0, loop_wall_ms() + 60 * 1000);
    assert_left(fixture, uuid, 60 * 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_clock_that_is_set_ends_nothing),
        TEST(a_clock_that_is_set_while_kilnd_is_away_ends_nothing),
        TEST(a_clock_that_is_set_back_makes_nothing_late),
        TEST(after_a_reboot_a_state_has_its_whole_time),
        TEST(the_retention_goes_by_the_calendar_over_a_reboot),
        TEST(a_record_from_before_clocks_were_kept_goes_by_the_wall),
    };
    return cmocka_run_group_tests_name("core_deadline", tests, NULL, NULL);
}
