/*
 * kilnd's start: what is answered while the store is read and its records are loaded, and what waits.
 */
#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "protocol/wire.h"
#include "src/core/machine.h"
#include "src/core/record.h"
#include "src/io/log.h"
#include "tests/unit/core_number.h"
#include "tests/unit/core_verbs_owner.h"

enum { MANY = 6000, LINKS_MAX = 64, WAIT_MAX = 48 };

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

/* ---- records of an earlier kilnd ---- */

static bool late; /* whether they are long past their deadline */

/* Booted, in the place of number PLACE. */
static void record_put(struct store_batch *batch, unsigned number, unsigned place)
{
    struct vm vm = {.head = {.state = VM_BOOTED, .entered_at_ms = 1, .deadline_at_ms = late ? 2 : 0},
                    .brick = "deb",
                    .boot_number = 1,
                    .boots_max = 2};
    uint8_t *bytes, key[8];
    size_t len_bytes;
    wire_put_u64(key, place);
    uuid_make(number, vm.uuid);
    snprintf(vm.name, sizeof vm.name, "kept-%u", number);
    assert_int_equal(record_vm_encode(&vm, 1, &bytes, &len_bytes), 0);
    store_put(batch, STORE_VMS, key, sizeof key, bytes, len_bytes);
    free(bytes);
}

/* Puts COUNT of them into the store behind the core's back; in the place of number WRONG (0: none) another's.
 */
static void records_keep(unsigned count, unsigned wrong)
{
    struct store_batch *batch;
    assert_int_equal(store_batch_create(world->core.store, &batch), 0);
    for (unsigned number = 1; number <= count; number++)
        record_put(batch, number == wrong ? 1 : number, number);
    assert_int_equal(store_commit(batch, NULL, NULL), 0);
}

static const struct vm_slot *slot_of(unsigned number)
{
    uint8_t uuid[VM_UUID_LEN];
    uuid_make(number, uuid);
    return core_vm(&world->core, uuid);
}

/* ---- what is answered ---- */

static const char *status_store(void)
{
    assert_string_equal(world_call(world, world->control, "daemon.status", "{}"), "");
    return world_text(world->result, "store");
}

struct waiter {
    bool answered;
    size_t vms;
};

static void waiter_answered(void *arg, const struct rpc_answer *answer)
{
    struct waiter *waiter = arg;
    assert_int_equal(answer->error, 0);
    assert_int_equal(answer->code, 0);
    waiter->answered = true;
    waiter->vms = json_count(json_member(answer->result, "vms"));
}

static void call(struct rpc_client *client, const char *method, const char *params, struct waiter *waiter)
{
    while (!rpc_client_peer(client))
        loop_step(world->core.loop, true);
    assert_int_equal(rpc_call(rpc_client_peer(client), method, params, 0, waiter_answered, waiter), 0);
}

static void status_is_answered_while_all_else_waits(void **state)
{
    struct waiter list = {0}, hello = {0};
    struct rpc_client *other;
    char params[256];
    (void)state;
    records_keep(3, 0);
    world_stop(world);

    world_open(world);
    world_connect(world, "control.sock", &other);
    snprintf(params, sizeof params, "{\"version\":\"0\",\"certificate\":\"%064d\",\"relays\":[]}", 7);
    call(other, "vm.list", "{}", &list);
    call(world->edge, "edge.hello", params, &hello);
    for (int i = 0; i < 3; i++)
        assert_string_equal(status_store(), "recovering");
    assert_int_equal(json_kind(json_member(world->result, "recovering")), JSON_NULL);
    assert_int_equal(json_kind(json_member(world->result, "vms")), JSON_NULL);
    assert_string_equal(world_text(world->result, "edge"), "down");
    assert_false(list.answered || hello.answered);

    world_serve(world);
    while (!list.answered || !hello.answered)
        loop_step(world->core.loop, true);
    assert_int_equal(list.vms, 3);
    assert_string_equal(status_store(), "up");
    assert_string_equal(world_text(world->result, "edge"), "up");
    assert_string_equal(world_text(world->result, "vms"), "3");
    rpc_client_close(other);
}

static void calls_are_taken_in_their_order(void **state)
{
    struct waiter list = {0}, status = {0};
    (void)state;
    world_stop(world);
    world_open(world);
    call(world->control, "vm.list", "{}", &list);
    call(world->control, "daemon.status", "{}", &status);
    for (int i = 0; i < 8; i++)
        loop_step(world->core.loop, false);
    assert_false(list.answered || status.answered);
    world_serve(world);
    while (!status.answered)
        loop_step(world->core.loop, true);
    assert_true(list.answered);
}

static void too_many_that_wait_are_told_so(void **state)
{
    struct rpc_client *clients[WAIT_MAX];
    struct waiter lists[WAIT_MAX] = {0};
    (void)state;
    world_stop(world);
    world_open(world);
    for (int i = 0; i < WAIT_MAX; i++) {
        world_connect(world, "control.sock", &clients[i]);
        call(clients[i], "vm.list", "{}", &lists[i]);
    }
    assert_string_equal(status_store(), "recovering");
    assert_string_equal(status_store(), "recovering");
    assert_string_equal(world_call(world, world->control, "vm.list", "{}"), "UNAVAILABLE");
    assert_string_equal(status_store(), "recovering");
    world_serve(world);
    for (int i = 0; i < WAIT_MAX; i++) {
        while (!lists[i].answered)
            loop_step(world->core.loop, true);
        rpc_client_close(clients[i]);
    }
}

/* Asks and goes away, with no answer waited for. */
static void ask_and_go(const char *line)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/run/control.sock", world->folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(fd, line, strlen(line)), (ssize_t)strlen(line));
    /* Two turns and more: it is taken up, and waits. */
    for (int i = 0; i < 3; i++)
        assert_string_equal(status_store(), "recovering");
    close(fd);
}

static void what_nobody_waits_for_is_not_done(void **state)
{
    struct waiter list = {0};
    struct rpc_client *other;
    char line[160];
    (void)state;
    world_stop(world);
    world_open(world);
    for (int i = 0; i < LINKS_MAX + 6; i++) {
        snprintf(line, sizeof line,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"vm.create\",\"params\":"
                 "{\"name\":\"gone-%d\",\"brick\":\"deb\",\"owner\":\"alice\",\"drives\":[]}}\n",
                 i);
        ask_and_go(line);
    }
    world_connect(world, "control.sock", &other);
    call(other, "vm.list", "{}", &list);
    assert_string_equal(status_store(), "recovering");
    world_serve(world);
    while (!list.answered)
        loop_step(world->core.loop, true);
    assert_string_equal(status_store(), "up");
    assert_int_equal(world->core.vms.count, 0);
    rpc_client_close(other);
}

/* An edge that was started anew meanwhile: its hello is the last, and the one that counts. */
static void the_last_hello_counts(void **state)
{
    struct waiter first = {0}, second = {0};
    struct rpc_client *edge;
    char params[256];
    (void)state;
    world_stop(world);
    world_open(world);
    world_connect(world, "edge.sock", &edge);
    snprintf(params, sizeof params, "{\"version\":\"0\",\"certificate\":\"%064d\",\"relays\":[]}", 7);
    call(world->edge, "edge.hello", params, &first);
    assert_string_equal(status_store(), "recovering");
    assert_string_equal(status_store(), "recovering");
    call(edge, "edge.hello", params, &second);
    assert_string_equal(status_store(), "recovering");
    assert_string_equal(status_store(), "recovering");
    world_serve(world);
    while (!second.answered)
        loop_step(world->core.loop, true);
    assert_true(first.answered);
    assert_non_null(rpc_client_peer(edge));
    assert_string_equal(world_call(world, edge, "owner.events", "{}"), "BAD_PARAMETER");
    rpc_client_close(edge);
}

/* ---- how it is loaded ---- */

static void records_are_loaded_in_shares_of_a_turn(void **state)
{
    char error[CORE_ERROR_LEN] = "";
    size_t shares = 0, before = 0;
    int rc;
    (void)state;
    late = true;
    records_keep(MANY, 0);
    late = false;
    world_stop(world);

    world_open(world);
    assert_int_equal(store_look(world->core.store, error), 0);
    while ((rc = core_load(&world->core, error)) > 0) {
        assert_true(world->core.vms.count > before || before == 0);
        before = world->core.vms.count;
        shares++;
        /* Nobody is late before all is known. */
        loop_step(world->core.loop, false);
        assert_true(!slot_of(1) || !slot_of(1)->step);
    }
    assert_int_equal(rc, 0);
    assert_in_range(shares, 2, MANY);
    assert_int_equal(world->core.vms.count, MANY);
    assert_int_equal(world->core.users.count, 2);
    assert_int_equal(core_start(&world->core, error), 0);
    assert_int_equal(verbs_serve(world->verbs, error), 0);
    while (slot_of(1)->vm.head.state == VM_BOOTED)
        loop_step(world->core.loop, true);
    assert_int_equal(slot_of(1)->vm.head.state, VM_DESTROYED);
}

static void what_is_no_record_ends_it_in_words(void **state)
{
    char error[CORE_ERROR_LEN] = "";
    (void)state;
    records_keep(MANY, MANY / 2);
    world_stop(world);
    world_open(world);
    assert_int_equal(core_load_all(&world->core, error), -EBADMSG);
    assert_non_null(strstr(error, "the VMs in the store"));
}

/* ---- a look that is asked to end ---- */

struct look {
    struct store *store;
    int rc;
    char words[STORE_ERROR_LEN];
};

static void look_late(void *arg)
{
    struct look *look = arg;
    while (!store_job_ends(look->store))
        sched_yield();
    look->rc = store_look(look->store, look->words);
}

static void looked(void *arg)
{
    (void)arg;
}

static void a_look_ends_with_its_store(void **state)
{
    char path[160];
    struct look look = {.rc = 1};
    (void)state;
    records_keep(3, 0);
    world_stop(world);
    assert_int_equal(loop_create(&world->core.loop), 0);
    snprintf(path, sizeof path, "%s/state/store", world->folder);
    assert_int_equal(store_claim(path, world->core.loop, &look.store, look.words), 0);
    assert_int_equal(store_job(look.store, look_late, looked, &look), 0);
    store_close(look.store);
    assert_int_equal(look.rc, -ECANCELED);
    loop_destroy(world->core.loop);
    world_start(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(status_is_answered_while_all_else_waits, open_world, close_world),
        cmocka_unit_test_setup_teardown(calls_are_taken_in_their_order, open_world, close_world),
        cmocka_unit_test_setup_teardown(too_many_that_wait_are_told_so, open_world, close_world),
        cmocka_unit_test_setup_teardown(what_nobody_waits_for_is_not_done, open_world, close_world),
        cmocka_unit_test_setup_teardown(the_last_hello_counts, open_world, close_world),
        cmocka_unit_test_setup_teardown(records_are_loaded_in_shares_of_a_turn, open_world, close_world),
        cmocka_unit_test_setup_teardown(what_is_no_record_ends_it_in_words, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_look_ends_with_its_store, open_world, close_world),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
