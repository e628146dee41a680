/*
 * Guests' links: a whole life over one, and what an edge might do to its records.
 */
#include <signal.h>
#include <sys/resource.h>

#include "src/core/guest_link.h"
#include "tests/unit/core_verbs_guest.h"

static struct world *world;
static struct guest_end guest;

static int open_world(void **state)
{
    (void)state;
    world = world_create();
    owner_login_good(world, &world->alice);
    guest_make(world, "vm", "[]", &guest);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    guest_finish(&guest);
    world_destroy(world);
    return 0;
}

static void await_link(bool up)
{
    while (guest_vm(world, &guest)->link_up != up)
        loop_step(world->core.loop, true);
}

/* Opens the VM's link and takes what every VM is told first. */
static void open_good_link(uint64_t number)
{
    guest_open_link(world, &guest, number);
    guest_say(world, &guest, "guest.state", "{\"state\":\"waiting\",\"story\":\"\"}");
    await_link(true);
}

static void say_paired(void)
{
    char params[64];
    snprintf(params, sizeof params, "{\"channel\":1,\"assignment\":%llu}",
             (unsigned long long)guest_vm(world, &guest)->assignment_number);
    guest_say(world, &guest, "guest.paired", params);
}

/* Hears until METHOD comes. */
static struct json *hear(const char *method)
{
    for (;;) {
        struct json *message = guest_hear(world, &guest);
        if (strcmp(world_text(message, "method"), method) == 0)
            return message;
        json_destroy(message);
    }
}

static void a_life_over_the_link(void **state)
{
    (void)state;
    open_good_link(1);
    struct json *assign = hear("host.assign");
    assert_non_null(json_member(json_member(assign, "params"), "binding"));
    json_destroy(assign);
    say_paired();
    world_await_state(world, guest.id, VM_DRIVES_ATTACHED);
    assert_int_equal(guest_vm(world, &guest)->channels, 1);
    struct json *drives = hear("host.drives");
    assert_true(json_bool(json_member(json_member(drives, "params"), "complete")));
    json_destroy(drives);
    guest_say(world, &guest, "guest.ready", "{}");
    world_await_state(world, guest.id, VM_READY);
    guest_say(world, &guest, "guest.unpaired", "{\"channel\":1}");
    while (guest_vm(world, &guest)->channels != 0)
        loop_step(world->core.loop, true);
    assert_int_equal(guest_vm(world, &guest)->head.state, VM_READY);
}

static void a_record_that_was_changed_closes_the_link(void **state)
{
    uint8_t record[2048];
    (void)state;
    open_good_link(1);
    size_t len = guest_seal(&guest, "guest.ready", "{}", record, sizeof record);
    record[len - 1] ^= 1;
    guest_send(world, &guest, record, len);
    guest_await_close(world, 1);
    await_link(false);
    assert_int_equal(guest_vm(world, &guest)->head.state, VM_REGISTERED);
}

static void a_record_that_comes_again_closes_the_link(void **state)
{
    uint8_t record[2048];
    (void)state;
    open_good_link(1);
    size_t len = guest_seal(&guest, "guest.heartbeat", "{}", record, sizeof record);
    guest_send(world, &guest, record, len);
    guest_send(world, &guest, record, len);
    guest_await_close(world, 1);
}

static void records_out_of_order_close_the_link(void **state)
{
    uint8_t first[2048], second[2048];
    (void)state;
    open_good_link(1);
    guest_seal(&guest, "guest.heartbeat", "{}", first, sizeof first);
    size_t len = guest_seal(&guest, "guest.heartbeat", "{}", second, sizeof second);
    guest_send(world, &guest, second, len);
    guest_await_close(world, 1);
}

static void the_hosts_records_cannot_be_sent_back(void **state)
{
    uint8_t record[8192];
    (void)state;
    open_good_link(1);
    size_t len = guest_receive(world, &guest, record, sizeof record);
    guest_send(world, &guest, record, len);
    guest_await_close(world, 1);
}

static void a_link_without_the_secret_is_never_the_vms(void **state)
{
    struct guest_end forger = guest;
    (void)state;
    open_good_link(1);
    memset(forger.secret, 0, sizeof forger.secret);
    guest_open_link(world, &forger, 2);
    guest_say(world, &forger, "guest.failure", "{\"code\":\"NO_ROOT\",\"detail\":\"\"}");
    guest_await_close(world, 2);
    assert_true(guest_vm(world, &guest)->link_up);
    assert_int_equal(guest_vm(world, &guest)->head.state, VM_REGISTERED);
    say_paired();
    world_await_state(world, guest.id, VM_DRIVES_ATTACHED);
}

static void records_of_an_earlier_link_do_not_serve_again(void **state)
{
    uint8_t record[2048];
    struct guest_end earlier;
    (void)state;
    guest_open_link(world, &guest, 1);
    size_t len = guest_seal(&guest, "guest.failure", "{\"code\":\"NO_ROOT\"}", record, sizeof record);
    earlier = guest;
    world_notify(world, "link.close", "{\"link\":1}");
    guest_open_link(world, &earlier, 2);
    guest_send(world, &earlier, record, len);
    guest_await_close(world, 2);
    assert_int_equal(guest_vm(world, &guest)->head.state, VM_REGISTERED);
}

static void only_the_newest_proved_link_counts(void **state)
{
    struct guest_end newer = guest;
    (void)state;
    open_good_link(1);
    guest_open_link(world, &newer, 2);
    assert_true(guest_vm(world, &guest)->link_up);
    guest_say(world, &newer, "guest.state", "{\"state\":\"waiting\"}");
    guest_await_close(world, 1);
    assert_true(guest_vm(world, &guest)->link_up);
    guest_say(world, &newer, "guest.failure", "{\"code\":\"PORT_22_TAKEN\",\"detail\":\"sshd pid 412\"}");
    world_await_state(world, guest.id, VM_DESTROYED);
    assert_int_equal(guest_vm(world, &guest)->code, CODE_PORT_22_TAKEN);
    assert_string_equal(guest_vm(world, &guest)->detail, "sshd pid 412");
}

static void what_cannot_be_now_is_an_offence(void **state)
{
    (void)state;
    open_good_link(1);
    guest_say(world, &guest, "guest.ready", "{}");
    guest_await_close(world, 1);
    assert_int_equal(guest_vm(world, &guest)->head.state, VM_REGISTERED);
}

static void another_assignment_is_an_offence(void **state)
{
    (void)state;
    open_good_link(1);
    guest_say(world, &guest, "guest.paired", "{\"channel\":1,\"assignment\":99}");
    guest_await_close(world, 1);
    assert_int_equal(guest_vm(world, &guest)->channels, 0);
}

static bool owner_shown(void)
{
    char params[64];
    snprintf(params, sizeof params, "{\"vm\":\"%s\"}", guest.id);
    assert_string_equal(world_call(world, world->control, "vm.show", params), "");
    return json_bool(json_member(world->result, "owner_connected"));
}

static void channels_that_ended_unseen_are_settled(void **state)
{
    (void)state;
    open_good_link(1);
    say_paired();
    world_await_state(world, guest.id, VM_DRIVES_ATTACHED);
    guest_say(world, &guest, "guest.ready", "{}");
    world_await_state(world, guest.id, VM_READY);
    assert_true(owner_shown());
    world_notify(world, "link.close", "{\"link\":1}");
    await_link(false);
    assert_int_equal(guest_vm(world, &guest)->channels, 1);
    assert_false(owner_shown());
    open_good_link(2);
    guest_say(world, &guest, "guest.heartbeat", "{\"load\":0,\"memory_free_kib\":1}");
    while (guest_vm(world, &guest)->channels != 0)
        loop_step(world->core.loop, true);
}

static void an_unknown_link_is_closed(void **state)
{
    (void)state;
    world_notify(world, "link.data", "{\"link\":77,\"data\":\"AAAA\"}");
    guest_await_close(world, 77);
    world_notify(world, "link.open", "{\"link\":78,\"uuid\":\"11111111-1111-4111-8111-111111111111\"}");
    guest_await_close(world, 78);
}

static const char *waited_for(char *words, size_t size)
{
    return core_vm_waiting_for(&world->core, core_vm(&world->core, guest.uuid), words, size);
}

static void the_edge_goes_and_links_with_it(void **state)
{
    char words[160];
    (void)state;
    open_good_link(1);
    assert_string_equal(waited_for(words, sizeof words),
                        vm_machine.states[guest_vm(world, &guest)->head.state]->story);
    rpc_client_close(world->edge);
    await_link(false);
    assert_string_equal(waited_for(words, sizeof words), "the guest's link, which is down");
    assert_false(world->core.edge_up);
    world_connect(world, "edge.sock", &world->edge);
    assert_string_equal(world_call(world, world->edge, "guest.token", "{}"), "");
    assert_int_equal(world->code, CODE_CONFLICT);
    world_hello(world, "[]");
    open_good_link(1);
}

/* ---- bridges ---- */

static void redeem(struct json_writer *params, const char *ticket)
{
    *params = json_writer_init(0);
    json_write_object_begin(params, NULL);
    json_write_text(params, "ticket", ticket);
    json_write_object_end(params);
}

static void a_bridge_from_ticket_to_end(void **state)
{
    char path[128], relay[128], id[37];
    struct json_writer params;
    (void)state;
    snprintf(path, sizeof path, "/v1/vms/%s/bridge", guest.id);
    assert_string_equal(owner_ask(world, &world->alice, "POST", path, "{}"), "CONFLICT");
    open_good_link(1);
    say_paired();
    world_await_state(world, guest.id, VM_DRIVES_ATTACHED);
    guest_say(world, &guest, "guest.ready", "{}");
    world_await_state(world, guest.id, VM_READY);
    assert_string_equal(owner_ask(world, &world->alice, "POST", path, "{}"), "");
    redeem(&params, world_text(world->body, "ticket"));
    assert_string_equal(world_call(world, world->edge, "bridge.redeem", params.text), "");
    assert_string_equal(world_text(world->result, "port"), "22");
    snprintf(id, sizeof id, "%s", world_text(world->result, "vm"));
    snprintf(relay, sizeof relay, "{\"relay\":%s,\"vm\":\"%s\",\"kind\":\"bridge\"}",
             world_text(world->result, "bridge"), id);
    assert_string_equal(world_call(world, world->edge, "bridge.redeem", params.text), "TICKET_WRONG");
    json_writer_finish(&params);
    /* a relay that nobody was allowed is no bridge */
    world_notify(world, "relay.opened",
                 "{\"relay\":900,\"vm\":\"11111111-1111-4111-8111-111111111111\",\"kind\":"
                 "\"bridge\"}");
    world_notify(world, "relay.opened", relay);
    world_await_state(world, guest.id, VM_SSH_PROXIED);
    world_notify(world, "relay.closed", relay);
    world_await_state(world, guest.id, VM_READY);
}

/* RELAYS is what the edge says that it has. */
static void open_bridge(char *relays, size_t size)
{
    open_good_link(1);
    say_paired();
    world_await_state(world, guest.id, VM_DRIVES_ATTACHED);
    guest_say(world, &guest, "guest.ready", "{}");
    world_await_state(world, guest.id, VM_READY);
    snprintf(relays, size, "[{\"relay\":7,\"vm\":\"%s\",\"kind\":\"bridge\"}]", guest.id);
    world_hello(world, relays);
    world_await_state(world, guest.id, VM_SSH_PROXIED);
}

static void an_edge_that_comes_back_tells_its_bridges(void **state)
{
    char relays[128];
    (void)state;
    open_bridge(relays, sizeof relays);
    world_hello(world, "[]");
    world_await_state(world, guest.id, VM_READY);
}

static void an_edge_that_lied_leaves_numbers_for_the_next(void **state)
{
    char relays[128], path[128];
    struct json_writer params;
    int64_t number;
    (void)state;
    open_bridge(relays, sizeof relays);
    snprintf(relays, sizeof relays, "[{\"relay\":%lld,\"vm\":\"%s\",\"kind\":\"bridge\"}]",
             (long long)INT64_MAX, guest.id);
    world_hello(world, relays);
    world_hello(world, "[]");
    world_await_state(world, guest.id, VM_READY);
    snprintf(path, sizeof path, "/v1/vms/%s/bridge", guest.id);
    assert_string_equal(owner_ask(world, &world->alice, "POST", path, "{}"), "");
    redeem(&params, world_text(world->body, "ticket"));
    assert_string_equal(world_call(world, world->edge, "bridge.redeem", params.text), "");
    json_writer_finish(&params);
    assert_int_equal(json_int(json_member(world->result, "bridge"), &number), 0);
    assert_true(number > 0);
}

static void an_edge_that_stays_away_has_no_bridges(void **state)
{
    char relays[128];
    (void)state;
    open_bridge(relays, sizeof relays);
    rpc_client_close(world->edge);
    world_await_state(world, guest.id, VM_READY);
    /* If it lives after all, it says so. */
    world_connect(world, "edge.sock", &world->edge);
    world_hello(world, relays);
    world_await_state(world, guest.id, VM_SSH_PROXIED);
    /* Nor has one that never comes to a kilnd that was started again. */
    world_stop(world);
    world_start(world);
    assert_int_equal(guest_vm(world, &guest)->head.state, VM_SSH_PROXIED);
    world_await_state(world, guest.id, VM_READY);
}

static void the_end_of_a_vm_ends_its_link_and_relays(void **state)
{
    char params[64];
    (void)state;
    open_good_link(1);
    snprintf(params, sizeof params, "{\"vm\":\"%s\"}", guest.id);
    assert_string_equal(world_call(world, world->control, "vm.destroy", params), "");
    json_destroy(hear("host.shutdown"));
    guest_await_close(world, 1);
    json_destroy(world_notice(world, "relay.close"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

static void write_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A guest may fill the disk itself, and must not fill the memory then. */
static void a_disk_that_refuses_bounds_what_a_guest_reports(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    open_good_link(1);
    world_settle(world);
    write_limit(64 * 1024);
    for (int i = 0; i < 2 * GUEST_EVENTS_OWED_MAX; i++)
        guest_say(world, &guest, "guest.state", "{\"state\":\"waiting\",\"story\":\"\"}");
    guest_await_close(world, 1);
    while (!store_error(world->core.store))
        loop_step(world->core.loop, true);
    guest.link = 2;
    char params[128];
    snprintf(params, sizeof params, "{\"link\":2,\"uuid\":\"%s\"}", guest.id);
    world_notify(world, "link.open", params);
    guest_await_close(world, 2);
    write_limit(RLIM_INFINITY);
    while (store_error(world->core.store))
        loop_step(world->core.loop, true);
    await_link(false);
    open_good_link(3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_life_over_the_link),
        TEST(a_record_that_was_changed_closes_the_link),
        TEST(a_record_that_comes_again_closes_the_link),
        TEST(records_out_of_order_close_the_link),
        TEST(the_hosts_records_cannot_be_sent_back),
        TEST(a_link_without_the_secret_is_never_the_vms),
        TEST(records_of_an_earlier_link_do_not_serve_again),
        TEST(only_the_newest_proved_link_counts),
        TEST(what_cannot_be_now_is_an_offence),
        TEST(another_assignment_is_an_offence),
        TEST(channels_that_ended_unseen_are_settled),
        TEST(an_unknown_link_is_closed),
        TEST(the_edge_goes_and_links_with_it),
        TEST(a_bridge_from_ticket_to_end),
        TEST(an_edge_that_comes_back_tells_its_bridges),
        TEST(an_edge_that_lied_leaves_numbers_for_the_next),
        TEST(an_edge_that_stays_away_has_no_bridges),
        TEST(the_end_of_a_vm_ends_its_link_and_relays),
        TEST(a_disk_that_refuses_bounds_what_a_guest_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
