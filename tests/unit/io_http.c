/*
 * HTTP server and client: against each other over TLS, and the server against bytes no client of ours would
 * send.
 */
#include "tests/unit/io_fixture.h"
#include "tests/unit/seed.h"

#include <fcntl.h>

#include "src/io/http_client.h"
#include "src/io/http_server.h"
#include "src/io/log.h"

struct world {
    struct fixture fixture;
    struct http_server *server;
    uint16_t port;
    struct http_request *pending;
    bool gone;
    char file[160];
};

static void handle_echo(struct http_request *request, void *arg)
{
    size_t len;
    const char *body = http_request_body(request, &len);
    (void)arg;
    assert_int_equal(http_request_add_header(request, "X-Path", http_request_head(request)->path), 0);
    http_answer(request, 200, "text/plain", body, len);
}

static void on_gone(void *arg)
{
    struct world *world = arg;
    world->gone = true;
    world->pending = NULL;
}

static void handle_later(struct http_request *request, void *arg)
{
    struct world *world = arg;
    world->pending = request;
    http_request_on_gone(request, on_gone, world);
}

static void handle_file(struct http_request *request, void *arg)
{
    struct world *world = arg;
    http_answer_file(request, "application/octet-stream", open(world->file, O_RDONLY | O_CLOEXEC));
}

static const struct http_route routes[] = {{"POST", "/echo", 64, handle_echo},
                                           {"GET", "/echo/*", 0, handle_echo},
                                           {"GET", "/later", 0, handle_later},
                                           {"GET", "/file", 0, handle_file}};

static void world_init(struct world *world, bool tls)
{
    memset(world, 0, sizeof(*world));
    log_set_level(LOG_LEVEL_ERROR);
    fixture_init(&world->fixture);
    struct http_server_config config = {.tls = tls ? world->fixture.server_tls : NULL,
                                        .routes = routes,
                                        .nroutes = sizeof(routes) / sizeof(routes[0]),
                                        .arg = world,
                                        .common_headers = "X-Common: yes\r\n",
                                        .connections_max = 4,
                                        .connections_per_address_max = 3,
                                        .handshake_timeout_ms = 200,
                                        .request_timeout_ms = 300,
                                        .idle_timeout_ms = 400};
    assert_int_equal(http_server_create(world->fixture.loop, &config, &world->server), 0);
    assert_int_equal(http_server_listen(world->server, "127.0.0.1:0", &world->port), 0);
    snprintf(world->file, sizeof(world->file), "%s/file", world->fixture.folder);
}

static void world_finish(struct world *world)
{
    http_server_destroy(world->server);
    unlink(world->file);
    fixture_finish(&world->fixture);
}

static void talk(struct world *world, const char *text, const char *until, char *out, size_t max)
{
    int fd = fixture_dial(world->port);
    fixture_talk(&world->fixture, fd, text, strlen(text), until, out, max);
    close(fd);
}

static void expect_status(struct world *world, const char *text, const char *status)
{
    static unsigned seeds;
    char out[4096], line[64];
    snprintf(line, sizeof(line), "refused-%s-%u", status, seeds++);
    seed_write_text("http_server", line, SEED_PLAIN, text);
    seed_write_text("http_head", line, SEED_PLAIN, text);
    talk(world, text, NULL, out, sizeof(out));
    snprintf(line, sizeof(line), "HTTP/1.1 %s ", status);
    if (strncmp(out, line, strlen(line)) != 0)
        fail_msg("for %.60s the answer was %.60s", text, out);
}

static void test_what_is_wrong_is_refused_by_status(void **state)
{
    (void)state;
    struct world world;
    static char big[10000];
    world_init(&world, false);
    expect_status(&world, "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404");
    expect_status(&world, "PUT /echo HTTP/1.1\r\nHost: x\r\n\r\n", "405");
    expect_status(&world, "GET /echo/a HTTP/1.1\r\n\r\n", "400");
    expect_status(&world, "GET /echo/../x HTTP/1.1\r\nHost: x\r\n\r\n", "400");
    expect_status(&world, "GET /echo/%00 HTTP/1.1\r\nHost: x\r\n\r\n", "400");
    expect_status(&world, "GET /echo/a HTTP/2.0\r\nHost: x\r\n\r\n", "505");
    expect_status(&world, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 65\r\n\r\n", "413");
    expect_status(&world, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "501");
    expect_status(&world, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                  "400");
    expect_status(&world, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", "400");
    expect_status(&world, "GET /echo/a HTTP/1.1\nHost: x\n\r\n\r\n", "400");
    expect_status(&world, "GET /echo/a HTTP/1.1\r\nHost : x\r\n\r\n", "400");
    memset(big, 'a', sizeof(big) - 1);
    memcpy(big, "GET /", 5);
    expect_status(&world, big, "431");
    world_finish(&world);
}

static void test_one_byte_at_a_time(void **state)
{
    (void)state;
    struct world world;
    struct dribble dribble;
    char out[1024];
    const char text[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
                        "GET /echo/two%20words?q=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    seed_write_text("http_server", "two-requests", SEED_PLAIN, text);
    seed_write_text("http_head", "two-requests", SEED_PLAIN, text);
    world_init(&world, false);
    dribble_init(&dribble, world.fixture.loop, world.port);
    int fd = fixture_dial(dribble.port);
    fixture_talk(&world.fixture, fd, text, sizeof(text) - 1, NULL, out, sizeof(out));
    assert_non_null(strstr(out, "\r\n\r\nhelloHTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(out, "X-Path: /echo/two words\r\n"));
    assert_non_null(strstr(out, "X-Common: yes\r\n"));
    close(fd);
    dribble_finish(&dribble);
    world_finish(&world);
}

/* A byte now and then does not keep a request open for ever, nor a silent one a handshake. */
static void test_slow_requests_end_at_their_deadline(void **state)
{
    (void)state;
    struct world world;
    char out[256];
    world_init(&world, false);
    int fd = fixture_dial(world.port);
    int64_t start = loop_monotonic_ms(), last = 0;
    bool closed = false;
    FIXTURE_RUN_UNTIL(&world.fixture, ({
        bool due = loop_monotonic_ms() - last >= 20;
        ssize_t sent = due ? send(fd, "G", 1, MSG_NOSIGNAL) : 1;
        last = due ? loop_monotonic_ms() : last;
        char byte;
        closed = sent < 0 || recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
        closed;
    }));
    assert_true(loop_monotonic_ms() - start >= 250);
    close(fd);
    world_finish(&world);
    world_init(&world, true);
    fd = fixture_dial(world.port);
    start = loop_monotonic_ms();
    fixture_talk(&world.fixture, fd, "", 0, NULL, out, sizeof(out));
    assert_true(loop_monotonic_ms() - start >= 150);
    close(fd);
    world_finish(&world);
}

static void test_connections_are_limited_by_address(void **state)
{
    (void)state;
    struct world world;
    char out[64];
    int fds[3];
    world_init(&world, false);
    for (int i = 0; i < 3; i++)
        fds[i] = fixture_dial(world.port);
    FIXTURE_RUN_UNTIL(&world.fixture, http_server_connections(world.server) == 3);
    int extra = fixture_dial(world.port);
    fixture_talk(&world.fixture, extra, "", 0, NULL, out, sizeof(out));
    assert_int_equal(http_server_connections(world.server), 3);
    close(extra);
    close(fds[0]);
    FIXTURE_RUN_UNTIL(&world.fixture, http_server_connections(world.server) == 2);
    expect_status(&world, "GET /echo/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200");
    close(fds[1]);
    close(fds[2]);
    world_finish(&world);
}

static void test_a_late_answer_finds_a_half_closed_peer(void **state)
{
    (void)state;
    struct world world;
    char out[512];
    const char text[] = "GET /later HTTP/1.1\r\nHost: x\r\n\r\n";
    world_init(&world, false);
    int fd = fixture_dial(world.port);
    assert_int_equal(send(fd, text, sizeof(text) - 1, 0), sizeof(text) - 1);
    shutdown(fd, SHUT_WR);
    FIXTURE_RUN_UNTIL(&world.fixture, world.pending != NULL);
    for (int i = 0; i < 20; i++)
        loop_step(world.fixture.loop, false);
    http_answer(world.pending, 200, "text/plain", "late", 4);
    fixture_talk(&world.fixture, fd, "", 0, NULL, out, sizeof(out));
    assert_non_null(strstr(out, "\r\n\r\nlate"));
    close(fd);
    world_finish(&world);
}

static void test_a_handler_is_told_when_the_peer_goes(void **state)
{
    (void)state;
    struct world world;
    const char text[] = "GET /later HTTP/1.1\r\nHost: x\r\n\r\n";
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    world_init(&world, false);
    int fd = fixture_dial(world.port);
    assert_int_equal(send(fd, text, sizeof(text) - 1, 0), sizeof(text) - 1);
    FIXTURE_RUN_UNTIL(&world.fixture, world.pending != NULL);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    FIXTURE_RUN_UNTIL(&world.fixture, world.gone);
    assert_int_equal(http_server_connections(world.server), 0);
    world_finish(&world);
}

struct result {
    bool done;
    int error, status;
    size_t bytes;
    char body[256], path[64];
    uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
};

static void on_answer(void *arg, const struct http_answer *answer)
{
    struct result *result = arg;
    result->done = true;
    result->error = answer->error;
    result->status = answer->status;
    result->bytes = answer->body_bytes;
    snprintf(result->body, sizeof(result->body), "%s", answer->body);
    memcpy(result->fingerprint, answer->fingerprint, sizeof(result->fingerprint));
    if (answer->head != NULL)
        snprintf(result->path, sizeof(result->path), "%s", http_head_field(answer->head, "x-path"));
}

static struct result fetch(struct world *world, struct tls_client *tls, struct http_client_request request)
{
    struct result result = {0};
    request.host = "127.0.0.1";
    request.port = request.port == 0 ? world->port : request.port;
    assert_int_equal(http_client_call(world->fixture.loop, tls, &request, on_answer, &result, NULL), 0);
    FIXTURE_RUN_UNTIL(&world->fixture, result.done);
    return result;
}

static void test_a_call_over_tls(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, true);
    struct result result = fetch(
        &world, world.fixture.client_tls,
        (struct http_client_request){.method = "POST", .target = "/echo", .body = "body", .body_bytes = 4});
    assert_int_equal(result.error, 0);
    assert_int_equal(result.status, 200);
    assert_string_equal(result.body, "body");
    assert_string_equal(result.path, "/echo");
    assert_memory_equal(result.fingerprint, world.fixture.fingerprint, sizeof(result.fingerprint));
    world_finish(&world);
}

static void test_calls_that_fail_say_why(void **state)
{
    (void)state;
    struct world world;
    struct tls_client *other;
    uint8_t pin[TLS_FINGERPRINT_BYTES] = {0};
    world_init(&world, true);
    assert_int_equal(tls_client_create(pin, &other), 0);
    struct http_client_request request = {.method = "GET", .target = "/echo/x"};
    assert_int_equal(fetch(&world, other, request).error, -EKEYREJECTED);
    request.port = 1;
    assert_int_equal(fetch(&world, other, request).error, -ECONNREFUSED);
    request = (struct http_client_request){.method = "GET", .target = "/later", .timeout_ms = 50};
    assert_int_equal(fetch(&world, world.fixture.client_tls, request).error, -ETIMEDOUT);
    tls_client_destroy(other);
    world_finish(&world);
}

static void test_a_file_comes_whole_and_within_its_limit(void **state)
{
    (void)state;
    struct world world;
    static char big[3000000];
    world_init(&world, true);
    unsigned seed = 1;
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)rand_r(&seed);
    FILE *file = fopen(world.file, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(big, 1, sizeof(big), file), sizeof(big));
    fclose(file);
    FILE *copy = tmpfile();
    struct http_client_request request = {
        .method = "GET", .target = "/file", .body_fd = fileno(copy), .answer_max_bytes = sizeof(big)};
    assert_int_equal(fetch(&world, world.fixture.client_tls, request).status, 200);
    static char got[sizeof(big)];
    assert_int_equal(pread(fileno(copy), got, sizeof(got), 0), sizeof(got));
    assert_memory_equal(got, big, sizeof(big));
    request.answer_max_bytes = sizeof(big) - 1;
    assert_int_equal(fetch(&world, world.fixture.client_tls, request).error, -EFBIG);
    request = (struct http_client_request){.method = "HEAD", .target = "/file"};
    struct result head = fetch(&world, world.fixture.client_tls, request);
    assert_int_equal(head.status, 200);
    assert_int_equal(head.bytes, 0);
    fclose(copy);
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_wrong_is_refused_by_status),
        cmocka_unit_test(test_one_byte_at_a_time),
        cmocka_unit_test(test_slow_requests_end_at_their_deadline),
        cmocka_unit_test(test_connections_are_limited_by_address),
        cmocka_unit_test(test_a_late_answer_finds_a_half_closed_peer),
        cmocka_unit_test(test_a_handler_is_told_when_the_peer_goes),
        cmocka_unit_test(test_a_call_over_tls),
        cmocka_unit_test(test_calls_that_fail_say_why),
        cmocka_unit_test(test_a_file_comes_whole_and_within_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
