/*
 * control.sock: every method, what is refused, and the stream of changes.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "src/core/events.h"
#include "src/core/machine.h"
#include "tests/unit/core_verbs_guest.h"

enum { STALL_MS = 130 };

static struct world *world;

static int open_world(void **state)
{
    (void)state;
    world = world_create();
    owner_login_good(world, &world->alice);
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

#define CREATE(name) "{\"name\":\"" name "\",\"brick\":\"deb\",\"owner\":\"alice\",\"drives\":[]}"

static void a_vm_is_created_shown_and_destroyed(void **state)
{
    char id[37], params[128];
    (void)state;
    assert_string_equal(ask("vm.create", CREATE("one")), "");
    snprintf(id, sizeof id, "%s", world_text(world->result, "id"));
    assert_string_equal(ask("vm.create", CREATE("one")), "ALREADY_EXISTS");
    snprintf(params, sizeof params, "{\"vm\":\"%.6s\"}", id);
    assert_string_equal(ask("vm.show", params), "");
    assert_string_equal(world_text(world->result, "owner"), "alice");
    assert_string_equal(world_text(world->result, "key"), "");
    assert_string_equal(ask("vm.show", "{\"vm\":\"one\"}"), "");
    assert_string_equal(world_text(world->result, "id"), id);
    world_await_state(world, id, VM_BOOTED);
    assert_string_equal(ask("vm.why", "{\"vm\":\"one\"}"), "");
    assert_string_equal(world_text(world->result, "state"), "booted");
    assert_int_not_equal(strlen(world_text(world->result, "waiting_for")), 0);
    assert_string_equal(ask("vm.console", "{\"vm\":\"one\"}"), "");
    assert_string_equal(ask("vm.destroy", "{\"vm\":\"one\",\"reason\":\"enough\"}"), "");
    assert_string_equal(world_text(world->result, "state"), "destroyed");
    assert_string_equal(ask("vm.destroy", "{\"vm\":\"one\",\"force\":true}"), "");
    assert_string_equal(ask("vm.history", "{\"vm\":\"one\"}"), "");
    const struct json *history = json_member(world->result, "history");
    assert_string_equal(world_text(json_at(history, 0), "to"), "requested");
    assert_string_equal(world_text(json_at(history, 0), "actor"), "uid:0");
    assert_string_equal(ask("vm.list", "{}"), "");
    assert_int_equal(json_count(json_member(world->result, "vms")), 1);
}

static void show_is(const char *word, const char *id)
{
    char params[64];
    snprintf(params, sizeof params, "{\"vm\":\"%s\"}", word);
    assert_string_equal(ask("vm.show", params), "");
    assert_string_equal(world_text(world->result, "id"), id);
}

static void a_name_is_the_living_vms(void **state)
{
    char first[37], second[37], prefix[9];
    (void)state;
    for (const char *const *name = (const char *const[]){"on", "one-more", "zero", NULL}; *name; name++) {
        char params[96];
        snprintf(params, sizeof params, "{\"name\":\"%s\",\"brick\":\"deb\",\"owner\":\"alice\"}", *name);
        assert_string_equal(ask("vm.create", params), "");
    }
    assert_string_equal(ask("vm.create", CREATE("one")), "");
    snprintf(first, sizeof first, "%s", world_text(world->result, "id"));
    assert_string_equal(ask("vm.create", CREATE("one")), "ALREADY_EXISTS");
    assert_string_equal(ask("vm.destroy", "{\"vm\":\"one\"}"), "");
    show_is("one", first);
    assert_string_equal(ask("vm.create", CREATE("one")), "");
    snprintf(second, sizeof second, "%s", world_text(world->result, "id"));
    assert_string_not_equal(first, second);
    show_is("one", second);
    show_is(first, first);
    snprintf(prefix, sizeof prefix, "%.8s", first);
    show_is(prefix, first);
    assert_string_equal(ask("vm.show", "{\"vm\":\"00000000-0000-0000-0000-000000000000\"}"), "NOT_FOUND");
}

static void what_is_wrong_is_named_and_changes_nothing(void **state)
{
    (void)state;
    assert_string_equal(ask("vm.show", "{}"), "BAD_PARAMETER");
    assert_int_equal(world->code, -32602);
    assert_string_equal(world->detail, "vm");
    assert_string_equal(ask("vm.show", "{\"vm\":\"nothing\"}"), "NOT_FOUND");
    assert_string_equal(ask("vm.create", "{\"name\":\"x\",\"brick\":\"deb\"}"), "BAD_PARAMETER");
    assert_string_equal(ask("vm.create", "{\"name\":\"x\",\"brick\":\"deb\",\"owner\":\"nobody\"}"),
                        "NOT_FOUND");
    assert_string_equal(ask("vm.create", "{\"name\":\"x\",\"brick\":\"none\",\"owner\":\"alice\"}"),
                        "NOT_FOUND");
    assert_string_equal(
        ask("vm.create", "{\"name\":\"x\",\"brick\":\"deb\",\"owner\":\"alice\",\"drives\":[{\"drive\":\"d\","
                         "\"mode\":\"both\"}]}"),
        "BAD_PARAMETER");
    assert_string_equal(ask("no.such", "{}"), "");
    assert_int_equal(world->code, -32601);
    assert_int_equal(world->core.vms.count, 0);
}

static void bricks_are_kept_with_their_hash(void **state)
{
    (void)state;
    assert_string_equal(ask("brick.show", "{\"name\":\"deb\"}"), "");
    assert_int_equal(strlen(world_text(world->result, "hash")), 64);
    assert_string_equal(ask("brick.verify", "{\"name\":\"deb\"}"), "");
    assert_true(json_bool(json_member(world->result, "good")));
    assert_string_equal(ask("brick.add", "{\"name\":\"deb\",\"image\":\"a\",\"vcpus\":1,\"memory_mib\":512}"),
                        "ALREADY_EXISTS");
    assert_string_equal(
        ask("brick.add", "{\"name\":\"b2\",\"image\":\"../a\",\"vcpus\":1,\"memory_mib\":512}"),
        "BAD_PARAMETER");
    assert_string_equal(world->detail, "image");
    assert_string_equal(ask("brick.add", "{\"name\":\"b2\",\"image\":\"a\",\"vcpus\":0,\"memory_mib\":512}"),
                        "BAD_PARAMETER");
    assert_string_equal(ask("brick.add", "{\"name\":\"b2\",\"image\":\"a\",\"vcpus\":1,\"memory_mib\":512,"
                                         "\"deadlines_s\":{\"boted\":5}}"),
                        "BAD_PARAMETER");
    assert_string_equal(ask("brick.add", "{\"name\":\"b2\",\"image\":\"a\",\"vcpus\":1,\"memory_mib\":512,"
                                         "\"deadlines_s\":{\"booted\":5}}"),
                        "");
    assert_string_equal(world_text(json_member(world->result, "deadlines_s"), "booted"), "5");
    assert_string_equal(ask("vm.create", CREATE("one")), "");
    assert_string_equal(ask("brick.remove", "{\"name\":\"deb\"}"), "BRICK_IN_USE");
    assert_string_equal(ask("brick.remove", "{\"name\":\"b2\"}"), "");
    assert_string_equal(ask("brick.remove", "{\"name\":\"b2\"}"), "NOT_FOUND");
    assert_string_equal(ask("brick.list", "{}"), "");
    assert_int_equal(json_count(json_member(world->result, "bricks")), 1);
}

static void users_are_keys(void **state)
{
    (void)state;
    assert_string_equal(ask("user.list", "{}"), "");
    assert_int_equal(json_count(json_member(world->result, "users")), 2);
    assert_string_equal(ask("user.add", "{\"name\":\"eve\",\"role\":\"owner\",\"public_key\":\"AAAA\"}"),
                        "BAD_PARAMETER");
    assert_string_equal(world->detail, "public_key");
    assert_string_equal(ask("user.add", "{\"name\":\"eve\",\"role\":\"king\",\"public_key\":\"AAAA\"}"),
                        "BAD_PARAMETER");
    assert_string_equal(world->detail, "role");
    assert_string_equal(ask("user.remove", "{\"name\":\"eve\"}"), "NOT_FOUND");
    assert_string_equal(ask("user.remove", "{\"name\":\"bob\"}"), "");
    person_add(world, &world->bob, "bob", "admin");
}

static void the_audit_and_the_daemon_answer(void **state)
{
    (void)state;
    assert_string_equal(ask("audit.list", "{}"), "");
    assert_true(json_count(json_member(world->result, "entries")) >= 3);
    assert_string_equal(ask("audit.verify", "{}"), "");
    assert_true(json_bool(json_member(world->result, "good")));
    assert_string_equal(ask("daemon.status", "{}"), "");
    assert_string_equal(world_text(world->result, "edge"), "up");
    assert_string_equal(ask("drive.list", "{}"), "");
    assert_string_equal(ask("drive.remove", "{\"drive\":\"11111111-1111-4111-8111-111111111111\"}"),
                        "NOT_FOUND");
}

/* Leaves when the loop was to be looked at next. */
static void take_long(void *arg)
{
    int64_t until_ms = loop_monotonic_ms() + STALL_MS;
    while (loop_monotonic_ms() < until_ms)
        continue;
    *(int64_t *)arg = world->core.stall_due_ms;
}

/* Wherever in between two looks at the loop it begins. */
static void a_loop_that_stalls_is_counted(void **state)
{
    int64_t before = 0, now = 0;
    (void)state;
    for (int i = 0; i < 6; i++) {
        int64_t due_ms = 0, begin_ms = loop_monotonic_ms() + i * 17;
        while (loop_monotonic_ms() < begin_ms)
            loop_step(world->core.loop, false);
        assert_int_equal(loop_post(world->core.loop, take_long, &due_ms), 0);
        while (!due_ms || world->core.stall_due_ms == due_ms)
            loop_step(world->core.loop, true);
        assert_string_equal(ask("daemon.status", "{}"), "");
        assert_int_equal(json_int(json_member(world->result, "stalls"), &now), 0);
        assert_true(now > before);
        before = now;
    }
}

static void lists_come_in_pages_that_miss_nothing(void **state)
{
    char params[128], next[64] = "";
    size_t pages = 0, vms = 0;
    (void)state;
    for (int i = 0; i < 80; i++) {
        snprintf(params, sizeof params,
                 "{\"name\":\"vm-%d\",\"brick\":\"deb\",\"owner\":\"alice\",\"drives\":[]}", i);
        assert_string_equal(ask("vm.create", params), "");
    }
    do {
        snprintf(params, sizeof params, next[0] ? "{\"after\":\"%s\"}" : "{}", next);
        assert_string_equal(ask("vm.list", params), "");
        assert_true(strlen(world->text) < RPC_MESSAGE_MAX);
        vms += json_count(json_member(world->result, "vms"));
        snprintf(next, sizeof next, "%s", world_text(world->result, "next"));
        pages++;
    } while (next[0]);
    assert_int_equal(vms, 80);
    assert_true(pages > 1);
}

/* ---- watching ---- */

static int64_t next_seq(void)
{
    struct json *event = world_notice(world, "vm.event");
    int64_t seq = 0;
    json_int(json_member(event, "seq"), &seq);
    json_destroy(event);
    return seq;
}

static void changes_come_in_order_and_none_is_missing(void **state)
{
    char id[37];
    int64_t last = 0;
    (void)state;
    assert_string_equal(ask("vm.watch", "{}"), "");
    assert_string_equal(ask("vm.watch", "{}"), "CONFLICT");
    owner_make_vm(world, &world->alice, "one", "[]", id);
    owner_make_vm(world, &world->alice, "two", "[]", id);
    world_await_state(world, id, VM_BOOTED);
    while (last < (int64_t)core_last_seq(&world->core)) {
        int64_t seq = next_seq();
        assert_int_equal(seq, last + 1);
        last = seq;
    }
}

static void a_watcher_that_was_away_misses_nothing(void **state)
{
    char id[37];
    (void)state;
    owner_make_vm(world, &world->alice, "one", "[]", id);
    world_await_state(world, id, VM_BOOTED);
    assert_string_equal(ask("vm.watch", "{\"since\":1}"), "");
    int64_t last = (int64_t)core_last_seq(&world->core);
    for (int64_t seq = 2; seq <= last; seq++)
        assert_int_equal(next_seq(), seq);
    assert_string_equal(ask("vm.destroy", "{\"vm\":\"one\"}"), "");
    assert_int_equal(next_seq(), last + 1);
}

static void the_future_cannot_be_watched(void **state)
{
    (void)state;
    assert_string_equal(ask("vm.watch", "{\"since\":999999}"), "BAD_PARAMETER");
    assert_string_equal(ask("vm.watch", "{\"vm\":\"nothing\"}"), "NOT_FOUND");
}

/* ---- who may ---- */

/* In a child process of another user: asks one thing and returns what came, in OUT. */
static void ask_as_stranger(const char *socket_name, const char *request, char *out, size_t size)
{
    int ends[2], status;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char answer[4096];
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        snprintf(address.sun_path, sizeof address.sun_path, "%s/run/%s", world->folder, socket_name);
        if (setuid(65534) == 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
            write(fd, request, strlen(request)) > 0) {
            ssize_t got = read(fd, answer, sizeof answer);
            if (got > 0 && write(ends[1], answer, (size_t)got) < 0)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    ssize_t got;
    while ((got = read(ends[0], out, size - 1)) < 0)
        loop_step(world->core.loop, false);
    out[got] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
}

static void strangers_read_and_change_nothing(void **state)
{
    char path[128], out[4096];
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(world->folder, 0755), 0);
    snprintf(path, sizeof path, "%s/run/control.sock", world->folder);
    assert_int_equal(chmod(path, 0666), 0);
    ask_as_stranger(
        "control.sock",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"user.remove\",\"params\":{\"name\":\"bob\"}}\n", out,
        sizeof out);
    assert_non_null(strstr(out, "NOT_ALLOWED"));
    assert_non_null(user_find(&world->core, "bob"));
    ask_as_stranger(
        "control.sock",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"store.backup\",\"params\":{\"path\":\"/tmp/x\"}}\n", out,
        sizeof out);
    assert_non_null(strstr(out, "NOT_ALLOWED"));
    ask_as_stranger("control.sock", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.status\"}\n", out,
                    sizeof out);
    assert_non_null(strstr(out, "\"edge\":\"up\""));
    ask_as_stranger("edge.sock", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"edge.hello\"}\n", out,
                    sizeof out);
    assert_string_equal(out, "");
    assert_true(world->core.edge_up);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

static void who_is_removed_loses_what_is_open(void **state)
{
    char id[37], params[160];
    (void)state;
    owner_login_good(world, &world->bob);
    owner_make_vm(world, &world->bob, "bobs", "[]", id);
    snprintf(params, sizeof params, "{\"token\":\"%s\",\"subscription\":9}", world->bob.token);
    assert_string_equal(world_call(world, world->edge, "owner.events", params), "");
    assert_string_equal(ask("user.remove", "{\"name\":\"bob\"}"), "");
    struct json *closed = world_notice(world, "events.close");
    json_destroy(closed);
    closed = world_notice(world, "relay.close");
    assert_string_equal(world_text(closed, "vm"), id);
    assert_string_equal(world_text(closed, "kind"), "all");
    json_destroy(closed);
    owner_ask(world, &world->bob, "GET", "/v1/me", NULL);
    assert_int_equal(world->status, 401);
}

struct heard {
    uint64_t seq, count;
};

static void hear(void *arg, const char *params)
{
    struct heard *heard = arg;
    struct json *tree;
    assert_int_equal(json_parse(params, strlen(params), NULL, &tree), 0);
    struct json_reader reader = json_reader_init(tree);
    assert_int_equal(json_read_int(&reader, "seq", 1, INT64_MAX), ++heard->seq);
    heard->count++;
    json_destroy(tree);
}

/* At once it would be more than a carrier lets wait, so that no reader could ever catch up. */
static void a_long_history_is_told_in_pieces_and_in_order(void **state)
{
    enum { CHANGES = 1000 };
    const struct events_filter all = {.all = true};
    struct events_reader *reader;
    struct heard heard = {0};
    uint8_t uuid[VM_UUID_LEN];
    uint64_t seq;
    (void)state;
    assert_string_equal(ask("vm.create", CREATE("long")), "");
    assert_int_equal(core_uuid_parse(world_text(world->result, "id"), uuid), 0);
    for (int i = 0; i < CHANGES; i++)
        assert_int_equal(machine_post_kind(&world->core, uuid, VM_ON_DESTROY_ASKED), 0);
    world_settle(world);
    assert_int_equal(events_reader_add(world->verbs->events, &all, hear, &heard, &reader, &seq), 0);
    assert_int_equal(events_reader_replay(reader, 0), 0);
    assert_in_range(heard.count, 1, CHANGES / 2);
    assert_int_equal(machine_post_kind(&world->core, uuid, VM_ON_DESTROY_ASKED), 0);
    while (heard.seq < seq + 1)
        loop_step(world->core.loop, true);
    assert_int_equal(heard.seq, core_last_seq(&world->core));
    events_reader_remove(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_vm_is_created_shown_and_destroyed),
        TEST(a_name_is_the_living_vms),
        TEST(what_is_wrong_is_named_and_changes_nothing),
        TEST(bricks_are_kept_with_their_hash),
        TEST(users_are_keys),
        TEST(who_is_removed_loses_what_is_open),
        TEST(the_audit_and_the_daemon_answer),
        TEST(a_loop_that_stalls_is_counted),
        TEST(lists_come_in_pages_that_miss_nothing),
        TEST(changes_come_in_order_and_none_is_missing),
        TEST(a_watcher_that_was_away_misses_nothing),
        TEST(a_long_history_is_told_in_pieces_and_in_order),
        TEST(the_future_cannot_be_watched),
        TEST(strangers_read_and_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
