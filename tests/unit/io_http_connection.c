/*
 * HTTP connections: what holds whatever is asked. Deadlines, limits, the whole answer before the end, no
 * plain text for want of memory, nothing left when the server goes.
 */
#include "tests/unit/io_http_world.h"
#include "tests/unit/seed.h"

#include <dirent.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "src/io/http_client.h"
#include "src/io/known.h"
#include "src/io/rates.h"
#include "src/io/stream.h"

#define GET_A "GET /echo/a HTTP/1.1\r\nHost: x\r\n"
#define GET_BIG "GET /big HTTP/1.1\r\nHost: x\r\n\r\n"
#define CLOSE "Connection: close\r\n\r\n"

/* Sends START and then "G" every 20 ms until the server has enough. Returns how long it took. */
static int64_t dribble_until_closed(struct world *world, const char *start)
{
    int fd = fixture_dial(world->port);
    int64_t begin = loop_monotonic_ms(), last = 0;
    bool closed = false;
    assert_int_equal(send(fd, start, strlen(start), MSG_NOSIGNAL), strlen(start));
    FIXTURE_RUN_UNTIL(&world->fixture, ({
        bool due = loop_monotonic_ms() - last >= 20;
        ssize_t sent = due ? send(fd, "G", 1, MSG_NOSIGNAL) : 1;
        last = due ? loop_monotonic_ms() : last;
        char byte;
        closed = sent < 0 || recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
        closed;
    }));
    close(fd);
    return loop_monotonic_ms() - begin;
}

/* A byte now and then does not keep a request open for ever, be it in its head or in its body. */
static void test_slow_requests_end_at_their_deadline(void **state)
{
    (void)state;
    struct world world;
    struct http_server_config config = world_config();
    struct http_route wide = {"POST", "/wide", 1000000, handle_echo};
    config.routes = &wide;
    config.nroutes = 1;
    config.request_timeout_ms = 300;
    world_init_with(&world, false, config);
    assert_true(dribble_until_closed(&world, "") >= 250);
    assert_true(dribble_until_closed(
                    &world, "POST /wide HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n") >= 250);
    world_finish(&world);
}

/* Neither a silent client nor one that stops within its ClientHello. */
static void test_a_handshake_that_stalls_ends_at_its_deadline(void **state)
{
    (void)state;
    struct world world;
    struct http_server_config config = world_config();
    const char hello[] = "\x16\x03\x01\x00\xf0\x01\x00\x00\xec\x03\x03";
    char out[256];
    config.handshake_timeout_ms = 200;
    world_init_with(&world, true, config);
    for (size_t len = 0; len < sizeof(hello); len += sizeof(hello) - 1) {
        int fd = fixture_dial(world.port);
        int64_t start = loop_monotonic_ms();
        fixture_talk(&world.fixture, fd, hello, len, NULL, out, sizeof(out));
        assert_true(loop_monotonic_ms() - start >= 150);
        assert_int_equal(http_server_connections(world.server), 0);
        close(fd);
    }
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
    talk(&world, "GET /echo/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", NULL, out, sizeof(out));
    assert_memory_equal(out, "HTTP/1.1 200 ", 13);
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

/* Beyond the total, a connection waits for its turn. */
static void test_connections_beyond_the_total_wait(void **state)
{
    (void)state;
    struct world world;
    struct http_server_config config = world_config();
    char out[512];
    config.connections_max = 2;
    world_init_with(&world, false, config);
    int first = fixture_dial(world.port), second = fixture_dial(world.port);
    FIXTURE_RUN_UNTIL(&world.fixture, http_server_connections(world.server) == 2);
    int third = fixture_dial(world.port);
    assert_int_equal(send(third, GET_A CLOSE, strlen(GET_A CLOSE), 0), strlen(GET_A CLOSE));
    for (int i = 0; i < 50; i++)
        loop_step(world.fixture.loop, false);
    assert_int_equal(recv(third, out, sizeof(out), MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(http_server_connections(world.server), 2);
    close(first);
    fixture_talk(&world.fixture, third, "", 0, NULL, out, sizeof(out));
    assert_memory_equal(out, "HTTP/1.1 200 ", 13);
    close(second);
    close(third);
    world_finish(&world);
}

/* Beyond the total, the oldest that nobody trusts ends. */
static void test_strangers_make_room(void **state)
{
    (void)state;
    struct world world;
    struct http_server_config config = world_config();
    char out[512];
    config.connections_max = 2;
    config.makes_room = true;
    world_init_with(&world, false, config);
    int first = fixture_dial(world.port);
    FIXTURE_RUN_UNTIL(&world.fixture, http_server_connections(world.server) == 1);
    int second = fixture_dial(world.port);
    fixture_talk(&world.fixture, first, "", 0, NULL, out, sizeof(out));
    assert_string_equal(out, "");
    fixture_talk(&world.fixture, second, GET_A CLOSE, strlen(GET_A CLOSE), NULL, out, sizeof(out));
    assert_memory_equal(out, "HTTP/1.1 200 ", 13);
    close(first);
    close(second);
    world_finish(&world);
}

/* Whoever asks for much and reads nothing is no better than who says nothing. */
static void test_strangers_who_do_not_read_make_room(void **state)
{
    (void)state;
    struct world world;
    struct http_server_config config = world_config();
    char byte, out[512];
    config.connections_max = 2;
    config.makes_room = true;
    config.request_timeout_ms = 3600000;
    world_init_with(&world, false, config);
    world.big_bytes = 8 << 20;
    char *big = calloc(1, world.big_bytes);
    world.big = big;
    int fds[2];
    for (int i = 0; i < 2; i++) {
        fds[i] = fixture_dial(world.port);
        assert_int_equal(send(fds[i], GET_BIG, strlen(GET_BIG), 0), strlen(GET_BIG));
        FIXTURE_RUN_UNTIL(&world.fixture, recv(fds[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1);
    }
    talk(&world, GET_A CLOSE, NULL, out, sizeof(out));
    assert_memory_equal(out, "HTTP/1.1 200 ", 13);
    close(fds[0]);
    close(fds[1]);
    free(big);
    world_finish(&world);
}

/* An address has its own rate; all strangers have one, of which those that are known take nothing. */
static void test_new_connections_have_a_rate(void **state)
{
    (void)state;
    struct world world;
    struct http_server_config config = world_config();
    const struct rates_config once = {.per_second = 1, .burst = 1, .keys_max = 4};
    char out[512];
    assert_int_equal(rates_create(&once, &config.strangers_rate), 0);
    assert_int_equal(known_create(4, FIXTURE_LIMIT_MS, &config.known), 0);
    while (rates_take(config.strangers_rate, "", 0, loop_monotonic_ms() + FIXTURE_LIMIT_MS) == 0)
        ;
    world_init_with(&world, false, config);
    talk(&world, GET_A CLOSE, NULL, out, sizeof(out));
    assert_string_equal(out, "");
    known_add(config.known, "127.0.0.1", loop_monotonic_ms());
    talk(&world, GET_A CLOSE, NULL, out, sizeof(out));
    assert_memory_equal(out, "HTTP/1.1 200 ", 13);
    world_finish(&world);
    known_destroy(config.known);
    rates_destroy(config.strangers_rate);
}

static void test_who_waits_to_send_its_body_is_told_to(void **state)
{
    (void)state;
    struct world world;
    char out[512];
    const char head[] =
        "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n" CLOSE;
    seed_write_text("http_server", "continue", SEED_PLAIN, head);
    world_init(&world, false);
    int fd = fixture_dial(world.port);
    fixture_talk(&world.fixture, fd, head, sizeof(head) - 1, "100 Continue\r\n\r\n", out, sizeof(out));
    assert_non_null(strstr(out, "100 Continue"));
    fixture_talk(&world.fixture, fd, "body", 4, NULL, out, sizeof(out));
    assert_memory_equal(out, "HTTP/1.1 200 ", 13);
    assert_non_null(strstr(out, "\r\n\r\nbody"));
    close(fd);
    world_finish(&world);
}

/* evhttp would gather it until the deadline. */
static void test_a_line_without_end_is_cut_off(void **state)
{
    (void)state;
    struct world world;
    struct http_server_config config = world_config();
    static char text[65536], out[1024];
    const char head[] = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    config.request_timeout_ms = 3600000;
    world_init_with(&world, false, config);
    memset(text, '1', sizeof(text) - 1);
    memcpy(text, head, sizeof(head) - 1);
    talk(&world, text, "MESSAGE_TOO_LARGE", out, sizeof(out));
    assert_memory_equal(out, "HTTP/1.1 413 ", 13);
    world_finish(&world);
}

/* A TLS client that takes what comes in small helpings. */
struct eater {
    struct stream *stream;
    struct loop_timer *hungry;
    char *got;
    size_t got_bytes;
    bool ended;
    int error;
};

static void eater_on_ready(void *arg)
{
    static const char request[] = "GET /big HTTP/1.1\r\nHost: x\r\n" CLOSE;
    struct eater *eater = arg;
    assert_int_equal(stream_write(eater->stream, request, sizeof(request) - 1), 0);
}

static void eater_on_data(void *arg, struct evbuffer *input)
{
    struct eater *eater = arg;
    ssize_t got = evbuffer_remove(input, eater->got + eater->got_bytes, 131072);
    eater->got_bytes += (size_t)got;
    stream_pause(eater->stream);
    loop_timer_arm(eater->hungry, 2);
}

static void eater_on_hungry(void *arg)
{
    struct eater *eater = arg;
    stream_resume(eater->stream);
}

static void eater_on_end(void *arg, int error)
{
    struct eater *eater = arg;
    eater->ended = true;
    eater->error = error;
}

static const struct stream_ops eater_ops = {
    .on_ready = eater_on_ready, .on_data = eater_on_data, .on_end = eater_on_end};

static void test_a_slow_reader_gets_all_of_its_last_answer(void **state)
{
    (void)state;
    struct world world;
    struct eater eater = {.got = malloc(9 << 20)};
    world_init(&world, true);
    world.big_bytes = 8 << 20;
    char *big = malloc(world.big_bytes);
    assert_non_null(big);
    assert_non_null(eater.got);
    for (size_t i = 0; i < world.big_bytes; i++)
        big[i] = (char)(i % 251);
    world.big = big;
    assert_int_equal(loop_timer_create(world.fixture.loop, eater_on_hungry, &eater, &eater.hungry), 0);
    assert_int_equal(stream_connect(world.fixture.loop, "127.0.0.1", world.port, world.fixture.client_tls,
                                    &eater_ops, &eater, &eater.stream),
                     0);
    FIXTURE_RUN_UNTIL(&world.fixture, eater.ended);
    assert_int_equal(eater.error, 0);
    assert_true(eater.got_bytes > world.big_bytes);
    assert_memory_equal(eater.got + eater.got_bytes - world.big_bytes, big, world.big_bytes);
    assert_int_equal(http_server_connections(world.server), 0);
    stream_abort(eater.stream);
    loop_timer_destroy(eater.hungry);
    free(eater.got);
    free(big);
    world_finish(&world);
}

/* What is open when the server goes: a request that waits for its answer, a file half sent, half a head, a
 * connection not yet accepted. */
static void test_a_server_goes_with_answers_outstanding(void **state)
{
    (void)state;
    struct world world;
    static char file[4000000];
    char byte;
    int fds[4];
    const char *texts[] = {"GET /later HTTP/1.1\r\nHost: x\r\n\r\n", "GET /file HTTP/1.1\r\nHost: x\r\n\r\n",
                           "GET /fi"};
    world_init(&world, false);
    int fd = open(world.file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, file, sizeof(file)), sizeof(file));
    close(fd);
    for (int i = 0; i < 3; i++) {
        fds[i] = fixture_dial(world.port);
        assert_int_equal(send(fds[i], texts[i], strlen(texts[i]), 0), strlen(texts[i]));
    }
    FIXTURE_RUN_UNTIL(&world.fixture, world.pending != NULL && http_server_connections(world.server) == 3 &&
                                          recv(fds[1], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1);
    fds[3] = fixture_dial(world.port);
    http_server_destroy(world.server);
    world.server = NULL;
    assert_true(world.gone);
    assert_true(recv(fds[0], &byte, 1, 0) <= 0);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    world_finish(&world);
}

static size_t count_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* Each has two while evhttp has it: answered, refused, gone early, one too many of its address. */
static void test_connections_leave_no_descriptor_behind(void **state)
{
    (void)state;
    struct world world;
    char out[1024];
    int fds[4];
    world_init(&world, false);
    size_t before = count_descriptors();
    for (int round = 0; round < 10; round++) {
        talk(&world, GET_A CLOSE, NULL, out, sizeof(out));
        talk(&world, "nonsense\r\n", NULL, out, sizeof(out));
        for (int i = 0; i < 4; i++)
            fds[i] = fixture_dial(world.port);
        fixture_talk(&world.fixture, fds[3], "", 0, NULL, out, sizeof(out));
        for (int i = 0; i < 4; i++)
            close(fds[i]);
        FIXTURE_RUN_UNTIL(&world.fixture, http_server_connections(world.server) == 0);
    }
    FIXTURE_RUN_UNTIL(&world.fixture, count_descriptors() == before);
    world_finish(&world);
}

/* Memory of one size, that of a bufferevent, can be had or not. */
static size_t noted_bytes, refused_bytes;

static void *choosy_malloc(size_t size)
{
    if (noted_bytes == 0)
        noted_bytes = size;
    return size == refused_bytes ? NULL : malloc(size);
}

static void on_answer(void *arg, const struct http_answer *answer)
{
    int *status = arg;
    *status = answer->error < 0 ? answer->error : answer->status;
}

/* evhttp takes a connection for plain text when it is not given a bufferevent: it must never come to that. */
static void test_without_memory_nothing_is_said_in_plain_text(void **state)
{
    (void)state;
    struct world world;
    char out[512];
    world_init(&world, true);
    noted_bytes = 0;
    bufferevent_free(bufferevent_socket_new(loop_base(world.fixture.loop), -1, 0));
    refused_bytes = noted_bytes;
    int first = fixture_dial(world.port), second = fixture_dial(world.port);
    assert_int_equal(send(second, GET_A CLOSE, strlen(GET_A CLOSE), 0), strlen(GET_A CLOSE));
    fixture_talk(&world.fixture, first, GET_A CLOSE, strlen(GET_A CLOSE), NULL, out, sizeof(out));
    assert_null(strstr(out, "HTTP/"));
    for (int i = 0; i < 50; i++)
        loop_step(world.fixture.loop, false);
    assert_int_equal(recv(second, out, sizeof(out), MSG_DONTWAIT), -1);
    refused_bytes = 0;
    fixture_talk(&world.fixture, second, "", 0, NULL, out, sizeof(out));
    assert_null(strstr(out, "HTTP/"));
    close(first);
    close(second);
    int status = 0;
    struct http_client_request request = {
        .method = "GET", .host = "127.0.0.1", .port = world.port, .target = "/echo/a"};
    assert_int_equal(
        http_client_call(world.fixture.loop, world.fixture.client_tls, &request, on_answer, &status, NULL),
        0);
    FIXTURE_RUN_UNTIL(&world.fixture, status != 0);
    assert_int_equal(status, 200);
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_requests_end_at_their_deadline),
        cmocka_unit_test(test_a_handshake_that_stalls_ends_at_its_deadline),
        cmocka_unit_test(test_connections_are_limited_by_address),
        cmocka_unit_test(test_connections_beyond_the_total_wait),
        cmocka_unit_test(test_strangers_make_room),
        cmocka_unit_test(test_strangers_who_do_not_read_make_room),
        cmocka_unit_test(test_new_connections_have_a_rate),
        cmocka_unit_test(test_a_late_answer_finds_a_half_closed_peer),
        cmocka_unit_test(test_a_handler_is_told_when_the_peer_goes),
        cmocka_unit_test(test_who_waits_to_send_its_body_is_told_to),
        cmocka_unit_test(test_a_line_without_end_is_cut_off),
        cmocka_unit_test(test_a_slow_reader_gets_all_of_its_last_answer),
        cmocka_unit_test(test_a_server_goes_with_answers_outstanding),
        cmocka_unit_test(test_connections_leave_no_descriptor_behind),
        cmocka_unit_test(test_without_memory_nothing_is_said_in_plain_text),
    };
    event_set_mem_functions(choosy_malloc, realloc, free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
