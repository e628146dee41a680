/*
 * kiln-connect web passes on what the page asks: through the real edge with a scripted kilnd, requests whole,
 * WebSocket messages byte for byte; the edge's refusals and its absence reach the page.
 */
#include "tests/unit/edge_world.h"

#include "src/cli/connect.h"
#include "src/cli/connect_pass.h"

/* The server on loopback, in front of a world. */
struct front {
    struct connect connect;
    struct connect_ducts ducts;
    struct http_server *server;
    uint16_t port;
};

static void handle_any(struct http_request *request, void *arg)
{
    struct front *front = arg;
    if (ws_is_upgrade(request))
        connect_pass_websocket(&front->connect, &front->ducts, request);
    else
        connect_pass_request(&front->connect, request);
}

static void front_init(struct front *front, struct world *world)
{
    static const struct http_route routes[] = {{NULL, "/*", 65536, handle_any}};
    const struct http_server_config config = {.routes = routes,
                                              .nroutes = 1,
                                              .arg = front,
                                              .connections_max = 16,
                                              .connections_per_address_max = 16,
                                              .request_timeout_ms = 30000,
                                              .idle_timeout_ms = 30000};
    memset(front, 0, sizeof(*front));
    front->connect.loop = world->fixture.loop;
    front->connect.tls = world->fixture.client_tls;
    front->connect.port = owner_port(world);
    snprintf(front->connect.host, sizeof(front->connect.host), "127.0.0.1");
    assert_int_equal(http_server_create(world->fixture.loop, &config, &front->server), 0);
    assert_int_equal(http_server_listen(front->server, "127.0.0.1:0", &front->port), 0);
}

static void front_finish(struct front *front)
{
    connect_ducts_finish(&front->ducts);
    http_server_destroy(front->server);
}

static struct reply ask(struct world *world, const struct front *front, const char *method,
                        const char *target, const char *body)
{
    struct reply reply = {0};
    struct http_client_request request = {.method = method,
                                          .host = "127.0.0.1",
                                          .port = front->port,
                                          .target = target,
                                          .headers = "Authorization: Bearer " TOKEN
                                                     "\r\nOrigin: http://127.0.0.1:1\r\n",
                                          .body = body,
                                          .body_bytes = body != NULL ? strlen(body) : 0};
    assert_int_equal(http_client_call(world->fixture.loop, NULL, &request, on_reply, &reply, NULL), 0);
    FIXTURE_RUN_UNTIL(&world->fixture, reply.done);
    return reply;
}

static void test_requests_are_passed_whole(void **state)
{
    (void)state;
    struct world world;
    struct front front;
    world_init(&world);
    front_init(&front, &world);
    struct reply reply = ask(&world, &front, "POST", "/v1/vms?x=1", "{\"name\": \"a\"}");
    /* The page's Origin is not the edge's: it is not passed on. */
    assert_int_equal(reply.status, 201);
    assert_string_equal(reply.body, "{\"id\":7}");
    assert_string_equal(world.last_path, "/v1/vms?x=1");
    assert_string_equal(world.last_body, "{\"name\": \"a\"}");
    assert_string_equal(world.last_token, TOKEN);
    world_stop_kilnd(&world);
    reply = ask(&world, &front, "GET", "/v1/me", NULL);
    assert_int_equal(reply.status, 503);
    assert_string_equal(reply.retry_after, "2");
    front_finish(&front);
    world_start_kilnd(&world);
    world_finish(&world);
}

static void test_an_edge_that_is_away_or_another_is_told(void **state)
{
    (void)state;
    struct world world;
    struct front front;
    struct tls_client *other;
    static const uint8_t pin[TLS_FINGERPRINT_BYTES] = {1};
    world_init(&world);
    front_init(&front, &world);
    assert_int_equal(tls_client_create(pin, &other), 0);
    front.connect.tls = other;
    struct reply reply = ask(&world, &front, "GET", "/v1/me", NULL);
    assert_int_equal(reply.status, 495);
    assert_non_null(strstr(reply.body, "IDENTITY_CHANGED"));
    front.connect.port = 1;
    reply = ask(&world, &front, "GET", "/v1/me", NULL);
    assert_int_equal(reply.status, 503);
    assert_int_equal(world.requests, 0);
    front_finish(&front);
    tls_client_destroy(other);
    world_finish(&world);
}

#define SMUGGLED "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"

/* An edge that was taken over: a script, and an answer within an answer. */
static void handle_hostile(struct http_request *request, void *arg)
{
    bool script = strcmp(http_request_head(request)->path, "/v1/script") == 0;
    (void)arg;
    http_answer(request, script ? 200 : 304, "text/javascript", SMUGGLED, strlen(SMUGGLED));
}

static void test_what_an_edge_says_is_data_and_one_answer(void **state)
{
    (void)state;
    static const struct http_route routes[] = {{NULL, "/*", 0, handle_hostile}};
    const struct http_server_config config = {.routes = routes,
                                              .nroutes = 1,
                                              .connections_max = 16,
                                              .connections_per_address_max = 16,
                                              .request_timeout_ms = 30000,
                                              .idle_timeout_ms = 30000};
    const char *const asked[] = {"GET /v1/script HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                                 "GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"};
    struct world world;
    struct front front;
    struct http_server *hostile;
    char out[2][1024];
    world_init(&world);
    front_init(&front, &world);
    assert_int_equal(http_server_create(world.fixture.loop, &config, &hostile), 0);
    assert_int_equal(http_server_listen(hostile, "127.0.0.1:0", &front.connect.port), 0);
    front.connect.tls = NULL;
    for (int i = 0; i < 2; i++) {
        int fd = fixture_dial(front.port);
        fixture_talk(&world.fixture, fd, asked[i], strlen(asked[i]), NULL, out[i], sizeof(out[i]));
        close(fd);
    }
    assert_memory_equal(out[0], "HTTP/1.1 200 ", 13);
    assert_non_null(strstr(out[0], "\r\nContent-Type: application/json\r\n"));
    assert_memory_equal(out[1], "HTTP/1.1 503 ", 13);
    assert_null(strstr(out[1], "HTTP/1.1 200"));
    http_server_destroy(hostile);
    front_finish(&front);
    world_finish(&world);
}

/* The page's WebSocket, by way of FRONT, without TLS. */
static void dial_front(struct world *world, const struct front *front, struct side *side, const char *path,
                       const char *headers)
{
    struct ws_target target = {.host = "127.0.0.1", .port = front->port, .target = path, .headers = headers};
    *side = (struct side){0};
    assert_int_equal(ws_connect(world->fixture.loop, NULL, &target, NULL, &side_ops, side, &side->ws), 0);
    FIXTURE_RUN_UNTIL(&world->fixture, side->open || side->closed);
}

/* What a side got, whole. */
static uint8_t got[1 << 20];
static size_t got_len;

static void keep_message(void *arg, enum ws_kind kind, const void *bytes, size_t len)
{
    (void)arg;
    assert_int_equal(kind, WS_BINARY);
    assert_true(got_len + len <= sizeof(got));
    memcpy(got + got_len, bytes, len);
    got_len += len;
}

static void test_messages_arrive_byte_for_byte(void **state)
{
    (void)state;
    static const struct ws_ops keep = {.on_message = keep_message, .on_close = side_on_close};
    static uint8_t sent[600000];
    struct world world;
    struct front front;
    struct side guest, page;
    world_init(&world);
    front_init(&front, &world);
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (uint8_t)(i * 7 + i / 251);
    dial(&world, &guest, guest_port(&world), "/v1/channel", GUEST_HEADERS);
    assert_true(guest.open);
    dial_front(&world, &front, &page, "/v1/vms/" VM "/channel", OWNER_HEADERS);
    assert_true(page.open);
    struct side *ends[] = {&page, &guest};
    for (int way = 0; way < 2; way++) {
        struct side *from = ends[way], *to = ends[1 - way];
        ws_set_ops(to->ws, &keep, to);
        got_len = 0;
        /* Pieces of every length, also of none, and the longest there are. */
        for (size_t at = 0, len = 0; at < sizeof(sent); at += len, len = len * 3 + 1) {
            len = len > 65536 ? 65536 : len;
            len = at + len > sizeof(sent) ? sizeof(sent) - at : len;
            assert_int_equal(ws_send(from->ws, WS_BINARY, sent + at, len), 0);
        }
        FIXTURE_RUN_UNTIL(&world.fixture, got_len == sizeof(sent));
        assert_memory_equal(got, sent, sizeof(sent));
        ws_set_ops(to->ws, &side_ops, to);
    }
    ws_close(guest.ws, WS_TRY_LATER, "come again");
    FIXTURE_RUN_UNTIL(&world.fixture, page.closed);
    assert_int_equal(page.code, WS_TRY_LATER);
    assert_string_equal(page.reason, "come again");
    assert_null(front.ducts.first);
    front_finish(&front);
    world_finish(&world);
}

static void test_a_refusal_reaches_the_page(void **state)
{
    (void)state;
    struct world world;
    struct front front;
    struct side page;
    world_init(&world);
    front_init(&front, &world);
    dial_front(&world, &front, &page, "/v1/vms/" VM "/channel", OWNER_HEADERS);
    assert_int_equal(page.status, 409);
    assert_non_null(strstr(page.refusal, "NO_CHANNEL"));
    dial_front(&world, &front, &page, "/v1/events", "Sec-WebSocket-Protocol: kiln.v1, kiln.token.00\r\n");
    assert_int_equal(page.status, 401);
    assert_null(front.ducts.first);
    /* One that is open ends with the server. */
    dial_front(&world, &front, &page, "/v1/events", OWNER_HEADERS);
    assert_true(page.open && front.ducts.first != NULL);
    front_finish(&front);
    FIXTURE_RUN_UNTIL(&world.fixture, page.closed);
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_are_passed_whole),
        cmocka_unit_test(test_an_edge_that_is_away_or_another_is_told),
        cmocka_unit_test(test_what_an_edge_says_is_data_and_one_answer),
        cmocka_unit_test(test_messages_arrive_byte_for_byte),
        cmocka_unit_test(test_a_refusal_reaches_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
