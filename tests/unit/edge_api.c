/*
 * The edge's HTTP side with a scripted kilnd: pass-through, files, registration, links, events, and kilnd
 * away.
 */
#include "tests/unit/edge_world.h"

#include "src/io/rates.h"

static void test_an_owner_request_goes_whole_to_kilnd(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct reply reply = call(&world, owner_port(&world), "POST", "/v1/vms?x=1", "{\"name\": \"a\"}");
    assert_int_equal(reply.status, 201);
    assert_string_equal(reply.body, "{\"id\":7}");
    assert_string_equal(world.last_path, "/v1/vms?x=1");
    assert_string_equal(world.last_body, "{\"name\": \"a\"}");
    assert_string_equal(world.last_token, TOKEN);
    assert_non_null(strstr(reply.policy, "default-src 'none'"));
    world_finish(&world);
}

/* An address that showed no good session has used up what such may ask. */
static void test_strangers_are_told_to_come_again(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    while (rates_take(world.edge.strangers, "127.0.0.1", 9, loop_monotonic_ms() + 3600 * 1000) == 0)
        ;
    struct reply reply = call(&world, owner_port(&world), "GET", "/v1/vms", NULL);
    assert_int_equal(reply.status, 429);
    assert_non_null(strstr(reply.body, "LIMIT_REACHED"));
    assert_true(atoi(reply.retry_after) > 0);
    assert_int_equal(world.requests, 0);
    world_finish(&world);
}

static void test_web_files_stay_below_their_folder(void **state)
{
    (void)state;
    struct world world;
    char link[128];
    world_init(&world);
    world_write(world.web, "index.html", "<p>kiln");
    world_write(world.fixture.folder, "secret", "secret");
    snprintf(link, sizeof(link), "%s/out", world.web);
    assert_int_equal(symlink("../secret", link), 0);
    assert_string_equal(call(&world, owner_port(&world), "GET", "/", NULL).body, "<p>kiln");
    assert_int_equal(call(&world, owner_port(&world), "GET", "/out", NULL).status, 404);
    assert_int_equal(call(&world, owner_port(&world), "GET", "/../secret", NULL).status, 400);
    assert_int_equal(call(&world, owner_port(&world), "GET", "/%2e%2e/secret", NULL).status, 400);
    assert_int_equal(call(&world, owner_port(&world), "GET", "/..%2fsecret", NULL).status, 400);
    assert_int_equal(call(&world, owner_port(&world), "POST", "/index.html", NULL).status, 405);
    assert_int_equal(world.requests, 0);
    world_finish(&world);
}

static void test_a_guest_gets_release_files_and_nothing_of_the_owners(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world_write(world.release, "manifest.json", "{\"version\":1}");
    world_write(world.release, "controller-x86_64", "ELF");
    assert_string_equal(call(&world, guest_port(&world), "GET", "/v1/manifest", NULL).body,
                        "{\"version\":1}");
    assert_string_equal(call(&world, guest_port(&world), "GET", "/v1/controller/x86_64", NULL).body, "ELF");
    assert_int_equal(call(&world, guest_port(&world), "GET", "/v1/controller/x/../manifest", NULL).status,
                     400);
    assert_int_equal(call(&world, guest_port(&world), "GET", "/v1/config", NULL).status, 404);
    assert_int_equal(call(&world, guest_port(&world), "GET", "/v1/vms", NULL).status, 404);
    assert_int_equal(call(&world, guest_port(&world), "GET", "/", NULL).status, 404);
    assert_int_equal(world.requests, 0);
    world_finish(&world);
}

static void test_registration_is_rewritten_and_answered(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct reply reply =
        call(&world, guest_port(&world), "POST", "/v1/register", "{\"uuid\":\"" VM "\",\"peer\":\"forged\"}");
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "{\"settings\":\"{}\",\"proof\":\"ab\"}");
    reply = call(&world, guest_port(&world), "POST", "/v1/register", "{\"uuid\":\"other\"}");
    assert_int_equal(reply.status, 403);
    assert_non_null(strstr(reply.body, "PROOF_WRONG"));
    /* The last is as deep as a message may be, so that none could carry it to kilnd. */
    static const char *const malformed[] = {"{\"uuid\":", "[{\"uuid\":\"" VM "\"}]", "\"" VM "\"", "null",
                                            "{\"uuid\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"};
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        reply = call(&world, guest_port(&world), "POST", "/v1/register", malformed[i]);
        assert_int_equal(reply.status, 400);
        assert_non_null(strstr(reply.body, "BAD_PARAMETER"));
    }
    assert_int_equal(world.hellos, 1);
    world_finish(&world);
}

static void test_a_body_over_its_limit_is_refused(void **state)
{
    (void)state;
    struct world world;
    static char body[65538];
    world_init(&world);
    memset(body, ' ', sizeof(body) - 1);
    assert_int_equal(call(&world, owner_port(&world), "POST", "/v1/vms", body).status, 413);
    assert_int_equal(call(&world, guest_port(&world), "POST", "/v1/register", body).status, 413);
    assert_int_equal(world.requests, 0);
    world_finish(&world);
}

static void test_kilnd_away_means_503_and_back_means_hello(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world_stop_kilnd(&world);
    struct reply reply = call(&world, owner_port(&world), "GET", "/v1/me", NULL);
    assert_int_equal(reply.status, 503);
    assert_string_equal(reply.retry_after, "2");
    assert_non_null(strstr(reply.body, "UNAVAILABLE"));
    world_start_kilnd(&world);
    assert_int_equal(call(&world, owner_port(&world), "GET", "/v1/me", NULL).status, 201);
    world_finish(&world);
}

static void test_kilnd_dying_under_a_request_answers_it(void **state)
{
    (void)state;
    struct world world;
    struct reply reply = {0};
    struct http_client_request request = {.method = "GET", .host = "127.0.0.1", .target = "/v1/me"};
    world_init(&world);
    world.silent = true;
    request.port = owner_port(&world);
    assert_int_equal(
        http_client_call(world.fixture.loop, world.fixture.client_tls, &request, on_reply, &reply, NULL), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, world.requests == 1);
    world_stop_kilnd(&world);
    FIXTURE_RUN_UNTIL(&world.fixture, reply.done);
    assert_int_equal(reply.status, 503);
    /* Into nothing: the connection it came by is gone. */
    rpc_reply(world.pending, NULL);
    world_finish(&world);
}

static void notify(struct world *world, const char *method, const char *key, uint64_t number,
                   const char *data)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_int(&params, key, (int64_t)number);
    if (data != NULL)
        json_write_text(&params, "data", data);
    json_write_object_end(&params);
    assert_int_equal(rpc_notify(rpc_link_peer(world->link), method, params.text), 0);
    json_writer_finish(&params);
}

static void test_a_link_carries_records_both_ways(void **state)
{
    (void)state;
    struct world world;
    struct side guest;
    world_init(&world);
    dial(&world, &guest, guest_port(&world), "/v1/link", GUEST_HEADERS);
    assert_true(guest.open);
    FIXTURE_RUN_UNTIL(&world.fixture, world.links_opened == 1);
    assert_int_equal(ws_send(guest.ws, WS_BINARY, "record", 6), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, strcmp(world.last_data, "record") == 0);
    notify(&world, "link.data", "link", world.last_link, "YW5zd2Vy");
    FIXTURE_RUN_UNTIL(&world.fixture, guest.messages == 1);
    assert_string_equal(guest.last, "answer");
    notify(&world, "link.close", "link", world.last_link, NULL);
    FIXTURE_RUN_UNTIL(&world.fixture, guest.closed);
    world_finish(&world);
}

static void test_a_link_needs_a_good_token(void **state)
{
    (void)state;
    struct world world;
    struct side guest;
    world_init(&world);
    dial(&world, &guest, guest_port(&world), "/v1/link", "Kiln-VM: " VM "\r\nAuthorization: Bearer bad\r\n");
    assert_false(guest.open);
    assert_int_equal(guest.status, 403);
    assert_non_null(strstr(guest.refusal, "PROOF_WRONG"));
    dial(&world, &guest, guest_port(&world), "/v1/link", "Kiln-VM: x\r\n");
    assert_int_equal(guest.status, 400);
    assert_int_equal(world.links_opened, 0);
    world_finish(&world);
}

/* Neither registrations nor guesses of a token reach kilnd as fast as a guest likes. */
static void test_a_guest_that_asks_too_often_is_told_to_come_again(void **state)
{
    (void)state;
    struct world world;
    struct side guest;
    const char *bad = "Kiln-VM: " VM "\r\nAuthorization: Bearer bad\r\n";
    world_init(&world);
    while (rates_take(world.edge.guests, "127.0.0.1", 9, loop_monotonic_ms() + 3600 * 1000) == 0)
        ;
    struct reply reply = call(&world, guest_port(&world), "POST", "/v1/register", "{}");
    assert_int_equal(reply.status, 429);
    assert_non_null(strstr(reply.body, "LIMIT_REACHED"));
    assert_true(atoi(reply.retry_after) > 0);
    assert_int_equal(call(&world, guest_port(&world), "GET", "/v1/manifest", NULL).status, 429);
    dial(&world, &guest, guest_port(&world), "/v1/link", bad);
    assert_int_equal(guest.status, 429);
    world_finish(&world);
}

/* Each link that comes and goes stands in the audit. */
static void test_a_guest_that_links_too_often_is_told_to_come_again(void **state)
{
    (void)state;
    struct world world;
    struct side guest;
    world_init(&world);
    while (rates_take(world.edge.relinks, "127.0.0.1", 9, loop_monotonic_ms() + 3600 * 1000) == 0)
        ;
    dial(&world, &guest, guest_port(&world), "/v1/link", GUEST_HEADERS);
    assert_int_equal(guest.status, 429);
    assert_int_equal(world.links_opened, 0);
    dial(&world, &guest, guest_port(&world), "/v1/channel", GUEST_HEADERS);
    assert_true(guest.open);
    world_finish(&world);
}

static void test_good_tokens_are_not_counted_and_bad_ones_are(void **state)
{
    const struct rates_config few = {.per_second = 1, .burst = 3, .keys_max = 4};
    (void)state;
    struct world world;
    struct side guest;
    world_init(&world);
    rates_destroy(world.edge.guests);
    assert_int_equal(rates_create(&few, &world.edge.guests), 0);
    for (int i = 0; i < 8; i++) {
        dial(&world, &guest, guest_port(&world), "/v1/link", GUEST_HEADERS);
        assert_true(guest.open);
        hang_up(&guest);
    }
    for (guest.status = 403; guest.status == 403;)
        dial(&world, &guest, guest_port(&world), "/v1/link",
             "Kiln-VM: " VM "\r\nAuthorization: Bearer bad\r\n");
    assert_int_equal(guest.status, 429);
    world_finish(&world);
}

/* A flood of records waits in the guest, and does not reach kilnd faster than the limit lets it. */
static void test_a_flooding_guest_waits(void **state)
{
    (void)state;
    struct world world;
    struct side guest;
    world_init(&world);
    dial(&world, &guest, guest_port(&world), "/v1/link", GUEST_HEADERS);
    int64_t start = loop_monotonic_ms();
    for (int i = 0; i < 256; i++)
        assert_int_equal(ws_send(guest.ws, WS_BINARY, "flood", 5), 0);
    assert_int_equal(ws_send(guest.ws, WS_BINARY, "last", 4), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, strcmp(world.last_data, "last") == 0);
    assert_true(loop_monotonic_ms() - start >= 700);
    hang_up(&guest);
    FIXTURE_RUN_UNTIL(&world.fixture, world.links_closed == 1);
    world_finish(&world);
}

static void on_flood_answered(void *arg, const struct rpc_answer *answer)
{
    assert_int_equal(answer->error, 0);
    ++*(unsigned *)arg;
}

/* More than the socket to kilnd lets wait, in one turn: the rest is refused, and nobody loses kilnd. */
static void test_a_flood_of_requests_does_not_cut_kilnd_off(void **state)
{
    (void)state;
    struct world world;
    static char body[65536];
    unsigned taken = 0, answered = 0, refused = 0;
    world_init(&world);
    for (int i = 0; i < 128; i++) {
        struct json_writer params = json_writer_init(0);
        json_write_object_begin(&params, NULL);
        json_write_text(&params, "path", "/v1/login");
        json_write_base64(&params, "data", body, sizeof(body));
        json_write_object_end(&params);
        int error = kilnd_call(world.edge.kilnd, "owner.request", &params, on_flood_answered, &answered);
        taken += error == 0;
        refused += error == -EAGAIN;
    }
    assert_int_equal(taken + refused, 128);
    assert_true(taken > 0 && refused > 0);
    FIXTURE_RUN_UNTIL(&world.fixture, answered == taken);
    assert_int_equal(world.hellos, 1);
    assert_int_equal(call(&world, owner_port(&world), "GET", "/v1/me", NULL).status, 201);
    world_finish(&world);
}

/* As other guests would keep it. Always true. */
static bool keep_queue_full(struct world *world)
{
    static char record[65536];
    while (kilnd_queued_bytes(world->edge.kilnd) <= KILND_QUEUE_FULL) {
        struct json_writer params = json_writer_init(0);
        json_write_object_begin(&params, NULL);
        json_write_base64(&params, "data", record, sizeof(record));
        json_write_object_end(&params);
        kilnd_notify(world->edge.kilnd, "link.data", &params);
    }
    return true;
}

static void test_a_guest_is_cut_off_before_kilnd_is(void **state)
{
    (void)state;
    struct world world;
    struct side guest;
    world_init(&world);
    dial(&world, &guest, guest_port(&world), "/v1/link", GUEST_HEADERS);
    assert_int_equal(ws_send(guest.ws, WS_BINARY, "more", 4), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, keep_queue_full(&world) && guest.closed);
    assert_int_equal(guest.code, WS_TRY_LATER);
    FIXTURE_RUN_UNTIL(&world.fixture, world.links_closed == 1);
    assert_int_equal(world.hellos, 1);
    world_finish(&world);
}

static void test_links_come_again_after_kilnd_was_away(void **state)
{
    (void)state;
    struct world world;
    struct side guest;
    world_init(&world);
    dial(&world, &guest, guest_port(&world), "/v1/link", GUEST_HEADERS);
    world_stop_kilnd(&world);
    assert_false(guest.closed);
    world_start_kilnd(&world);
    FIXTURE_RUN_UNTIL(&world.fixture, guest.closed);
    assert_int_equal(guest.code, WS_TRY_LATER);
    world_finish(&world);
}

static void test_events_reach_their_reader(void **state)
{
    (void)state;
    struct world world;
    struct side owner;
    world_init(&world);
    dial(&world, &owner, owner_port(&world), "/v1/events?since=3", OWNER_HEADERS);
    assert_true(owner.open);
    notify(&world, "events.data", "subscription", world.last_subscription, "{\"seq\":4}");
    FIXTURE_RUN_UNTIL(&world.fixture, owner.messages == 1);
    assert_string_equal(owner.last, "{\"seq\":4}");
    ws_close(owner.ws, WS_NORMAL, NULL);
    FIXTURE_RUN_UNTIL(&world.fixture, world.events_ended == 1);
    dial(&world, &owner, owner_port(&world), "/v1/events", NULL);
    assert_int_equal(owner.status, 401);
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_owner_request_goes_whole_to_kilnd),
        cmocka_unit_test(test_strangers_are_told_to_come_again),
        cmocka_unit_test(test_web_files_stay_below_their_folder),
        cmocka_unit_test(test_a_guest_gets_release_files_and_nothing_of_the_owners),
        cmocka_unit_test(test_registration_is_rewritten_and_answered),
        cmocka_unit_test(test_a_body_over_its_limit_is_refused),
        cmocka_unit_test(test_kilnd_away_means_503_and_back_means_hello),
        cmocka_unit_test(test_kilnd_dying_under_a_request_answers_it),
        cmocka_unit_test(test_a_link_carries_records_both_ways),
        cmocka_unit_test(test_a_link_needs_a_good_token),
        cmocka_unit_test(test_a_guest_that_asks_too_often_is_told_to_come_again),
        cmocka_unit_test(test_a_guest_that_links_too_often_is_told_to_come_again),
        cmocka_unit_test(test_good_tokens_are_not_counted_and_bad_ones_are),
        cmocka_unit_test(test_a_flooding_guest_waits),
        cmocka_unit_test(test_a_flood_of_requests_does_not_cut_kilnd_off),
        cmocka_unit_test(test_a_guest_is_cut_off_before_kilnd_is),
        cmocka_unit_test(test_links_come_again_after_kilnd_was_away),
        cmocka_unit_test(test_events_reach_their_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
