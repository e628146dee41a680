/*
 * WebSockets over TLS, both roles, against each other and against hostile bytes.
 */
#include "tests/unit/io_fixture.h"
#include "tests/unit/seed.h"

#include "src/io/http_server.h"
#include "src/io/ws.h"

struct side {
    struct ws *ws;
    bool open, closed;
    struct ws_close close;
    size_t messages, bytes, drained;
    unsigned char last[70000];
    size_t last_bytes;
    bool echo;
};

struct world {
    struct fixture fixture;
    struct http_server *server;
    uint16_t port;
    struct side near, far; /* client, server */
    bool refuse;
};

static void on_open(void *arg)
{
    struct side *side = arg;
    side->open = true;
}

static void on_message(void *arg, enum ws_kind kind, const void *bytes, size_t len)
{
    struct side *side = arg;
    side->messages++;
    side->bytes += len;
    side->last_bytes = len;
    memcpy(side->last, bytes, len);
    if (side->echo)
        assert_int_equal(ws_send(side->ws, kind, bytes, len), 0);
}

static void on_drained(void *arg)
{
    struct side *side = arg;
    side->drained++;
}

static void on_close(void *arg, const struct ws_close *close)
{
    struct side *side = arg;
    side->close = *close;
    side->closed = true;
    side->ws = NULL;
}

static const struct ws_ops side_ops = {
    .on_open = on_open, .on_message = on_message, .on_drained = on_drained, .on_close = on_close};

static void handle_upgrade(struct http_request *request, void *arg)
{
    struct world *world = arg;
    if (world->refuse) {
        http_answer(request, 403, "application/json", "{\"no\":1}", 8);
        return;
    }
    assert_int_equal(ws_accept(request, NULL, &side_ops, &world->far, &world->far.ws), 0);
    world->far.open = true;
}

static const struct http_route routes[] = {{"GET", "/ws", 0, handle_upgrade}};

static void world_init(struct world *world, bool tls)
{
    memset(world, 0, sizeof(*world));
    fixture_init(&world->fixture);
    struct http_server_config config = {.tls = tls ? world->fixture.server_tls : NULL,
                                        .routes = routes,
                                        .nroutes = 1,
                                        .arg = world,
                                        .connections_max = 16,
                                        .connections_per_address_max = 16,
                                        .handshake_timeout_ms = 10000,
                                        .request_timeout_ms = 10000,
                                        .idle_timeout_ms = 10000};
    assert_int_equal(http_server_create(world->fixture.loop, &config, &world->server), 0);
    assert_int_equal(http_server_listen(world->server, "127.0.0.1:0", &world->port), 0);
}

static void world_finish(struct world *world)
{
    ws_close(world->near.ws, WS_ABNORMAL, NULL);
    ws_close(world->far.ws, WS_ABNORMAL, NULL);
    http_server_destroy(world->server);
    fixture_finish(&world->fixture);
}

static void dial(struct world *world, uint16_t port, bool tls)
{
    struct ws_target target = {.host = "127.0.0.1", .port = port, .target = "/ws"};
    assert_int_equal(ws_connect(world->fixture.loop, tls ? world->fixture.client_tls : NULL, &target, NULL,
                                &side_ops, &world->near, &world->near.ws),
                     0);
}

static void open_both(struct world *world)
{
    dial(world, world->port, true);
    FIXTURE_RUN_UNTIL(&world->fixture, world->near.open && world->far.open);
}

static void test_messages_come_back_whole(void **state)
{
    (void)state;
    struct world world;
    unsigned char big[65536];
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (unsigned char)(i * 7);
    world_init(&world, true);
    open_both(&world);
    world.far.echo = true;
    assert_int_equal(ws_send(world.near.ws, WS_BINARY, big, sizeof(big)), 0);
    assert_int_equal(ws_send(world.near.ws, WS_TEXT, "", 0), 0);
    assert_int_equal(ws_send(world.near.ws, WS_TEXT, "hello", 5), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, world.near.messages == 3);
    assert_int_equal(world.near.bytes, sizeof(big) + 5);
    assert_memory_equal(world.near.last, "hello", 5);
    assert_true(world.near.drained > 0);
    world_finish(&world);
}

static void test_one_byte_at_a_time(void **state)
{
    (void)state;
    struct world world;
    struct dribble dribble;
    world_init(&world, true);
    dribble_init(&dribble, world.fixture.loop, world.port);
    world.far.echo = true;
    dial(&world, dribble.port, true);
    FIXTURE_RUN_UNTIL(&world.fixture, world.near.open);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ws_send(world.near.ws, WS_TEXT, "dribbled message", 16), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, world.near.messages == 5);
    assert_memory_equal(world.near.last, "dribbled message", 16);
    ws_close(world.near.ws, WS_NORMAL, "done");
    world.near.ws = NULL;
    FIXTURE_RUN_UNTIL(&world.fixture, world.far.closed);
    assert_int_equal(world.far.close.code, WS_NORMAL);
    dribble_finish(&dribble);
    world_finish(&world);
}

static void test_close_carries_code_and_reason(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, true);
    open_both(&world);
    ws_close(world.far.ws, 4001, "NO_CHANNEL");
    world.far.ws = NULL;
    FIXTURE_RUN_UNTIL(&world.fixture, world.near.closed);
    assert_int_equal(world.near.close.code, 4001);
    assert_int_equal(world.near.close.error, 0);
    world_finish(&world);
}

static void test_refusal_tells_status_and_body(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, true);
    world.refuse = true;
    dial(&world, world.port, true);
    FIXTURE_RUN_UNTIL(&world.fixture, world.near.closed);
    assert_int_equal(world.near.close.http_status, 403);
    world_finish(&world);
}

static void test_too_large_a_message_closes(void **state)
{
    (void)state;
    struct world world;
    static unsigned char big[WS_MESSAGE_MAX + 1];
    world_init(&world, true);
    open_both(&world);
    assert_int_equal(ws_send(world.near.ws, WS_BINARY, big, sizeof(big)), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, world.far.closed && world.near.closed);
    assert_int_equal(world.far.messages, 0);
    assert_int_equal(world.far.close.code, WS_TOO_BIG);
    world_finish(&world);
}

/* What a paused reader leaves lying stays with the sender, within what the kernel holds. */
static void test_a_paused_reader_stops_the_sender(void **state)
{
    (void)state;
    struct world world;
    static unsigned char piece[32768];
    const size_t count = 1000;
    world_init(&world, true);
    open_both(&world);
    ws_pause(world.far.ws);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ws_send(world.near.ws, WS_BINARY, piece, sizeof(piece)), 0);
    size_t before, after = ws_queued_bytes(world.near.ws);
    do {
        before = after;
        for (int i = 0; i < 50; i++)
            loop_step(world.fixture.loop, false);
        after = ws_queued_bytes(world.near.ws);
    } while (after != before);
    assert_int_equal(world.far.messages, 0);
    assert_true(after > count * sizeof(piece) / 2);
    ws_resume(world.far.ws);
    FIXTURE_RUN_UNTIL(&world.fixture, world.far.messages == count);
    assert_int_equal(world.far.bytes, count * sizeof(piece));
    assert_int_equal(ws_queued_bytes(world.near.ws), 0);
    world_finish(&world);
}

static void on_message_then_pause(void *arg, enum ws_kind kind, const void *bytes, size_t len)
{
    struct side *side = arg;
    on_message(arg, kind, bytes, len);
    ws_pause(side->ws);
}

static const struct ws_ops pausing_ops = {
    .on_open = on_open, .on_message = on_message_then_pause, .on_drained = on_drained, .on_close = on_close};

/* Small messages arrive many in one read; a pause in the middle of them holds the rest. */
static void test_a_pause_inside_a_message_holds_the_rest(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, true);
    open_both(&world);
    ws_set_ops(world.far.ws, &pausing_ops, &world.far);
    for (int i = 0; i < 20; i++)
        assert_int_equal(ws_send(world.near.ws, WS_BINARY, "x", 1), 0);
    for (size_t want = 1; want <= 20; want++) {
        FIXTURE_RUN_UNTIL(&world.fixture, world.far.messages == want);
        for (int i = 0; i < 20; i++)
            loop_step(world.fixture.loop, false);
        assert_int_equal(world.far.messages, want);
        ws_resume(world.far.ws);
    }
    world_finish(&world);
}

static const char upgrade[] =
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* Sends frames written by hand to the server, and to the searcher. */
static void send_frames(struct world *world, const char *name, const char *frames, size_t len)
{
    char out[4096];
    int fd = fixture_dial(world->port);
    seed_write("ws", name, 1, frames, len);
    memset(&world->far, 0, sizeof(world->far));
    fixture_talk(&world->fixture, fd, upgrade, sizeof(upgrade) - 1, "\r\n\r\n", out, sizeof(out));
    fixture_talk(&world->fixture, fd, frames, len, NULL, out, sizeof(out));
    close(fd);
    assert_true(world->far.closed);
}

/* Those of RFC 6455 5.7, and a close after them. */
static void test_frames_by_hand(void **state)
{
    (void)state;
    struct world world;
    static const char masked[] =
        "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x88\x82\x00\x00\x00\x00\x03\xe8";
    static const char pieces[] =
        "\x01\x83\x00\x00\x00\x00Hel\x89\x82\x00\x00\x00\x00hi\x80\x82\x00\x00\x00\x00lo"
        "\x88\x82\x00\x00\x00\x00\x03\xe8";
    static const char bare[] = "\x81\x05Hello";
    static const char no_utf8[] = "\x81\x82\x00\x00\x00\x00\xc3\x28";
    static const char too_long[] = "\x82\xfe\x00\x01\x00\x00\x00\x00x";
    static const char half_a_code[] = "\x88\x81\x00\x00\x00\x00\x03";
    world_init(&world, false);
    send_frames(&world, "masked", masked, sizeof(masked) - 1);
    assert_int_equal(world.far.close.code, WS_NORMAL);
    assert_memory_equal(world.far.last, "Hello", world.far.last_bytes);
    send_frames(&world, "pieces", pieces, sizeof(pieces) - 1);
    assert_int_equal(world.far.messages, 1);
    assert_memory_equal(world.far.last, "Hello", world.far.last_bytes);
    send_frames(&world, "bare", bare, sizeof(bare) - 1);
    assert_int_equal(world.far.messages, 0);
    assert_int_equal(world.far.close.code, WS_PROTOCOL);
    send_frames(&world, "no-utf8", no_utf8, sizeof(no_utf8) - 1);
    assert_int_equal(world.far.messages, 0);
    send_frames(&world, "length-too-long", too_long, sizeof(too_long) - 1);
    assert_int_equal(world.far.close.code, WS_PROTOCOL);
    send_frames(&world, "half-a-code", half_a_code, sizeof(half_a_code) - 1);
    assert_int_equal(world.far.close.code, WS_PROTOCOL);
    seed_write("ws", "client-bare", 0, bare, sizeof(bare) - 1);
    world_finish(&world);
}

/* What a client sends before it has seen the answer belongs to the WebSocket. */
/* A message of as many pieces as there may be, and of one more: what each piece costs is many times its byte.
 */
static void test_a_message_in_too_many_pieces_closes(void **state)
{
    (void)state;
    struct world world;
    const size_t piece = 7, most = 1024;
    static char frames[7 * 1025 + 8];
    static const char end[] = "\x88\x82\x00\x00\x00\x00\x03\xe8";
    world_init(&world, false);
    for (size_t i = 0; i <= most; i++)
        memcpy(frames + i * piece, i == 0 ? "\x02\x81\0\0\0\0x" : "\x00\x81\0\0\0\0x", piece);
    frames[(most - 1) * piece] = (char)0x80;
    memcpy(frames + most * piece, end, sizeof(end) - 1);
    send_frames(&world, "many-pieces", frames, most * piece + sizeof(end) - 1);
    assert_int_equal(world.far.close.code, WS_NORMAL);
    assert_int_equal(world.far.messages, 1);
    assert_int_equal(world.far.bytes, most);
    frames[(most - 1) * piece] = 0;
    memcpy(frames + most * piece, "\x80\x81\0\0\0\0x", piece);
    memcpy(frames + (most + 1) * piece, end, sizeof(end) - 1);
    send_frames(&world, "too-many-pieces", frames, (most + 1) * piece + sizeof(end) - 1);
    assert_int_equal(world.far.messages, 0);
    assert_int_equal(world.far.close.code, WS_TOO_BIG);
    world_finish(&world);
}

static void test_a_message_may_come_with_the_upgrade(void **state)
{
    (void)state;
    struct world world;
    char out[4096], text[512];
    static const char frames[] =
        "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x88\x82\x00\x00\x00\x00\x03\xe8";
    const size_t head = sizeof(upgrade) - 1, all = head + sizeof(frames) - 1;
    memcpy(text, upgrade, head);
    memcpy(text + head, frames, sizeof(frames) - 1);
    world_init(&world, false);
    int fd = fixture_dial(world.port);
    fixture_talk(&world.fixture, fd, text, all, NULL, out, sizeof(out));
    close(fd);
    assert_memory_equal(out, "HTTP/1.1 101 ", 13);
    assert_int_equal(world.far.messages, 1);
    assert_memory_equal(world.far.last, "Hello", 5);
    assert_int_equal(world.far.close.code, WS_NORMAL);
    world_finish(&world);
}

static void test_garbage_after_the_upgrade_ends_only_itself(void **state)
{
    (void)state;
    struct world world;
    char out[4096], garbage[8192];
    world_init(&world, false);
    int fd = fixture_dial(world.port);
    fixture_talk(&world.fixture, fd, upgrade, sizeof(upgrade) - 1, "\r\n\r\n", out, sizeof(out));
    /* The example of RFC 6455 1.3. */
    assert_non_null(strstr(out, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    memset(garbage, 0xff, sizeof(garbage));
    fixture_talk(&world.fixture, fd, garbage, sizeof(garbage), NULL, out, sizeof(out));
    close(fd);
    assert_true(world.far.closed);
    assert_int_equal(world.far.messages, 0);
    memset(&world.far, 0, sizeof(world.far));
    dial(&world, world.port, false);
    FIXTURE_RUN_UNTIL(&world.fixture, world.near.open);
    world_finish(&world);
}

static void test_a_wrong_pin_is_refused(void **state)
{
    (void)state;
    struct world world;
    struct tls_client *other;
    uint8_t pin[TLS_FINGERPRINT_BYTES] = {1};
    struct ws_target target = {.host = "127.0.0.1", .target = "/ws"};
    world_init(&world, true);
    target.port = world.port;
    assert_int_equal(tls_client_create(pin, &other), 0);
    assert_int_equal(
        ws_connect(world.fixture.loop, other, &target, NULL, &side_ops, &world.near, &world.near.ws), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, world.near.closed);
    assert_int_equal(world.near.close.error, -EKEYREJECTED);
    assert_false(world.far.open);
    tls_client_destroy(other);
    world_finish(&world);
}

static void test_a_dead_peer_is_given_up(void **state)
{
    (void)state;
    struct world world;
    struct ws_options options = {.ping_ms = 30};
    struct ws_target target = {.host = "127.0.0.1", .target = "/ws"};
    world_init(&world, true);
    target.port = world.port;
    assert_int_equal(ws_connect(world.fixture.loop, world.fixture.client_tls, &target, &options, &side_ops,
                                &world.near, &world.near.ws),
                     0);
    FIXTURE_RUN_UNTIL(&world.fixture, world.near.open && world.far.open);
    /* A peer that reads nothing answers no ping. */
    ws_pause(world.far.ws);
    FIXTURE_RUN_UNTIL(&world.fixture, world.near.closed);
    assert_int_equal(world.near.close.error, -ETIMEDOUT);
    world_finish(&world);
}

static void test_pings_keep_a_quiet_peer(void **state)
{
    (void)state;
    struct world world;
    struct ws_options options = {.ping_ms = 250};
    struct ws_target target = {.host = "127.0.0.1", .target = "/ws"};
    world_init(&world, true);
    target.port = world.port;
    assert_int_equal(ws_connect(world.fixture.loop, world.fixture.client_tls, &target, &options, &side_ops,
                                &world.near, &world.near.ws),
                     0);
    int64_t start = loop_monotonic_ms();
    FIXTURE_RUN_UNTIL(&world.fixture, loop_monotonic_ms() - start > 1000);
    assert_false(world.near.closed);
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_come_back_whole),
        cmocka_unit_test(test_one_byte_at_a_time),
        cmocka_unit_test(test_close_carries_code_and_reason),
        cmocka_unit_test(test_refusal_tells_status_and_body),
        cmocka_unit_test(test_too_large_a_message_closes),
        cmocka_unit_test(test_a_paused_reader_stops_the_sender),
        cmocka_unit_test(test_a_pause_inside_a_message_holds_the_rest),
        cmocka_unit_test(test_frames_by_hand),
        cmocka_unit_test(test_a_message_in_too_many_pieces_closes),
        cmocka_unit_test(test_a_message_may_come_with_the_upgrade),
        cmocka_unit_test(test_garbage_after_the_upgrade_ends_only_itself),
        cmocka_unit_test(test_a_wrong_pin_is_refused),
        cmocka_unit_test(test_a_dead_peer_is_given_up),
        cmocka_unit_test(test_pings_keep_a_quiet_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
