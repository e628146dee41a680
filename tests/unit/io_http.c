/*
 * HTTP server and client: against each other over TLS, and the server against bytes no client of ours would
 * send.
 */
#include "tests/unit/io_http_world.h"
#include "tests/unit/seed.h"

#include "src/io/http_client.h"

/* STATUS "" is any. Whoever refuses, evhttp or we: the same body, our headers, and the end. */
static void expect_refusal(struct world *world, const char *text, const char *status)
{
    static unsigned seeds;
    char out[4096], line[64];
    snprintf(line, sizeof(line), "refused-%u", seeds++);
    seed_write_text("http_server", line, SEED_PLAIN, text);
    talk(world, text, NULL, out, sizeof(out));
    snprintf(line, sizeof(line), "HTTP/1.1 %s", status);
    if (strncmp(out, line, strlen(line)) != 0)
        fail_msg("for %.60s the answer was %.60s", text, out);
    if ((strstr(out, "\r\n\r\n{\"error\":{\"code\":\"") == NULL ||
         strstr(out, "Connection: close\r\n") == NULL || strstr(out, "X-Common: yes\r\n") == NULL))
        fail_msg("for %.60s the answer was %s", text, out);
}

/* evhttp has the whole request read before anybody may refuse it, and says 400 to a version or a length of
 * head that it does not take. */
static void test_what_is_wrong_is_refused_by_status(void **state)
{
    (void)state;
    struct world world;
    static char big[10000];
    world_init(&world, false);
    expect_refusal(&world, "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404");
    expect_refusal(&world, "PUT /echo HTTP/1.1\r\nHost: x\r\n\r\n", "405");
    expect_refusal(&world, "FROB /echo HTTP/1.1\r\nHost: x\r\n\r\n", "501");
    expect_refusal(&world, "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "501");
    expect_refusal(&world, "GET /echo/a HTTP/1.1\r\n\r\n", "400");
    expect_refusal(&world, "GET /echo/../x HTTP/1.1\r\nHost: x\r\n\r\n", "400");
    expect_refusal(&world, "GET /echo/%00 HTTP/1.1\r\nHost: x\r\n\r\n", "400");
    expect_refusal(&world, "GET http://x/echo/a HTTP/1.1\r\nHost: x\r\n\r\n", "400");
    expect_refusal(&world, "GET /echo/a b HTTP/1.1\r\nHost: x\r\n\r\n", "400");
    expect_refusal(&world, "GET /echo/a HTTP/2.0\r\nHost: x\r\n\r\n", "400");
    expect_refusal(&world, "GET /echo/a HTTP/1.7\r\nHost: x\r\n\r\n", "505");
    expect_refusal(&world, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 65\r\n\r\n", "413");
    expect_refusal(&world, "GET /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", "413");
    expect_refusal(&world, "GET /echo/a HTTP/1.1\r\nHost : x\r\n\r\n", "400");
    expect_refusal(&world, "GET /echo/a HTTP/1.1\r\nHost: x\r\nX: a\x01\r\n\r\n", "400");
    expect_refusal(&world, "GET /echo/a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400");
    expect_refusal(&world, "GET /echo/a HTTP/1.1\r\nHost: x\r\nExpect: more\r\nContent-Length: 1\r\n\r\n",
                   "417");
    memset(big, 'a', sizeof(big) - 1);
    memcpy(big, "GET /", 5);
    expect_refusal(&world, big, "400");
    world_finish(&world);
}

/* What two readers could cut differently. Some of it is refused by a newer evhttp (Debian's security update
 * of 2.1.12), before our own check says 501 or 400. */
static void test_a_body_of_two_lengths_is_refused(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, false);
    expect_refusal(&world,
                   "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
                   "501");
    expect_refusal(&world,
                   "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "0\r\n\r\n",
                   "");
    expect_refusal(&world,
                   "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: gzip\r\n\r\nx",
                   "");
    expect_refusal(
        &world, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "400");
    expect_refusal(&world, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nx", "400");
    expect_refusal(&world, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nx", "400");
    char out[1024];
    const char head[] = "HEAD /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 42\r\n\r\n"
                        "GET /echo/b HTTP/1.1\r\nHost: x\r\n\r\n";
    talk(&world, head, NULL, out, sizeof(out));
    assert_memory_equal(out, "HTTP/1.1 400 ", 13);
    assert_null(strstr(out, "HTTP/1.1 200 "));
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

/* One after the other, though they came together; HEAD gets the length and no body. */
static void test_requests_sent_together_are_answered_in_turn(void **state)
{
    (void)state;
    struct world world;
    char out[2048];
    const char text[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
                        "HEAD /big HTTP/1.1\r\nHost: x\r\n\r\n"
                        "GET /echo/three HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"
                        "GET /echo/four HTTP/1.0\r\nHost: x\r\n\r\n"
                        "GET /echo/never HTTP/1.1\r\nHost: x\r\n\r\n";
    seed_write_text("http_server", "together", SEED_PLAIN, text);
    world_init(&world, false);
    talk(&world, text, NULL, out, sizeof(out));
    const char *one = strstr(out, "\r\n\r\noneHTTP/1.1 200 OK\r\n");
    assert_non_null(one);
    const char *three = strstr(one, "\r\n\r\nHTTP/1.0 200 OK\r\n");
    assert_non_null(three);
    assert_non_null(strstr(three, "X-Path: /echo/four\r\n"));
    assert_null(strstr(out, "/echo/never"));
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_sent_together_are_answered_in_turn),
        cmocka_unit_test(test_what_is_wrong_is_refused_by_status),
        cmocka_unit_test(test_a_body_of_two_lengths_is_refused),
        cmocka_unit_test(test_one_byte_at_a_time),
        cmocka_unit_test(test_a_call_over_tls),
        cmocka_unit_test(test_calls_that_fail_say_why),
        cmocka_unit_test(test_a_file_comes_whole_and_within_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
