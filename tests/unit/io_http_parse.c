/*
 * HTTP heads as bytes: an answer's head is there when its empty line is, and is read whole or refused; a
 * request's target names what it shows, or is refused.
 */
#include "tests/unit/io_fixture.h"
#include "tests/unit/seed.h"

#include "src/io/http_parse.h"

static void test_an_answer_is_read_when_it_is_whole(void **state)
{
    static const char text[] = "HTTP/1.1 413 Content Too Large\r\nContent-Type: application/json\r\n"
                               "Content-Length:2 \r\nconnection: a, Close\r\n\r\n{}";
    const size_t whole = sizeof(text) - 1 - 2;
    struct http_head head;
    (void)state;
    seed_write_text("http_head", "refusal", SEED_PLAIN, text);
    for (size_t len = 0; len < whole; len++)
        assert_int_equal(http_head_length(text, len), 0);
    assert_int_equal(http_head_length(text, sizeof(text) - 1), whole);
    assert_int_equal(http_parse_answer(text, whole, &head), 0);
    assert_int_equal(head.status, 413);
    assert_int_equal(head.content_length, 2);
    assert_int_equal(head.nfields, 3);
    assert_string_equal(http_head_field(&head, "CONTENT-TYPE"), "application/json");
    assert_string_equal(http_head_field(&head, "Content-Length"), "2");
    assert_null(http_head_field(&head, "Content"));
    assert_true(http_head_has_token(&head, "Connection", "close"));
    assert_false(head.keep_alive);
    http_head_finish(&head);
}

static void test_an_upgrade_has_no_length(void **state)
{
    static const char text[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    struct http_head head;
    (void)state;
    seed_write_text("http_head", "switching", SEED_PLAIN, text);
    assert_int_equal(http_parse_answer(text, sizeof(text) - 1, &head), 0);
    assert_int_equal(head.status, 101);
    assert_int_equal(head.content_length, -1);
    assert_true(head.keep_alive);
    http_head_finish(&head);
}

static void refuse(const char *text, int error)
{
    struct http_head head = {.status = 77};
    int result = http_parse_answer(text, strlen(text), &head);
    if (result != error || head.status != 77)
        fail_msg("%s: %d, not %d", text, result, error);
}

static void test_what_is_no_answer_is_refused(void **state)
{
    (void)state;
    refuse("", -EBADMSG);
    refuse("\r\n\r\n", -EBADMSG);
    refuse("GET / HTTP/1.1\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 20 OK\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 2000 OK\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 099 Less\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 600 More\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1  200 OK\r\n\r\n", -EBADMSG);
    refuse("HTTP/2.0 200 OK\r\n\r\n", -EPROTONOSUPPORT);
    refuse("HTTP/1.1 200 OK\n\n", -EBADMSG);
    refuse("HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 200 OK\r\nA\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 200 OK\r\n: b\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 200 OK\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 200 OK\r\nContent-Length: 1234567890123456\r\n\r\n", -EBADMSG);
    refuse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -ENOTSUP);
    struct http_head head;
    assert_int_equal(http_parse_answer("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", 25, &head), -EBADMSG);
}

static void test_fields_are_limited(void **state)
{
    char text[HTTP_HEAD_MAX] = "HTTP/1.0 200 OK\r\n";
    struct http_head head;
    (void)state;
    for (int i = 0; i < HTTP_FIELDS_MAX; i++)
        strcat(text, "A: b\r\n");
    size_t len = strlen(text);
    strcat(text, "\r\n");
    assert_int_equal(http_parse_answer(text, strlen(text), &head), 0);
    assert_int_equal(head.nfields, HTTP_FIELDS_MAX);
    assert_false(head.keep_alive);
    http_head_finish(&head);
    strcpy(text + len, "A: b\r\n\r\n");
    refuse(text, -E2BIG);
}

static void test_a_target_names_what_it_shows(void **state)
{
    static const char *const bad[] = {"",       "x",    "/..",    "/../x", "/%2e%2e/x", "/a/./b", "/a%2Fb",
                                      "/a%00b", "/a%0", "/a%xyz", "/a b",  "/a#b",      "/a\x7f", "/a\xc3",
                                      "//x/..", "*",    "/a/.",   "/.",    "/%2E"};
    struct http_head head = {.content_length = -1};
    (void)state;
    seed_write_text("http_head", "query", SEED_PLAIN, "/v1/vms?since=3");
    seed_write_text("http_head", "dots", SEED_PLAIN, bad[4]);
    assert_int_equal(http_head_set_target(&head, "/v1/v%6Ds?since=3"), 0);
    assert_string_equal(head.path, "/v1/vms");
    assert_string_equal(head.query, "since=3");
    http_head_finish(&head);
    assert_int_equal(http_head_set_target(&head, "/a/...b"), 0);
    assert_string_equal(head.path, "/a/...b");
    assert_string_equal(head.query, "");
    http_head_finish(&head);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (http_head_set_target(&head, bad[i]) != -EBADMSG || head.path != NULL)
            fail_msg("%s is taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_is_read_when_it_is_whole),
        cmocka_unit_test(test_an_upgrade_has_no_length),
        cmocka_unit_test(test_what_is_no_answer_is_refused),
        cmocka_unit_test(test_fields_are_limited),
        cmocka_unit_test(test_a_target_names_what_it_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
