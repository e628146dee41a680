/*
 * Boots, a limited number at a time: a hundred orders at once, in numbers.
 */
#define FALSE_ASKS_MAX 256
#include "core_false_virt.h"

#include "src/core/perform.h"

enum { VMS = 100, PLACES = 4 };

struct storm {
    struct fixture *fixture;
    uint8_t uuid[VMS][VM_UUID_LEN];
};

/* A hundred VMs whose volumes and addresses are there: PLACES of them start. */
static struct storm *storm_begin(struct fixture *fixture)
{
    struct storm *storm = calloc(1, sizeof *storm);
    char name[16];
    storm->fixture = fixture;
    fixture->core.config.max_boots = PLACES;
    for (int i = 0; i < VMS; i++) {
        snprintf(name, sizeof name, "v%d", i);
        make(fixture, name, storm->uuid[i]);
        answer(fixture, "overlay", 0);
        answer(fixture, "address", 0);
    }
    settle(fixture);
    return storm;
}

static const struct vm_slot *slot_of(const struct storm *storm, int i)
{
    return core_vm(&storm->fixture->core, storm->uuid[i]);
}

static void event(const struct storm *storm, int i, enum vm_event_kind kind)
{
    assert_int_equal(machine_post_kind(&storm->fixture->core, storm->uuid[i], kind), 0);
    settle(storm->fixture);
}

static void no_more_boot_than_there_are_places(void **state)
{
    struct storm *storm = storm_begin(*state);
    char words[128];
    assert_int_equal(asks_of("domain"), PLACES);
    assert_int_equal(core_boot_queue(&storm->fixture->core), VMS - PLACES);
    for (int i = 0; i < VMS; i++) {
        size_t wanted = i < PLACES ? 0 : (size_t)(i - PLACES + 1);
        assert_int_equal(perform_boot_position(slot_of(storm, i)), wanted);
    }
    core_vm_waiting_for(&storm->fixture->core, slot_of(storm, 50), words, sizeof words);
    assert_string_equal(words, "its turn to boot: 46 before it, 4 booting now");
    /* A domain that runs keeps its place until its guest registers. */
    answer(storm->fixture, "domain", 0);
    settle(storm->fixture);
    assert_int_equal(slot_of(storm, 0)->vm.head.state, VM_BOOTED);
    assert_int_equal(asks_of("domain"), PLACES - 1);
    event(storm, 0, VM_ON_REGISTERED);
    assert_int_equal(asks_of("domain"), PLACES);
    assert_int_equal(perform_boot_position(slot_of(storm, PLACES)), 0);
    assert_int_equal(perform_boot_position(slot_of(storm, 50)), 46);
    free(storm);
}

static void all_boot_in_the_end_and_never_too_many_at_once(void **state)
{
    struct storm *storm = storm_begin(*state);
    for (int i = 0; i < VMS; i++) {
        uint8_t uuid[VM_UUID_LEN];
        assert_int_equal(core_uuid_parse(ask_wait(storm->fixture, "domain")->about, uuid), 0);
        answer(storm->fixture, "domain", 0);
        settle(storm->fixture);
        assert_int_equal(core_vm(&storm->fixture->core, uuid)->vm.head.state, VM_BOOTED);
        assert_in_range(asks_of("domain"), 0, PLACES - 1);
        assert_int_equal(machine_post_kind(&storm->fixture->core, uuid, VM_ON_REGISTERED), 0);
        settle(storm->fixture);
    }
    assert_int_equal(core_boot_queue(&storm->fixture->core), 0);
    free(storm);
}

static void ends_are_not_queued_behind_boots(void **state)
{
    struct storm *storm = storm_begin(*state);
    size_t waiting = core_boot_queue(&storm->fixture->core);
    /* One that waits, and one that is being started. */
    event(storm, 99, VM_ON_DESTROY_ASKED);
    event(storm, 1, VM_ON_DESTROY_ASKED);
    assert_int_equal(asks_of("domain_gone"), 2);
    assert_int_equal(core_boot_queue(&storm->fixture->core), waiting - 2);
    answer(storm->fixture, "domain_gone", 0);
    answer(storm->fixture, "overlay_gone", 0);
    answer(storm->fixture, "address_gone", 0);
    settle(storm->fixture);
    assert_int_equal(slot_of(storm, 99)->vm.gone, VM_GONE_ALL);
    /* The place of the one that was starting went to the next. */
    assert_int_equal(perform_boot_position(slot_of(storm, PLACES)), 0);
    free(storm);
}

static void the_time_in_the_queue_counts_for_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture->core.config.deadlines.image_created_s = 1;
    fixture->core.config.deadlines.booted_s = 60;
    struct storm *storm = storm_begin(fixture);
    int64_t late_ms = slot_of(storm, VMS - 1)->vm.head.deadline_at_ms + 200;
    while (loop_wall_ms() < late_ms)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    settle(fixture);
    /* Those that had their turn were not started in time, the next got theirs; the others wait and are not
     * late. */
    assert_int_equal(slot_of(storm, 0)->vm.head.state, VM_DESTROYED);
    assert_int_equal(slot_of(storm, VMS - 1)->vm.head.state, VM_IMAGE_CREATED);
    assert_true(perform_boot_position(slot_of(storm, VMS - 1)) > 0);
    const struct vm *vm = NULL;
    while (!vm) {
        answer(fixture, "domain", 0);
        settle(fixture);
        for (int i = PLACES; i < VMS; i++)
            if (slot_of(storm, i)->vm.head.state == VM_BOOTED)
                vm = &slot_of(storm, i)->vm;
    }
    assert_int_equal(vm->head.deadline_at_ms - vm->head.entered_at_ms, 60 * 1000);
    free(storm);
}

/* An address that is being pinned when its VM is destroyed is let go of once it is, not before. */
static void an_address_that_comes_after_the_end_is_freed(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make(fixture, "v1", uuid);
    answer(fixture, "overlay", 0);
    ask_wait(fixture, "address");
    assert_int_equal(machine_post_kind(&fixture->core, uuid, VM_ON_DESTROY_ASKED), 0);
    answer(fixture, "domain_gone", 0);
    answer(fixture, "overlay_gone", 0);
    settle(fixture);
    assert_int_equal(asks_of("address_gone"), 0);
    answer(fixture, "address", 0);
    answer(fixture, "address_gone", 0);
    settle(fixture);
    assert_int_equal(((struct vm_slot *)index_find(&fixture->core.vms, uuid))->vm.gone, VM_GONE_ALL);
}

/* After a restart the guests that were rising take their places again. */
static void guests_that_rise_over_a_restart_keep_their_places(void **state)
{
    struct fixture *fixture = *state;
    struct storm *storm = storm_begin(fixture);
    struct virt_domain_info domains[PLACES];
    for (int i = 0; i < PLACES; i++) {
        answer(fixture, "domain", 0);
        domains[i] = domain_of(storm->uuid[i], VIRT_DOMAIN_RUNNING);
    }
    settle(fixture);
    core_down(fixture);
    core_up(fixture);
    fixture->core.config.max_boots = PLACES;
    virt_up(fixture, domains, PLACES);
    settle(fixture);
    while (ask_find("address"))
        answer(fixture, "address", 0);
    settle(fixture);
    assert_int_equal(asks_of("domain"), 0);
    assert_int_equal(core_boot_queue(&fixture->core), VMS - PLACES);
    event(storm, 0, VM_ON_REGISTERED);
    assert_int_equal(asks_of("domain"), 1);
    free(storm);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(no_more_boot_than_there_are_places),
        TEST(all_boot_in_the_end_and_never_too_many_at_once),
        TEST(ends_are_not_queued_behind_boots),
        TEST(the_time_in_the_queue_counts_for_nothing),
        TEST(an_address_that_comes_after_the_end_is_freed),
        TEST(guests_that_rise_over_a_restart_keep_their_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
