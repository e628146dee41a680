/*
 * The end of a domain whose guest holds drives: the guest gets time to bring to its drives what users wrote.
 */
#include "tests/unit/core_false_virt.h"

/* A VM that is ready, with one drive mounted and its link up. */
static void make_ready(struct fixture *fixture, uint8_t *ret_uuid)
{
    struct create_drive wanted = {.mode = VM_DRIVE_WRITER};
    struct vm_event linked = {.head.on = VM_ON_LINK_UP}, ready = {.head.on = VM_ON_GUEST_READY},
                    mounted = {.head.on = VM_ON_DRIVE_STATUS};
    char detail[VM_DETAIL_LEN];
    drive_make(fixture, 5, &wanted);
    assert_int_equal(order(fixture, "v1", &wanted, 1, ret_uuid, detail), CODE_NONE);
    answer(fixture, "overlay", 0);
    answer(fixture, "address", 0);
    answer(fixture, "domain", 0);
    vm_wait(fixture, ret_uuid, VM_BOOTED);
    registered_and_paired(fixture, ret_uuid);
    assert_int_equal(machine_post(&fixture->core, ret_uuid, &linked, "guest", NULL, NULL), 0);
    answer(fixture, "attach writer", 0);
    vm_wait(fixture, ret_uuid, VM_DRIVES_ATTACHED);
    memcpy(mounted.drive.id, wanted.id, sizeof wanted.id);
    mounted.drive.status = VM_DRIVE_MOUNTED;
    assert_int_equal(machine_post(&fixture->core, ret_uuid, &mounted, "guest", NULL, NULL), 0);
    assert_int_equal(machine_post(&fixture->core, ret_uuid, &ready, "guest", NULL, NULL), 0);
    vm_wait(fixture, ret_uuid, VM_READY);
}

static void destroy(struct fixture *fixture, const uint8_t *uuid, bool force)
{
    struct vm_event asked = {.head.on = VM_ON_DESTROY_ASKED, .destroy.force = force};
    assert_int_equal(machine_post(&fixture->core, uuid, &asked, "uid:0", NULL, NULL), 0);
    vm_wait(fixture, uuid, VM_DESTROYED);
    settle(fixture);
}

static void a_guest_with_drives_ends_by_itself(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_ready(fixture, uuid);
    destroy(fixture, uuid, false);
    assert_null(ask_find("domain_gone"));
    assert_int_equal(drive_find(&fixture->core, (uint8_t[VM_UUID_LEN]){5})->nholders, 1);
    lifecycle(fixture, uuid, VIRT_EVENT_STOPPED);
    answer(fixture, "domain_gone", 0);
    while (drive_find(&fixture->core, (uint8_t[VM_UUID_LEN]){5})->nholders > 0)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
}

static void a_forced_end_waits_for_no_guest(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_ready(fixture, uuid);
    destroy(fixture, uuid, true);
    answer(fixture, "domain_gone", 0);
}

static void force_after_asking_nicely_ends_the_wait(void **state)
{
    struct fixture *fixture = *state;
    struct vm_event asked = {.head.on = VM_ON_DESTROY_ASKED, .destroy.force = true};
    uint8_t uuid[VM_UUID_LEN];
    make_ready(fixture, uuid);
    destroy(fixture, uuid, false);
    assert_null(ask_find("domain_gone"));
    assert_int_equal(machine_post(&fixture->core, uuid, &asked, "uid:0", NULL, NULL), 0);
    answer(fixture, "domain_gone", 0);
}

static void a_guest_without_drives_is_not_waited_for(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_booted(fixture, "v1", uuid);
    destroy(fixture, uuid, false);
    answer(fixture, "domain_gone", 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_guest_with_drives_ends_by_itself),
        TEST(a_forced_end_waits_for_no_guest),
        TEST(force_after_asking_nicely_ends_the_wait),
        TEST(a_guest_without_drives_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
