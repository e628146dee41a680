/*
 * Store tool: a backup put in the place of a store that is gone, and what kilnd makes of it when it starts:
 * VMs go on, what was made since is an orphan, numbers of assignments go on above all that guests saw.
 */
#include <fcntl.h>

#include "core_kept.h"
#include "src/core/audit.h"
#include "src/core/store_backup.h"
#include "src/core/store_tool.h"

static void back_up(struct fixture *fixture, char path[128])
{
    struct store_verdict verdict;
    char error[STORE_ERROR_LEN] = "";
    settle(fixture);
    snprintf(path, 128, "%s/backup", fixture->folder);
    if (store_backup(fixture->core.store, path, &verdict, error))
        fail_msg("%s", error);
}

/* kilnd ends; its store is destroyed, and restored. */
static void lose_and_restore(struct fixture *fixture, const char *path)
{
    char text[256], error[CORE_ERROR_LEN] = "", command[128];
    struct config config;
    settle(fixture);
    core_down(fixture);
    snprintf(command, sizeof command, "rm -r %s/state/store", fixture->folder);
    assert_int_equal(system(command), 0);
    int len = snprintf(text, sizeof text, "{\"state_dir\":\"%s/state\"}", fixture->folder);
    assert_int_equal(config_parse("test", text, (size_t)len, &config, error), 0);
    assert_int_equal(store_tool_restore(&config, path), 0);
    config_finish(&config);
}

static const struct vm *vm_of(struct fixture *fixture, unsigned number)
{
    const struct vm_slot *slot = slot_of(fixture, number);
    assert_non_null(slot);
    return &slot->vm;
}

static struct virt_domain_info running(unsigned number)
{
    uint8_t uuid[VM_UUID_LEN];
    uuid_make(number, uuid);
    return domain_of(uuid, VIRT_DOMAIN_RUNNING);
}

static void running_vms_are_adopted_again(void **state)
{
    struct fixture *fixture = *state;
    const struct vm ready = kept_in(VM_READY, 1), registered = kept_in(VM_REGISTERED, 2),
                    after = kept_in(VM_READY, 3);
    char path[128];
    keep(fixture, &ready);
    keep(fixture, &registered);
    back_up(fixture, path);
    keep(fixture, &after);
    lose_and_restore(fixture, path);
    core_up(fixture);
    const struct virt_domain_info domains[] = {running(1), running(2), running(3)};
    virt_up(fixture, domains, 3);
    settle(fixture);
    assert_int_equal(vm_of(fixture, 1)->head.state, VM_READY);
    assert_int_equal(vm_of(fixture, 2)->head.state, VM_REGISTERED);
    assert_null(slot_of(fixture, 3));
    assert_int_equal(fixture->core.reconcile->norphans, 1);
    assert_false(fixture->core.recovering);
    /* And can be destroyed. */
    machine_post_kind(&fixture->core, ready.uuid, VM_ON_DESTROY_ASKED);
    vm_wait(fixture, ready.uuid, VM_DESTROYED);
    answer(fixture, "domain_gone", 0);
    while (!(vm_of(fixture, 1)->gone & VM_GONE_DOMAIN))
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
}

/* The guest registered since, and is in use: it has the time to say so. */
static void no_vm_ends_for_a_deadline_of_the_backups_time(void **state)
{
    struct fixture *fixture = *state;
    struct vm booted = kept_in(VM_BOOTED, 1);
    char path[128];
    booted.timeout_ms[VM_BOOTED] = 300 * 1000;
    booted.head.deadline_at_ms = loop_wall_ms() + 1;
    booted.clock_boot = fixture->core.clock_boot;
    booted.clock_ahead_ms = fixture->core.clock_ahead_ms;
    keep(fixture, &booted);
    back_up(fixture, path);
    while (loop_wall_ms() <= booted.head.deadline_at_ms)
        continue;
    int64_t lost_at_ms = loop_wall_ms();
    lose_and_restore(fixture, path);
    core_up(fixture);
    const struct virt_domain_info domain = running(1);
    virt_up(fixture, &domain, 1);
    settle(fixture);
    assert_int_equal(vm_of(fixture, 1)->head.state, VM_BOOTED);
    assert_in_range(vm_of(fixture, 1)->head.deadline_at_ms, lost_at_ms + 300 * 1000,
                    loop_wall_ms() + 300 * 1000);
}

static void no_number_of_an_assignment_is_given_twice(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    char path[128];
    make_booted(fixture, "before", uuid);
    back_up(fixture, path);
    uint64_t seen = 0;
    for (int i = 0; i < 1000; i++)
        seen = core_assignment_next(&fixture->core);
    lose_and_restore(fixture, path);
    core_up(fixture);
    assert_true(core_assignment_next(&fixture->core) > seen);
}

static int last_keep(void *arg, const struct audit_entry *entry, const uint8_t hash[RECORD_HASH_LEN])
{
    (void)hash;
    *(struct audit_entry *)arg = *entry;
    return 0;
}

static void the_audit_tells_of_the_restore_and_where_the_chain_was(void **state)
{
    struct fixture *fixture = *state;
    struct audit_entry last;
    struct audit end;
    uint8_t uuid[VM_UUID_LEN];
    char path[128], lost[AUDIT_END_TEXT_BYTES], actor[VM_WHO_LEN];
    uint64_t count, at;
    back_up(fixture, path);
    make_booted(fixture, "after", uuid);
    settle(fixture);
    assert_int_equal(audit_load(&end, fixture->core.store), 0);
    audit_end_format(&end, lost);
    lose_and_restore(fixture, path);
    core_up(fixture);
    assert_int_equal(audit_each(fixture->core.store, 0, last_keep, &last), 0);
    assert_string_equal(last.what, "store.restore");
    core_actor_uid(actor, getuid());
    assert_string_equal(last.actor, actor);
    assert_non_null(strstr(last.story, lost));
    assert_int_equal(audit_verify(fixture->core.store, &count, &at), 0);
    assert_int_equal(at, 0);
    struct audit_mark mark = {.end = end, .whose = "was given"};
    struct audit_verdict verdict;
    assert_int_equal(audit_check(fixture->core.store, &mark, 1, NULL, &verdict), 0);
    assert_true(verdict.wrong_at > 0);
}

static void what_is_no_store_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/nothing", fixture->folder);
    assert_int_equal(store_tool_check(path), -ENOENT);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(store_tool_check(path), -ENODATA);
    assert_int_equal(write(fd, path, sizeof path), sizeof path);
    close(fd);
    assert_int_equal(store_tool_check(path), -EUCLEAN);
    assert_int_equal(store_tool_dump(path), -EUCLEAN);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(store_tool_check(path), -EINVAL);
    assert_int_equal(store_tool_dump(path), -EINVAL);
    assert_int_equal(store_tool_check(fixture->folder), -EINVAL);
    assert_int_equal(store_tool_check("/dev/zero"), -EINVAL);
    /* In use: the store stays as it is. */
    unlink(path);
    back_up(fixture, path);
    assert_int_equal(store_tool_check(path), 0);
    assert_int_equal(store_tool_dump(path), 0);
    assert_int_equal(store_tool_restore(&fixture->core.config, path), -EBUSY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(running_vms_are_adopted_again),
        TEST(no_vm_ends_for_a_deadline_of_the_backups_time),
        TEST(no_number_of_an_assignment_is_given_twice),
        TEST(the_audit_tells_of_the_restore_and_where_the_chain_was),
        TEST(what_is_no_store_is_refused),
    };
    return cmocka_run_group_tests_name("core_store_tool", tests, NULL, NULL);
}
