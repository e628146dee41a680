/*
 * The machine's driver: nothing is performed before it is durable, nothing is lost, and each answer of
 * libvirt, also the unkind ones, leads where it should.
 */
#include "core_false_virt.h"
#include "src/core/network.h"

#include <signal.h>
#include <sys/resource.h>

#include "src/core/identity.h"
#include "src/core/perform.h"

/* ---- deciding and committing ---- */

struct outcome {
    unsigned calls;
    int error;
    int state;
};

static void outcome_keep(void *arg, int error, const struct vm *vm)
{
    struct outcome *outcome = arg;
    outcome->calls++;
    outcome->error = error;
    outcome->state = vm ? vm->head.state : -1;
}

static void outcome_wait(struct fixture *fixture, const struct outcome *outcome)
{
    while (!outcome->calls)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
}

static void a_life_goes_from_step_to_step(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN], secret[32], file[64];
    char path[256], text[VIRT_UUID_BYTES];
    make(fixture, "v1", uuid);
    assert_null(core_vm(&fixture->core, uuid));
    assert_string_equal(ask_wait(fixture, "overlay")->op, "overlay");
    assert_false(false_virt.early);
    answer(fixture, "overlay", 0);
    answer(fixture, "address", 0);
    struct false_ask *domain = ask_wait(fixture, "domain");
    assert_int_equal(domain->spec.boot, 1);
    assert_string_equal(domain->spec.address, "10.77.0.10");
    core_uuid_text(uuid, text);
    snprintf(path, sizeof path, "%s/run/boot/%s", fixture->folder, text);
    assert_string_equal(domain->spec.boot_secret_path, path);
    FILE *boot = fopen(path, "r");
    assert_non_null(boot);
    assert_int_equal(fread(file, 1, sizeof file, boot), 32);
    fclose(boot);
    assert_int_equal(identity_boot_secret(fixture->core.identity, uuid, 1, secret), 0);
    assert_memory_equal(file, secret, 32);
    answer(fixture, "domain", 0);
    const struct vm *vm = vm_wait(fixture, uuid, VM_BOOTED);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(vm->boot_number, 1);
    assert_int_equal(fixture->told.count, 3);
    assert_int_equal(fixture->told.first, 1);
}

static void refusals_and_strangers_are_told_and_change_nothing(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN], nobody[VM_UUID_LEN] = {0};
    struct outcome refused = {0}, lost = {0};
    struct vm_event ready = {.head.on = VM_ON_GUEST_READY};
    make_booted(fixture, "v1", uuid);
    settle(fixture);
    uint64_t seq = fixture->core.seq;
    assert_int_equal(machine_post(&fixture->core, uuid, &ready, "guest", outcome_keep, &refused), 0);
    assert_int_equal(machine_post(&fixture->core, nobody, &ready, "guest", outcome_keep, &lost), 0);
    assert_int_equal(refused.calls + lost.calls, 0);
    outcome_wait(fixture, &refused);
    outcome_wait(fixture, &lost);
    assert_int_equal(refused.error, -EPERM);
    assert_int_equal(refused.state, VM_BOOTED);
    assert_int_equal(lost.error, -ENOENT);
    assert_int_equal(fixture->core.seq, seq);
}

static void events_of_a_vm_wait_for_one_another(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    struct outcome outcomes[3] = {0};
    struct vm_event paused = {.head.on = VM_ON_DOMAIN_PAUSED}, resumed = {.head.on = VM_ON_DOMAIN_RESUMED};
    struct vm_event asked = {.head.on = VM_ON_DESTROY_ASKED};
    make_booted(fixture, "v1", uuid);
    assert_int_equal(machine_post(&fixture->core, uuid, &paused, NULL, outcome_keep, &outcomes[0]), 0);
    assert_int_equal(machine_post(&fixture->core, uuid, &resumed, NULL, outcome_keep, &outcomes[1]), 0);
    assert_int_equal(machine_post(&fixture->core, uuid, &asked, "uid:0", outcome_keep, &outcomes[2]), 0);
    outcome_wait(fixture, &outcomes[2]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(outcomes[i].error, 0);
    assert_int_equal(outcomes[1].state, VM_BOOTED);
    assert_int_equal(outcomes[2].state, VM_DESTROYED);
}

static int count_history(void *arg, const struct history *history)
{
    uint64_t *next = arg;
    assert_int_equal(history->seq, ++*next);
    return 0;
}

static void changes_can_be_replayed_without_a_gap(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN], other[VM_UUID_LEN];
    uint64_t next = 2, count, at;
    make_booted(fixture, "v1", uuid);
    make(fixture, "v2", other);
    answer(fixture, "overlay", 0);
    settle(fixture);
    assert_int_equal(core_replay(&fixture->core, 2, count_history, &next), 0);
    assert_int_equal(next, core_last_seq(&fixture->core));
    assert_int_equal(core_replay(&fixture->core, next + 1, count_history, &next), -ENOENT);
    assert_int_equal(audit_verify(fixture->core.store, &count, &at), 0);
    assert_int_equal(at, 0);
}

static void a_disk_that_refuses_holds_effects_back(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit;
    uint8_t uuid[VM_UUID_LEN];
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    make(fixture, "v1", uuid);
    while (!store_error(fixture->core.store))
        assert_int_equal(loop_step(fixture->core.loop, false), 0);
    assert_null(core_vm(&fixture->core, uuid));
    assert_null(ask_find("overlay"));
    assert_int_equal(fixture->told.count, 0);
    limit.rlim_cur = RLIM_INFINITY;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ask_wait(fixture, "overlay");
    assert_false(false_virt.early);
}

/* ---- starting ---- */

static void a_start_that_fails_is_cleaned_and_tried_again(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make(fixture, "v1", uuid);
    answer(fixture, "overlay", 0);
    for (int boot = 1; boot <= CREATE_BOOTS_MAX; boot++) {
        answer(fixture, "address", 0);
        assert_int_equal(ask_wait(fixture, "domain")->spec.boot, boot);
        answer(fixture, "domain", -EIO);
        answer(fixture, "domain_gone", 0);
    }
    const struct vm *vm = vm_wait(fixture, uuid, VM_DESTROYED);
    assert_int_equal(vm->code, CODE_DOMAIN_FAILED);
    assert_string_equal(vm->detail, "libvirt says no");
}

static void an_end_during_the_start_is_a_failed_start(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make(fixture, "v1", uuid);
    answer(fixture, "overlay", 0);
    answer(fixture, "address", 0);
    ask_wait(fixture, "domain");
    lifecycle(fixture, uuid, VIRT_EVENT_STOPPED);
    answer(fixture, "domain", 0);
    answer(fixture, "domain_gone", 0);
    answer(fixture, "address", 0);
    assert_int_equal(ask_wait(fixture, "domain")->spec.boot, 2);
}

static void boots_wait_for_their_turn_and_are_not_late(void **state)
{
    struct fixture *fixture = *state;
    uint8_t first[VM_UUID_LEN], second[VM_UUID_LEN];
    struct vm_event asked = {.head.on = VM_ON_DESTROY_ASKED};
    char words[128];
    make(fixture, "v1", first);
    answer(fixture, "overlay", 0);
    answer(fixture, "address", 0);
    ask_wait(fixture, "domain");
    make(fixture, "v2", second);
    answer(fixture, "overlay", 0);
    answer(fixture, "address", 0);
    vm_wait(fixture, second, VM_IMAGE_CREATED);
    settle(fixture);
    assert_int_equal(asks_of("domain"), 1);
    assert_int_equal(core_boot_queue(&fixture->core), 1);
    assert_true(perform_holds_deadline(core_vm(&fixture->core, second)));
    core_vm_waiting_for(&fixture->core, core_vm(&fixture->core, second), words, sizeof words);
    assert_string_equal(words, "its turn to boot: 0 before it, 1 booting now");
    assert_int_equal(machine_post(&fixture->core, first, &asked, "uid:0", NULL, NULL), 0);
    vm_wait(fixture, first, VM_DESTROYED);
    answer(fixture, "domain", -ECANCELED);
    assert_string_equal(ask_wait(fixture, "domain")->spec.address, "10.77.0.11");
    assert_int_equal(core_boot_queue(&fixture->core), 0);
}

static void nothing_boots_before_the_edge_was_seen(void **state)
{
    struct fixture *fixture = *state;
    const uint8_t certificate[RECORD_HASH_LEN] = {9};
    uint8_t uuid[VM_UUID_LEN];
    fixture->core.edge_certificate_known = false;
    make(fixture, "v1", uuid);
    answer(fixture, "overlay", 0);
    answer(fixture, "address", 0);
    settle(fixture);
    assert_null(ask_find("domain"));
    core_edge_certificate_set(&fixture->core, certificate);
    assert_int_equal(strncmp(ask_wait(fixture, "domain")->spec.edge, "0900", 4), 0);
}

static int keep_last_story(void *arg, const struct history *history)
{
    strcpy(arg, history->story);
    return 0;
}

/* Why is told as long as the record stays; what was tidied up since is in the history. */
static void a_deadline_ends_what_does_not_come(void **state)
{
    char last[FSM_STORY_LEN];
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    fixture->core.config.deadlines.booted_s = 1;
    make_booted(fixture, "v1", uuid);
    const struct vm *vm = vm_wait(fixture, uuid, VM_DESTROYED);
    assert_int_equal(vm->code, CODE_DEADLINE_PASSED);
    assert_string_equal(vm->detail, "the guest's registration is awaited");
    answer(fixture, "domain_gone", 0);
    settle(fixture);
    assert_true(vm->gone & VM_GONE_DOMAIN);
    assert_string_equal(vm->head.story, "destroyed: the guest did not register in time");
    assert_int_equal(core_replay(&fixture->core, core_last_seq(&fixture->core) - 1, keep_last_story, last),
                     0);
    assert_null(strstr(last, "destroyed"));
}

/* ---- the console ---- */

static void a_failure_on_the_console_ends_it_with_its_words(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    char text[VIRT_UUID_BYTES], tail[RECORD_CONSOLE_MAX];
    make_booted(fixture, "v1", uuid);
    core_uuid_text(uuid, text);
    false_virt.tail = "one\ntwo\n";
    false_virt.line(false_virt.line_arg, text, "KILN-FAIL nonsense");
    false_virt.line(false_virt.line_arg, text, "KILN-FAIL code=PORT_22_TAKEN detail=\"sshd pid 412\"");
    const struct vm *vm = vm_wait(fixture, uuid, VM_DESTROYED);
    assert_int_equal(vm->code, CODE_PORT_22_TAKEN);
    assert_string_equal(vm->detail, "sshd pid 412");
    false_virt.tail = NULL;
    assert_int_equal(core_vm_console(&fixture->core, uuid, tail, sizeof tail), 8);
    assert_string_equal(tail, "one\ntwo\n");
}

/* ---- drives ---- */

static void a_drive_has_one_writer_until_its_domain_is_gone(void **state)
{
    struct fixture *fixture = *state;
    uint8_t first[VM_UUID_LEN], second[VM_UUID_LEN];
    char detail[VM_DETAIL_LEN];
    struct create_drive wanted = {.mode = VM_DRIVE_WRITER}, stranger = {.id = {99}};
    struct vm_event asked = {.head.on = VM_ON_DESTROY_ASKED};
    drive_make(fixture, 5, &wanted);
    assert_int_equal(order(fixture, "v0", &stranger, 1, first, detail), CODE_DRIVE_UNKNOWN);
    assert_int_equal(order(fixture, "v1", &wanted, 1, first, detail), CODE_NONE);
    assert_int_equal(order(fixture, "v2", &wanted, 1, second, detail), CODE_DRIVE_HELD);
    assert_string_equal(detail, "drive d5: VM v1 holds it as writer");
    ask_wait(fixture, "overlay");
    assert_int_equal(machine_post(&fixture->core, first, &asked, "uid:0", NULL, NULL), 0);
    ask_wait(fixture, "domain_gone");
    settle(fixture);
    assert_int_equal(drive_find(&fixture->core, wanted.id)->nholders, 1);
    assert_null(ask_find("overlay_gone"));
    answer(fixture, "domain_gone", 0);
    answer(fixture, "overlay_gone", 0);
    answer(fixture, "address_gone", 0);
    while (core_vm(&fixture->core, first)->vm.gone != VM_GONE_ALL)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    assert_int_equal(drive_find(&fixture->core, wanted.id)->nholders, 0);
    assert_int_equal(order(fixture, "v2", &wanted, 1, second, detail), CODE_NONE);
    assert_true(fixture->ports_called[2] > 0 && fixture->ports_called[3] > 0);
    /* An address is given back once: it is the next VM's by now. */
    uint8_t address[4] = {10, 77, 0, 10};
    settle(fixture);
    assert_memory_equal(core_vm(&fixture->core, second)->vm.ipv4, address, sizeof address);
    assert_int_equal(machine_post(&fixture->core, first, &asked, "uid:0", NULL, NULL), 0);
    settle(fixture);
    assert_int_equal(network_address(&fixture->core.network, address), 0);
    assert_int_equal(address[3], 11);
}

static void wait_code(struct fixture *fixture, const int *code)
{
    while (*code == -1)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
}

/* Neither the answer to its making nor a second removal touches what the first removal leaves behind. */
static void a_drive_that_is_removed_while_it_is_made_stays_removed(void **state)
{
    struct fixture *fixture = *state;
    struct create_drive wanted = {.id = {5}, .mode = VM_DRIVE_WRITER};
    struct drive drive = {.id = {5}, .name = "d5", .size_mib = 16, .owner = {1}};
    uint8_t uuid[VM_UUID_LEN];
    char detail[VM_DETAIL_LEN];
    int made = -1, removed = -1, again = -1;
    assert_int_equal(drive_add(&fixture->core, &drive, "uid:0", object_done, &made), 0);
    ask_wait(fixture, "drive");
    assert_int_equal(drive_remove(&fixture->core, drive.id, "uid:0", object_done, &removed), 0);
    assert_int_equal(drive_remove(&fixture->core, drive.id, "uid:0", object_done, &again), 0);
    while (asks_of("drive_gone") < 2)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    answer(fixture, "drive", 0);
    wait_code(fixture, &made);
    assert_int_equal(made, CODE_NOT_FOUND);
    assert_int_equal(order(fixture, "v1", &wanted, 1, uuid, detail), CODE_DRIVE_UNKNOWN);
    answer(fixture, "drive_gone", 0);
    wait_code(fixture, &removed);
    assert_null(drive_find(&fixture->core, drive.id));
    drive_make(fixture, 5, &wanted);
    answer(fixture, "drive_gone", 0);
    wait_code(fixture, &again);
    settle(fixture);
    assert_non_null(drive_find(&fixture->core, drive.id));
    assert_int_equal(order(fixture, "v1", &wanted, 1, uuid, detail), CODE_NONE);
}

static void drives_are_attached_each_by_itself(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    char detail[VM_DETAIL_LEN];
    struct create_drive wanted[2] = {{.mode = VM_DRIVE_WRITER}, {.mode = VM_DRIVE_READER}};
    struct vm_event retry = {.head.on = VM_ON_PAIRED, .count = 2};
    drive_make(fixture, 5, &wanted[0]);
    drive_make(fixture, 6, &wanted[1]);
    assert_int_equal(order(fixture, "v1", wanted, 2, uuid, detail), CODE_NONE);
    answer(fixture, "overlay", 0);
    answer(fixture, "address", 0);
    answer(fixture, "domain", 0);
    vm_wait(fixture, uuid, VM_BOOTED);
    assert_null(ask_find("attach writer"));
    registered_and_paired(fixture, uuid);
    answer(fixture, "attach writer", 0);
    answer(fixture, "attach reader", -EIO);
    while (core_vm(&fixture->core, uuid)->vm.drive[1].status != VM_DRIVE_FAILED)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    settle(fixture);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.head.state, VM_PAIRED);
    assert_int_equal(machine_post(&fixture->core, uuid, &retry, NULL, NULL, NULL), 0);
    answer(fixture, "attach reader", 0);
    vm_wait(fixture, uuid, VM_DRIVES_ATTACHED);
    assert_int_equal(asks_of("attach writer"), 0);
    assert_true(fixture->ports_called[1] > 0);
}

/* ---- what libvirt shows ---- */

static void an_end_that_libvirt_tells_is_taken_at_once(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_booted(fixture, "v1", uuid);
    lifecycle(fixture, uuid, VIRT_EVENT_CRASHED);
    const struct vm *vm = vm_wait(fixture, uuid, VM_DESTROYED);
    assert_int_equal(vm->code, CODE_DOMAIN_GONE);
    assert_string_equal(vm->detail, "as the test says");
}

static void a_lost_connection_changes_no_state(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    make_booted(fixture, "v1", uuid);
    false_virt.connected = false;
    lifecycle(fixture, NULL, VIRT_EVENT_LOST);
    while (!core_vm(&fixture->core, uuid)->vm.unreachable)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.head.state, VM_BOOTED);
    struct virt_domain_info domain = domain_of(uuid, VIRT_DOMAIN_RUNNING);
    virt_up(fixture, &domain, 1);
    while (core_vm(&fixture->core, uuid)->vm.unreachable)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.head.state, VM_BOOTED);
}

static void a_restart_takes_up_where_it_was(void **state)
{
    struct fixture *fixture = *state;
    uint8_t booted[VM_UUID_LEN], starting[VM_UUID_LEN], ended[VM_UUID_LEN];
    struct vm_event asked = {.head.on = VM_ON_DESTROY_ASKED};
    make_booted(fixture, "v1", booted);
    make(fixture, "v2", starting);
    answer(fixture, "overlay", 0);
    vm_wait(fixture, starting, VM_IMAGE_CREATED);
    make(fixture, "v3", ended);
    ask_wait(fixture, "overlay");
    assert_int_equal(machine_post(&fixture->core, ended, &asked, "uid:0", NULL, NULL), 0);
    vm_wait(fixture, ended, VM_DESTROYED);
    settle(fixture);
    uint64_t seq = fixture->core.seq;
    core_down(fixture);

    core_up(fixture);
    assert_int_equal(fixture->core.seq, seq);
    assert_int_equal(fixture->core.recovering, 3);
    assert_int_equal(core_vm(&fixture->core, booted)->vm.head.state, VM_BOOTED);
    struct virt_domain_info domain = domain_of(booted, VIRT_DOMAIN_RUNNING);
    virt_up(fixture, &domain, 1);
    assert_int_equal(fixture->core.recovering, 0);
    answer(fixture, "address", 0);
    settle(fixture);
    assert_int_equal(core_vm(&fixture->core, booted)->vm.head.state, VM_BOOTED);
    assert_true(ask_find("overlay_gone") || ask_find("domain_gone"));
    /* Its guest may still be booting, so it has the only place. */
    assert_null(ask_find("domain"));
    assert_int_equal(core_boot_queue(&fixture->core), 1);
    assert_int_equal(machine_post(&fixture->core, booted, &asked, "uid:0", NULL, NULL), 0);
    assert_string_equal(ask_wait(fixture, "domain")->spec.address, "10.77.0.11");
    assert_int_equal(brick_find(&fixture->core, "debian")->memory_mib, 64);
    assert_int_equal(fixture->told.first, seq + 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_life_goes_from_step_to_step),
        TEST(refusals_and_strangers_are_told_and_change_nothing),
        TEST(events_of_a_vm_wait_for_one_another),
        TEST(changes_can_be_replayed_without_a_gap),
        TEST(a_disk_that_refuses_holds_effects_back),
        TEST(a_start_that_fails_is_cleaned_and_tried_again),
        TEST(an_end_during_the_start_is_a_failed_start),
        TEST(boots_wait_for_their_turn_and_are_not_late),
        TEST(nothing_boots_before_the_edge_was_seen),
        TEST(a_deadline_ends_what_does_not_come),
        TEST(a_failure_on_the_console_ends_it_with_its_words),
        TEST(a_drive_has_one_writer_until_its_domain_is_gone),
        TEST(a_drive_that_is_removed_while_it_is_made_stays_removed),
        TEST(drives_are_attached_each_by_itself),
        TEST(an_end_that_libvirt_tells_is_taken_at_once),
        TEST(a_lost_connection_changes_no_state),
        TEST(a_restart_takes_up_where_it_was),
    };
    return cmocka_run_group_tests_name("core_machine", tests, NULL, NULL);
}
