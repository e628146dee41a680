/*
 * Relays of channels: joined, opaque, bounded, closed at both ends, alive while kilnd is away.
 */
#include "tests/unit/edge_world.h"

static void join(struct world *world, struct side *guest, struct side *owner)
{
    dial(world, guest, guest_port(world), "/v1/channel", GUEST_HEADERS);
    FIXTURE_RUN_UNTIL(&world->fixture, relays_waiting(world->edge.relays) == 1);
    dial(world, owner, owner_port(world), "/v1/vms/" VM "/channel", OWNER_HEADERS);
    assert_true(owner->open);
}

static void test_messages_pass_both_ways(void **state)
{
    (void)state;
    struct world world;
    struct side guest, owner;
    world_init(&world);
    join(&world, &guest, &owner);
    FIXTURE_RUN_UNTIL(&world.fixture, world.opened == 1);
    assert_string_equal(world.last_kind, "channel");
    assert_int_equal(ws_send(owner.ws, WS_BINARY, "hello_o", 7), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, guest.messages == 1);
    assert_string_equal(guest.last, "hello_o");
    assert_int_equal(ws_send(guest.ws, WS_BINARY, "hello_v", 7), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, owner.messages == 1);
    assert_string_equal(owner.last, "hello_v");
    assert_int_equal(relays_waiting(world.edge.relays), 0);
    hang_up(&owner);
    hang_up(&guest);
    world_finish(&world);
}

static void test_a_close_passes_on_with_its_code(void **state)
{
    (void)state;
    struct world world;
    struct side guest, owner;
    world_init(&world);
    join(&world, &guest, &owner);
    ws_close(owner.ws, 4007, "enough");
    FIXTURE_RUN_UNTIL(&world.fixture, guest.closed && world.closed == 1);
    assert_int_equal(guest.code, 4007);
    assert_string_equal(guest.reason, "enough");
    world_finish(&world);
}

static void test_a_lost_end_closes_the_other(void **state)
{
    (void)state;
    struct world world;
    struct side guest, owner;
    world_init(&world);
    join(&world, &guest, &owner);
    hang_up(&guest);
    FIXTURE_RUN_UNTIL(&world.fixture, owner.closed && world.closed == 1);
    assert_int_equal(owner.code, WS_GOING_AWAY);
    world_finish(&world);
}

static void test_without_a_waiting_channel_the_owner_is_told(void **state)
{
    (void)state;
    struct world world;
    struct side owner;
    world_init(&world);
    dial(&world, &owner, owner_port(&world), "/v1/vms/" VM "/channel", OWNER_HEADERS);
    assert_int_equal(owner.status, 409);
    assert_non_null(strstr(owner.refusal, "NO_CHANNEL"));
    dial(&world, &owner, owner_port(&world), "/v1/vms/" VM "/channel", NULL);
    assert_int_equal(owner.status, 401);
    world_finish(&world);
}

/* The slow end's sister is stopped: what waits in the edge stays bounded, and nothing is lost. */
static void test_a_slow_end_stops_its_sister(void **state)
{
    (void)state;
    struct world world;
    struct side guest, owner;
    static unsigned char piece[32768];
    const size_t count = 1000;
    world_init(&world);
    join(&world, &guest, &owner);
    ws_pause(guest.ws);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ws_send(owner.ws, WS_BINARY, piece, sizeof(piece)), 0);
    size_t before, after = ws_queued_bytes(owner.ws);
    do {
        before = after;
        for (int i = 0; i < 100; i++)
            loop_step(world.fixture.loop, false);
        after = ws_queued_bytes(owner.ws);
    } while (after != before);
    /* Of 32 MB the kernel's four socket buffers and the edge took less than half. */
    assert_true(after > count * sizeof(piece) / 2);
    ws_resume(guest.ws);
    FIXTURE_RUN_UNTIL(&world.fixture, guest.bytes == count * sizeof(piece));
    hang_up(&owner);
    hang_up(&guest);
    world_finish(&world);
}

static void test_relays_outlive_kilnd_and_are_listed_again(void **state)
{
    (void)state;
    struct world world;
    struct side guest, owner;
    world_init(&world);
    join(&world, &guest, &owner);
    world_stop_kilnd(&world);
    assert_int_equal(ws_send(owner.ws, WS_BINARY, "still", 5), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, guest.messages == 1);
    world_start_kilnd(&world);
    assert_int_equal(world.hello_relays, 1);
    assert_int_equal(ws_send(guest.ws, WS_BINARY, "here", 4), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, owner.messages == 1);
    hang_up(&owner);
    hang_up(&guest);
    world_finish(&world);
}

static void test_kilnd_can_close_them(void **state)
{
    (void)state;
    struct world world;
    struct side guest, owner;
    world_init(&world);
    join(&world, &guest, &owner);
    assert_int_equal(
        rpc_notify(rpc_link_peer(world.link), "relay.close", "{\"vm\":\"" VM "\",\"kind\":\"all\"}"), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, guest.closed && owner.closed);
    world_finish(&world);
}

static void test_a_guest_that_speaks_first_is_closed(void **state)
{
    (void)state;
    struct world world;
    struct side guest;
    world_init(&world);
    dial(&world, &guest, guest_port(&world), "/v1/channel", GUEST_HEADERS);
    assert_int_equal(ws_send(guest.ws, WS_BINARY, "x", 1), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, guest.closed);
    assert_int_equal(guest.code, WS_POLICY);
    assert_int_equal(relays_waiting(world.edge.relays), 0);
    world_finish(&world);
}

static void test_too_many_waiting_drop_the_oldest(void **state)
{
    (void)state;
    struct world world;
    struct side guests[RELAY_WAITING_PER_VM_MAX + 1];
    world_init(&world);
    for (size_t i = 0; i <= RELAY_WAITING_PER_VM_MAX; i++)
        dial(&world, &guests[i], guest_port(&world), "/v1/channel", GUEST_HEADERS);
    FIXTURE_RUN_UNTIL(&world.fixture, guests[0].closed);
    assert_int_equal(relays_waiting(world.edge.relays), RELAY_WAITING_PER_VM_MAX);
    for (size_t i = 1; i <= RELAY_WAITING_PER_VM_MAX; i++)
        hang_up(&guests[i]);
    FIXTURE_RUN_UNTIL(&world.fixture, relays_waiting(world.edge.relays) == 0);
    world_finish(&world);
}

/* Garbage on one connection leaves the others served. */
static void test_a_flood_of_garbage_hurts_only_itself(void **state)
{
    (void)state;
    struct world world;
    struct side guest, owner;
    char out[256];
    static char garbage[1048576];
    unsigned seed = 7;
    world_init(&world);
    join(&world, &guest, &owner);
    for (size_t i = 0; i < sizeof(garbage); i++)
        garbage[i] = (char)rand_r(&seed);
    const uint16_t ports[] = {owner_port(&world), guest_port(&world), bridges_port(world.edge.bridges)};
    for (size_t i = 0; i < 3; i++) {
        int fd = fixture_dial(ports[i]);
        fixture_talk(&world.fixture, fd, garbage, sizeof(garbage), NULL, out, sizeof(out));
        close(fd);
    }
    assert_int_equal(ws_send(owner.ws, WS_BINARY, "well", 4), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, guest.messages == 1);
    assert_int_equal(call(&world, owner_port(&world), "GET", "/v1/me", NULL).status, 201);
    hang_up(&owner);
    hang_up(&guest);
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_pass_both_ways),
        cmocka_unit_test(test_a_close_passes_on_with_its_code),
        cmocka_unit_test(test_a_lost_end_closes_the_other),
        cmocka_unit_test(test_without_a_waiting_channel_the_owner_is_told),
        cmocka_unit_test(test_a_slow_end_stops_its_sister),
        cmocka_unit_test(test_relays_outlive_kilnd_and_are_listed_again),
        cmocka_unit_test(test_kilnd_can_close_them),
        cmocka_unit_test(test_a_guest_that_speaks_first_is_closed),
        cmocka_unit_test(test_too_many_waiting_drop_the_oldest),
        cmocka_unit_test(test_a_flood_of_garbage_hurts_only_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
