/*
 * Reconcile: every cell of the recovery table through kilnd's own start; absence; orphans; the connection.
 * libvirt is false, and time passes by moving back what was noted.
 */
#define FALSE_ASKS_MAX 4096
#include "core_kept.h"
#include "recovered.h"

enum { ALL = VM_STATE_COUNT, MANY = 1500, HOUR_MS = 3600 * 1000 };

/* ---- the table ---- */

static const enum virt_domain_state shown_as[] = {
    [RECOVERY_RUNNING] = VIRT_DOMAIN_RUNNING,   [RECOVERY_PAUSED] = VIRT_DOMAIN_PAUSED,
    [RECOVERY_SHUT_OFF] = VIRT_DOMAIN_STOPPING, [RECOVERY_CRASHED] = VIRT_DOMAIN_CRASHED,
    [RECOVERY_LOST] = VIRT_DOMAIN_LOST,
};

static size_t domains_show(struct virt_domain_info *domains, enum recovery_sight sight)
{
    uint8_t uuid[VM_UUID_LEN];
    size_t count = 0;
    for (unsigned state = 0; state < ALL && sight < RECOVERY_ABSENT; state++) {
        uuid_make(state, uuid);
        domains[count++] = domain_of(uuid, shown_as[sight]);
    }
    return count;
}

struct first_events {
    int on[2]; /* events in the record's history, the first two; -1: none */
    int count;
};

static int first_take(void *arg, const struct history *history)
{
    struct first_events *first = arg;
    if (first->count < 2)
        first->on[first->count++] = history->event;
    return 0;
}

/* The cell's event was the first, or the first after the word that the link is down. */
static void check_event(struct fixture *fixture, int state, enum recovery_sight sight)
{
    struct first_events first = {{-1, -1}, 0};
    const struct vm_slot *slot = slot_of(fixture, (unsigned)state);
    bool had_link = state >= VM_REGISTERED;
    assert_int_equal(core_history(slot, 0, first_take, &first), 0);
    assert_true(!had_link || first.on[0] == VM_ON_LINK_DOWN);
    assert_int_equal(first.on[had_link], recovery_find(state, sight)->on);
}

static bool is_live(int state)
{
    return state >= VM_BOOTED && state < VM_DESTROYED;
}

static void check_cell(struct fixture *fixture, int state, enum recovery_sight sight)
{
    const struct vm_slot *slot = slot_of(fixture, (unsigned)state);
    assert_int_equal(slot->vm.head.state, recovered_state(state, sight, true));
    assert_int_equal(slot->recovering, sight == RECOVERY_UNREACHABLE);
    assert_int_equal(slot->vm.unreachable,
                     sight == RECOVERY_UNREACHABLE || (sight == RECOVERY_LOST && is_live(state)));
    assert_false(slot->vm.link_up);
    assert_int_equal(slot->vm.paused, sight == RECOVERY_PAUSED && is_live(state));
    check_event(fixture, state, sight);
}

/* Nothing is started anew but what was being started, nothing ended but what has ended. */
static void check_effects(const struct fixture *fixture, enum recovery_sight sight)
{
    bool away = sight == RECOVERY_UNREACHABLE, lost = sight == RECOVERY_LOST;
    bool dead = sight > RECOVERY_PAUSED && !away && !lost;
    assert_int_equal(asks_of("overlay"), !away);
    assert_int_equal(asks_of("address"), !away && sight != RECOVERY_RUNNING);
    assert_int_equal(asks_of("domain_gone"), !away);
    assert_int_equal(asks_of("overlay_gone"), dead ? VM_DESTROYED - VM_BOOTED : 0);
    assert_int_equal(fixture->core.recovering, away ? ALL : 0);
}

static void recover_with(struct fixture *fixture, enum recovery_sight sight)
{
    struct virt_domain_info domains[ALL];
    size_t count = domains_show(domains, sight);
    for (int state = 0; state < ALL; state++) {
        struct vm vm = kept_in(state, (unsigned)state);
        keep(fixture, &vm);
    }
    restart(fixture);
    assert_int_equal(fixture->core.recovering, ALL);
    if (sight == RECOVERY_UNREACHABLE) {
        while (!slot_of(fixture, VM_DESTROYED)->vm.unreachable)
            assert_int_equal(loop_step(fixture->core.loop, true), 0);
    } else {
        connection_up(fixture);
        time_passes(fixture, RECONCILE_UP_MS);
        answer_list(fixture, domains, count);
    }
    if (sight == RECOVERY_ABSENT) {
        time_passes(fixture, RECONCILE_CONFIRM_MS);
        look_again(fixture, NULL, 0);
    }
    settle(fixture);
    for (int state = 0; state < ALL; state++)
        check_cell(fixture, state, sight);
    check_effects(fixture, sight);
}

#define CELLS(name, sight)                                                                                   \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        recover_with(*state, sight);                                                                         \
    }
CELLS(every_state_meets_a_running_domain, RECOVERY_RUNNING)
CELLS(every_state_meets_a_paused_domain, RECOVERY_PAUSED)
CELLS(every_state_meets_a_domain_that_is_shut_off, RECOVERY_SHUT_OFF)
CELLS(every_state_meets_a_crashed_domain, RECOVERY_CRASHED)
CELLS(every_state_meets_a_lost_domain, RECOVERY_LOST)
CELLS(every_state_meets_no_domain, RECOVERY_ABSENT)
CELLS(every_state_meets_a_libvirt_that_is_away, RECOVERY_UNREACHABLE)

static void what_was_unreachable_at_the_start_recovers_when_libvirt_comes(void **state)
{
    struct fixture *fixture = *state;
    struct virt_domain_info domains[ALL];
    recover_with(fixture, RECOVERY_UNREACHABLE);
    connection_up(fixture);
    answer_list(fixture, domains, domains_show(domains, RECOVERY_RUNNING));
    settle(fixture);
    assert_int_equal(fixture->core.recovering, 0);
    for (int kept = 0; kept < ALL; kept++) {
        const struct vm *vm = &slot_of(fixture, (unsigned)kept)->vm;
        assert_int_equal(vm->head.state, recovered_state(kept, RECOVERY_RUNNING, true));
        assert_false(vm->unreachable);
    }
}

/* ---- each by itself ---- */

static void nobody_waits_for_another_to_recover(void **state)
{
    struct fixture *fixture = *state;
    struct vm lost = kept_in(VM_READY, VM_READY), found = kept_in(VM_READY, 2),
              asked = kept_in(VM_IMAGE_CREATED, 3);
    char words[128];
    keep(fixture, &lost);
    keep(fixture, &found);
    keep(fixture, &asked);
    restart(fixture);
    core_vm_waiting_for(&fixture->core, slot_of(fixture, VM_READY), words, sizeof words);
    assert_string_equal(words, "recovery: libvirt has yet to show the domains of 3 VMs");
    connection_up(fixture);
    struct virt_domain_info domain = domain_of(found.uuid, VIRT_DOMAIN_RUNNING);
    answer_list(fixture, &domain, 1);
    settle(fixture);
    /* One is still missing and one boots; neither is waited for. */
    assert_true(slot_of(fixture, VM_READY)->recovering);
    assert_int_equal(slot_of(fixture, VM_READY)->vm.head.state, VM_READY);
    assert_false(slot_of(fixture, 2)->recovering);
    assert_non_null(ask_find("address"));
    assert_int_equal(fixture->core.recovering, 1);
    /* It shows up after all. */
    struct virt_domain_info both[] = {domain, domain_of(lost.uuid, VIRT_DOMAIN_RUNNING)};
    look_again(fixture, both, 2);
    assert_false(slot_of(fixture, VM_READY)->recovering);
    assert_int_equal(slot_of(fixture, VM_READY)->vm.head.state, VM_READY);
    check_event(fixture, VM_READY, RECOVERY_RUNNING);
}

static void a_link_that_comes_before_libvirt_stays_up(void **state)
{
    struct fixture *fixture = *state;
    struct vm vm = kept_in(VM_READY, VM_READY);
    keep(fixture, &vm);
    restart(fixture);
    assert_int_equal(machine_post_kind(&fixture->core, vm.uuid, VM_ON_LINK_UP), 0);
    settle(fixture);
    connection_up(fixture);
    struct virt_domain_info domain = domain_of(vm.uuid, VIRT_DOMAIN_RUNNING);
    answer_list(fixture, &domain, 1);
    settle(fixture);
    assert_true(slot_of(fixture, VM_READY)->vm.link_up);
    assert_false(slot_of(fixture, VM_READY)->recovering);
}

static void kilnds_own_work_is_not_late_because_kilnd_was_away(void **state)
{
    struct fixture *fixture = *state;
    struct vm starting = kept_in(VM_IMAGE_CREATED, 1), silent = kept_in(VM_BOOTED, 2);
    starting.timeout_ms[VM_IMAGE_CREATED] = silent.timeout_ms[VM_BOOTED] = 60 * 1000;
    starting.head.deadline_at_ms = silent.head.deadline_at_ms = loop_wall_ms() - 1000;
    keep(fixture, &starting);
    keep(fixture, &silent);
    restart(fixture);
    /* The guest's time is the guest's. */
    const struct vm *ended = vm_wait(fixture, silent.uuid, VM_DESTROYED);
    assert_int_equal(ended->code, CODE_DEADLINE_PASSED);
    connection_up(fixture);
    answer_list(fixture, NULL, 0);
    settle(fixture);
    assert_int_equal(slot_of(fixture, 1)->vm.head.state, VM_IMAGE_CREATED);
    assert_non_null(ask_find("address"));
}

/* ---- many ---- */

static void many_recover_a_few_at_a_time(void **state)
{
    struct fixture *fixture = *state;
    struct virt_domain_info *domains = calloc(MANY, sizeof *domains);
    for (unsigned i = 0; i < MANY; i++) {
        struct vm vm = kept_in(VM_READY, MANY - 1 - i);
        keep(fixture, &vm);
        /* libvirt lists them in an order of its own. */
        domains[i * 7 % MANY] = domain_of(vm.uuid, i % 5 ? VIRT_DOMAIN_RUNNING : VIRT_DOMAIN_PAUSED);
    }
    restart(fixture);
    assert_int_equal(fixture->core.recovering, MANY);
    connection_up(fixture);
    answer_list(fixture, domains, MANY);
    while (fixture->core.recovering) {
        size_t before = fixture->core.recovering;
        assert_int_equal(loop_step(fixture->core.loop, false), 0);
        assert_in_range(before - fixture->core.recovering, 0, 64);
    }
    settle(fixture);
    for (unsigned i = 0; i < MANY; i++) {
        const struct vm *vm = &slot_of(fixture, i)->vm;
        assert_int_equal(vm->head.state, VM_READY);
        assert_int_equal(vm->paused, (MANY - 1 - i) % 5 == 0);
    }
    free(domains);
}

/* ---- the sweep ---- */

static const struct loop_timer *sweep_timer; /* the one that is noted */
static uint64_t sweep_in_ms;                 /* what it was armed with last; 0: not since it was due */

void __real_loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms);
void __wrap_loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms);

void __wrap_loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms)
{
    if (timer == sweep_timer)
        sweep_in_ms = delay_ms;
    __real_loop_timer_arm(timer, timer == sweep_timer ? HOUR_MS : delay_ms);
}

/* The time until the next sweep passes. */
static void sweep_comes(struct fixture *fixture)
{
    while (fixture->core.reconcile->sweeping)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    assert_null(ask_find("list"));
    assert_int_equal(sweep_in_ms, 30 * 1000);
    sweep_in_ms = 0;
    __real_loop_timer_arm(fixture->core.reconcile->timer, 0);
    ask_wait(fixture, "list");
}

static void all_is_looked_at_every_thirty_seconds(void **state)
{
    struct fixture *fixture = *state;
    sweep_timer = fixture->core.reconcile->timer;
    reconcile_sweep(&fixture->core);
    for (int i = 0; i < 3; i++) {
        answer_list(fixture, NULL, 0);
        sweep_comes(fixture);
    }
    /* Also after one that libvirt did not answer. */
    answer(fixture, "list", -EIO);
    sweep_comes(fixture);
    sweep_timer = NULL;
}

/* ---- absence ---- */

static void an_absence_counts_after_ten_seconds_of_connection_and_twice(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_booted(fixture, "v1", uuid);
    /* However long the answers are apart, a libvirt that has just come may not know its domains. */
    fixture->core.reconcile->up_since_ms = loop_monotonic_ms();
    look_again(fixture, NULL, 0);
    assert_int_equal(core_vm(&fixture->core, uuid)->absent_since_ms, 0);
    time_passes(fixture, RECONCILE_UP_MS);
    for (int i = 0; i < 3; i++)
        look_again(fixture, NULL, 0);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.head.state, VM_BOOTED);
    /* Seen in between: the count begins anew. */
    struct virt_domain_info domain = domain_of(uuid, VIRT_DOMAIN_RUNNING);
    time_passes(fixture, RECONCILE_CONFIRM_MS - 2000);
    look_again(fixture, &domain, 1);
    time_passes(fixture, RECONCILE_CONFIRM_MS);
    look_again(fixture, NULL, 0);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.head.state, VM_BOOTED);
    time_passes(fixture, RECONCILE_CONFIRM_MS);
    look_again(fixture, NULL, 0);
    const struct vm *vm = vm_wait(fixture, uuid, VM_DESTROYED);
    assert_int_equal(vm->code, CODE_DOMAIN_GONE);
}

static void an_absence_on_another_connection_does_not_count(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_booted(fixture, "v1", uuid);
    time_passes(fixture, RECONCILE_UP_MS);
    look_again(fixture, NULL, 0);
    assert_int_not_equal(core_vm(&fixture->core, uuid)->absent_since_ms, 0);
    time_passes(fixture, RECONCILE_CONFIRM_MS);
    /* It breaks, and is back before anything was looked at. */
    reconcile_sweep(&fixture->core);
    lifecycle(fixture, NULL, VIRT_EVENT_LOST);
    connection_up(fixture);
    time_passes(fixture, RECONCILE_UP_MS);
    answer_list(fixture, NULL, 0); /* asked for on the one that broke */
    settle(fixture);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.head.state, VM_BOOTED);
    answer_list(fixture, NULL, 0);
    settle(fixture);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.head.state, VM_BOOTED);
    time_passes(fixture, RECONCILE_CONFIRM_MS);
    look_again(fixture, NULL, 0);
    vm_wait(fixture, uuid, VM_DESTROYED);
}

/* Of many VMs not all are looked at between the end of a connection and the next one. */
static void nor_does_it_for_those_that_were_not_looked_at_in_between(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < MANY; i++) {
        struct vm vm = kept_in(VM_READY, i);
        keep(fixture, &vm);
    }
    restart(fixture);
    connection_up(fixture);
    time_passes(fixture, RECONCILE_UP_MS);
    answer_list(fixture, NULL, 0);
    settle(fixture);
    while (fixture->core.reconcile->walk.kind != WALK_NONE)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    assert_int_not_equal(slot_of(fixture, MANY - 1)->absent_since_ms, 0);
    time_passes(fixture, RECONCILE_CONFIRM_MS);
    lifecycle(fixture, NULL, VIRT_EVENT_LOST);
    connection_up(fixture);
    assert_int_not_equal(slot_of(fixture, MANY - 1)->absent_since_ms, 0);
    time_passes(fixture, RECONCILE_UP_MS);
    answer_list(fixture, NULL, 0);
    settle(fixture);
    while (fixture->core.reconcile->walk.kind != WALK_NONE)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    settle(fixture);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(slot_of(fixture, i)->vm.head.state, VM_READY);
}

enum { LOST_PID = 4711 };

static struct virt_domain_info lost_of(const uint8_t *uuid)
{
    struct virt_domain_info domain = domain_of(uuid, VIRT_DOMAIN_LOST);
    domain.pid = LOST_PID;
    domain.boot = 0;
    return domain;
}

/* Its VM is as it was, for as long as that lasts; and says what it waits for. */
static void check_lost(struct fixture *fixture, const uint8_t *uuid)
{
    char words[128];
    struct virt_domain_info domain = lost_of(uuid);
    time_passes(fixture, RECONCILE_UP_MS);
    for (int i = 0; i < 3; i++) {
        look_again(fixture, &domain, 1);
        time_passes(fixture, RECONCILE_CONFIRM_MS);
    }
    const struct vm_slot *slot = core_vm(&fixture->core, uuid);
    assert_int_equal(slot->vm.head.state, VM_BOOTED);
    assert_true(slot->vm.unreachable);
    core_vm_waiting_for(&fixture->core, slot, words, sizeof words);
    assert_string_equal(words, "libvirt, which has lost its domain, or the end of its QEMU, process 4711");
}

static void a_lost_domain_is_not_absent_until_its_process_ends(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_booted(fixture, "v1", uuid);
    check_lost(fixture, uuid);
    look_again(fixture, NULL, 0);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.head.state, VM_BOOTED);
    time_passes(fixture, RECONCILE_CONFIRM_MS);
    look_again(fixture, NULL, 0);
    const struct vm *vm = vm_wait(fixture, uuid, VM_DESTROYED);
    assert_int_equal(vm->code, CODE_DOMAIN_GONE);
}

static void a_lost_domain_that_libvirt_finds_again_is_reached(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_booted(fixture, "v1", uuid);
    check_lost(fixture, uuid);
    struct virt_domain_info domain = domain_of(uuid, VIRT_DOMAIN_RUNNING);
    look_again(fixture, &domain, 1);
    settle(fixture);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.head.state, VM_BOOTED);
    assert_false(core_vm(&fixture->core, uuid)->vm.unreachable);
}

static void an_ended_vm_whose_process_shows_again_is_ended_again(void **state)
{
    struct fixture *fixture = *state;
    struct vm vm = kept_in(VM_DESTROYED, 1);
    keep(fixture, &vm);
    restart(fixture);
    connection_up(fixture);
    answer_list(fixture, NULL, 0);
    answer(fixture, "domain_gone", 0);
    settle(fixture);
    assert_true(slot_of(fixture, 1)->vm.gone & VM_GONE_DOMAIN);
    struct virt_domain_info domain = lost_of(vm.uuid);
    look_again(fixture, &domain, 1);
    settle(fixture);
    assert_false(slot_of(fixture, 1)->vm.gone & VM_GONE_DOMAIN);
    assert_non_null(ask_find("domain_gone"));
}

static void a_guest_that_reboots_lives_on(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_booted(fixture, "v1", uuid);
    uint64_t seq = fixture->core.seq;
    lifecycle(fixture, uuid, VIRT_EVENT_REBOOTED);
    settle(fixture);
    assert_int_equal(fixture->core.seq, seq);
}

/* ---- libvirt away ---- */

static void a_start_that_waits_for_libvirt_is_not_late(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    fixture->core.config.deadlines.image_created_s = 1;
    make(fixture, "v1", uuid);
    answer(fixture, "overlay", 0);
    ask_wait(fixture, "address");
    false_virt.connected = false;
    lifecycle(fixture, NULL, VIRT_EVENT_LOST);
    answer(fixture, "address", -ENOTCONN);
    int64_t deadline_ms = core_vm(&fixture->core, uuid)->vm.head.deadline_at_ms;
    while (loop_wall_ms() < deadline_ms + 100)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.head.state, VM_IMAGE_CREATED);
    virt_up(fixture, NULL, 0);
    answer(fixture, "address", 0);
    answer(fixture, "domain", 0);
    vm_wait(fixture, uuid, VM_BOOTED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_state_meets_a_running_domain),
        TEST(every_state_meets_a_paused_domain),
        TEST(every_state_meets_a_domain_that_is_shut_off),
        TEST(every_state_meets_a_crashed_domain),
        TEST(every_state_meets_a_lost_domain),
        TEST(every_state_meets_no_domain),
        TEST(every_state_meets_a_libvirt_that_is_away),
        TEST(what_was_unreachable_at_the_start_recovers_when_libvirt_comes),
        TEST(nobody_waits_for_another_to_recover),
        TEST(a_link_that_comes_before_libvirt_stays_up),
        TEST(kilnds_own_work_is_not_late_because_kilnd_was_away),
        TEST(many_recover_a_few_at_a_time),
        TEST(all_is_looked_at_every_thirty_seconds),
        TEST(an_absence_counts_after_ten_seconds_of_connection_and_twice),
        TEST(an_absence_on_another_connection_does_not_count),
        TEST(nor_does_it_for_those_that_were_not_looked_at_in_between),
        TEST(a_lost_domain_is_not_absent_until_its_process_ends),
        TEST(a_lost_domain_that_libvirt_finds_again_is_reached),
        TEST(an_ended_vm_whose_process_shows_again_is_ended_again),
        TEST(a_guest_that_reboots_lives_on),
        TEST(a_start_that_waits_for_libvirt_is_not_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
