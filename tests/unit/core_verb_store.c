/*
 * control.sock: the audit's chain and the store, checked, dumped and backed up while kilnd serves.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "src/core/store_check.h"
#include "tests/unit/core_verbs_fixture.h"

static struct world *world;

static int open_world(void **state)
{
    (void)state;
    world = world_create();
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_destroy(world);
    return 0;
}

static const char *ask(const char *method, const char *params)
{
    return world_call(world, world->control, method, params);
}

static void make_vms(unsigned count)
{
    char params[128];
    for (unsigned i = 0; i < count; i++) {
        snprintf(params, sizeof params,
                 "{\"name\":\"vm-%u\",\"brick\":\"deb\",\"owner\":\"alice\",\"drives\":[]}", i);
        assert_string_equal(ask("vm.create", params), "");
    }
    world_settle(world);
}

static void an_earlier_head_of_the_audit_is_looked_for(void **state)
{
    char head[128], params[192];
    (void)state;
    assert_string_equal(ask("audit.head", "{}"), "");
    snprintf(head, sizeof head, "%s", world_text(world->result, "head"));
    make_vms(1);
    snprintf(params, sizeof params, "{\"head\":\"%s\"}", head);
    assert_string_equal(ask("audit.verify", params), "");
    assert_true(json_bool(json_member(world->result, "good")));
    assert_string_not_equal(world_text(world->result, "head"), head);
    char *digit = &params[strlen(params) - 3];
    *digit = *digit == '0' ? '1' : '0';
    assert_string_equal(ask("audit.verify", params), "");
    assert_false(json_bool(json_member(world->result, "good")));
    assert_non_null(strstr(world_text(world->result, "words"), "was given"));
    assert_string_equal(ask("audit.verify", "{\"head\":\"99:zz\"}"), "BAD_PARAMETER");
    assert_string_equal(world->detail, "head");
}

/* Each entry holds the hash of the one before, so that the list is verified by whoever has it. */
static void entries_are_listed_with_both_their_hashes(void **state)
{
    (void)state;
    assert_string_equal(ask("audit.list", "{}"), "");
    const struct json *entries = json_member(world->result, "entries");
    assert_true(json_count(entries) > 2);
    for (size_t i = 1; i < json_count(entries); i++)
        assert_string_equal(world_text(json_at(entries, i), "previous"),
                            world_text(json_at(entries, i - 1), "hash"));
}

static void the_store_in_use_is_whole(void **state)
{
    int64_t vms = 0;
    (void)state;
    make_vms(3);
    assert_string_equal(ask("store.check", "{}"), "");
    assert_true(json_bool(json_member(world->result, "good")));
    assert_int_equal(json_int(json_member(json_member(world->result, "records"), "vms"), &vms), 0);
    assert_int_equal(vms, 3);
}

/* Returns how many records there are in all pages, and how many of them name NAME. */
static size_t dump(const char *first, const char *name, size_t *ret_named)
{
    char params[768], next[640] = "";
    size_t records = 0;
    *ret_named = 0;
    do {
        snprintf(params, sizeof params, next[0] ? "{\"after\":\"%s\"}" : "%s", next[0] ? next : first);
        assert_string_equal(ask("store.dump", params), "");
        assert_true(strlen(world->text) < RPC_MESSAGE_MAX);
        const struct json *list = json_member(world->result, "records");
        for (size_t i = 0; i < json_count(list); i++, records++) {
            const struct json *record = json_member(json_at(list, i), "record");
            assert_null(json_member(json_at(list, i), "wrong"));
            *ret_named += strcmp(world_text(record, "name"), name) == 0;
        }
        snprintf(next, sizeof next, "%s", world_text(world->result, "next"));
    } while (next[0]);
    return records;
}

static void a_dump_has_every_record_once(void **state)
{
    size_t named, records = 0;
    int64_t count;
    (void)state;
    make_vms(40);
    assert_string_equal(ask("store.check", "{}"), "");
    const struct json *counts = json_member(world->result, "records");
    for (size_t i = 0; i < json_count(counts); i++) {
        assert_int_equal(json_int(json_member(counts, json_key_at(counts, i)), &count), 0);
        records += (size_t)count;
    }
    assert_int_equal(dump("{}", "vm-7", &named), records);
    /* Its record, and at least the beginning of its history. */
    assert_true(named >= 2);
    assert_int_equal(dump("{\"database\":\"users\"}", "alice", &named), 2);
    assert_int_equal(named, 1);
    assert_string_equal(ask("store.dump", "{\"database\":\"nothing\"}"), "BAD_PARAMETER");
    assert_string_equal(ask("store.dump", "{\"after\":\"vms\"}"), "BAD_PARAMETER");
    assert_string_equal(ask("store.dump", "{\"after\":\"vms:0g\"}"), "BAD_PARAMETER");
}

static void a_backup_is_whole_private_and_in_the_audit(void **state)
{
    char path[128], params[192], error[STORE_ERROR_LEN] = "";
    struct store_verdict verdict;
    struct stat file;
    (void)state;
    make_vms(2);
    snprintf(path, sizeof path, "%s/backup", world->folder);
    snprintf(params, sizeof params, "{\"path\":\"%s\"}", path);
    assert_string_equal(ask("store.backup", params), "");
    assert_string_equal(world_text(world->result, "path"), path);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (store_check(fd, 0, NULL, NULL, &verdict, error))
        fail_msg("%s", error);
    close(fd);
    assert_int_equal(verdict.records[STORE_VMS], 2);
    assert_string_equal(ask("audit.list", "{\"since\":3}"), "");
    assert_non_null(strstr(world->text, "store.backup"));
    assert_non_null(strstr(world->text, path));
    assert_string_equal(ask("store.backup", params), "ALREADY_EXISTS");
    assert_string_equal(ask("store.backup", "{\"path\":\"backup\"}"), "BAD_PARAMETER");
    assert_string_equal(ask("store.backup", "{\"path\":\"/nowhere/at/all\"}"), "BAD_PARAMETER");
    assert_string_equal(ask("store.backup", "{}"), "BAD_PARAMETER");
}

static void write_limit(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void look_again(void *arg)
{
    if (!store_error(world->core.store))
        loop_post(world->core.loop, look_again, arg);
}

static void a_store_that_cannot_be_written_shows_in_the_status(void **state)
{
    struct store_batch *batch;
    char *value = calloc(1, 1 << 20);
    (void)state;
    assert_string_equal(ask("daemon.status", "{}"), "");
    assert_string_equal(world_text(world->result, "store"), "up");
    signal(SIGXFSZ, SIG_IGN);
    write_limit(64 * 1024);
    assert_int_equal(store_batch_create(world->core.store, &batch), 0);
    store_put(batch, STORE_CONSOLES, "big", 3, value, 1 << 20);
    assert_int_equal(store_commit(batch, NULL, NULL), 0);
    free(value);
    look_again(NULL);
    while (!store_error(world->core.store))
        loop_step(world->core.loop, true);
    assert_string_equal(ask("daemon.status", "{}"), "");
    assert_string_equal(world_text(world->result, "store"), "failing");
    assert_true(world_text(world->result, "store_error")[0]);
    assert_string_equal(ask("user.remove", "{\"name\":\"bob\"}"), "STORE_FAILED");
    write_limit(RLIM_INFINITY);
    world_settle(world);
    assert_string_equal(ask("daemon.status", "{}"), "");
    assert_string_equal(world_text(world->result, "store"), "up");
    assert_string_equal(ask("user.remove", "{\"name\":\"bob\"}"), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        TEST(an_earlier_head_of_the_audit_is_looked_for),
        TEST(entries_are_listed_with_both_their_hashes),
        TEST(the_store_in_use_is_whole),
        TEST(a_dump_has_every_record_once),
        TEST(a_backup_is_whole_private_and_in_the_audit),
        TEST(a_store_that_cannot_be_written_shows_in_the_status),
    };
    return cmocka_run_group_tests_name("core_verb_store", tests, NULL, NULL);
}
