/*
 * The gate of kiln-connect web: other names for loopback, other pages, other people, the first address used
 * twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "src/cli/connect_gate.h"
#include "src/io/http_parse.h"

static const uint8_t first_bytes[GATE_SECRET_BYTES] = {1, 2, 3}, cookie_bytes[GATE_SECRET_BYTES] = {4, 5, 6};
static struct connect_gate gate;

#define HOST "Host: 127.0.0.1:4711\r\n"

static enum gate_verdict judge_path(const char *path, const char *fields, bool websocket)
{
    char text[1024];
    struct http_head head;
    /* Fields are fields; a request would need a connection. */
    int len = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%s\r\n", fields);
    assert_int_equal(http_parse_answer(text, (size_t)len, &head), 0);
    assert_int_equal(http_head_set_target(&head, path), 0);
    enum gate_verdict verdict = connect_gate_judge(&gate, &head, websocket);
    http_head_finish(&head);
    return verdict;
}

/* The fields with our Host and a good cookie, and more. */
static enum gate_verdict judge_known(const char *more, bool websocket)
{
    char fields[512];
    snprintf(fields, sizeof fields, HOST "Cookie: a=b; kiln-web-4711=%s\r\n%s", gate.cookie, more);
    return judge_path("/v1/me", fields, websocket);
}

static int make_gate(void **state)
{
    (void)state;
    connect_gate_init(&gate, 4711, first_bytes, cookie_bytes);
    return 0;
}

static void test_the_first_address_is_good_once(void **state)
{
    (void)state;
    char path[128], fields[256];
    snprintf(path, sizeof path, GATE_START "%s", gate.first);
    snprintf(fields, sizeof fields, HOST "Cookie: kiln-web-4711=%s\r\n", gate.cookie);
    assert_int_equal(judge_path(GATE_START, HOST, false), GATE_REFUSED);
    assert_int_equal(judge_path(GATE_START "0102", HOST, false), GATE_REFUSED);
    assert_int_equal(judge_path(path, "Host: evil.example:4711\r\n", false), GATE_REFUSED);
    assert_int_equal(judge_path(path, HOST "Origin: https://evil.example\r\n", false), GATE_REFUSED);
    assert_int_equal(judge_path(path, HOST, true), GATE_REFUSED);
    assert_int_equal(judge_path(path, HOST "Sec-Fetch-Site: cross-site\r\n", false), GATE_BEGIN);
    assert_int_equal(judge_path(path, HOST, false), GATE_REFUSED);
    assert_int_equal(judge_path(GATE_START, HOST, false), GATE_REFUSED);
    assert_int_equal(judge_path(path, fields, false), GATE_HOME);
}

static void test_without_the_cookie_nothing_passes(void **state)
{
    (void)state;
    assert_int_equal(judge_known("", false), GATE_PASS);
    assert_int_equal(judge_path("/", HOST, false), GATE_REFUSED);
    assert_int_equal(judge_path("/v1/me", HOST "Cookie: kiln-web-4711=\r\n", false), GATE_REFUSED);
    assert_int_equal(judge_path("/v1/me", HOST "Cookie: kiln-web-4711=0405\r\n", false), GATE_REFUSED);
    char fields[256];
    snprintf(fields, sizeof fields, HOST "Cookie: kiln-web-4711=%sx\r\n", gate.cookie);
    assert_int_equal(judge_path("/v1/me", fields, false), GATE_REFUSED);
    snprintf(fields, sizeof fields, HOST "Cookie: xkiln-web-4711=%s\r\n", gate.cookie);
    assert_int_equal(judge_path("/v1/me", fields, false), GATE_REFUSED);
    snprintf(fields, sizeof fields, HOST "Cookie: kiln-web-4711=0;kiln-web-4711=%s;\r\n", gate.cookie);
    assert_int_equal(judge_path("/v1/me", fields, false), GATE_PASS);
    /* Another kiln-connect web on this machine has a cookie of its own, beside ours. */
    snprintf(fields, sizeof fields, HOST "Cookie: kiln-web-4712=%s\r\n", gate.cookie);
    assert_int_equal(judge_path("/v1/me", fields, false), GATE_REFUSED);
    /* The first address's secret is not the cookie's. */
    snprintf(fields, sizeof fields, HOST "Cookie: kiln-web-4711=%s\r\n", gate.first);
    assert_int_equal(judge_path("/v1/me", fields, false), GATE_REFUSED);
}

static void test_another_name_for_loopback_is_refused(void **state)
{
    (void)state;
    static const char *const hosts[] = {"Host: localhost:4711\r\n",      "Host: rebound.example:4711\r\n",
                                        "Host: 127.0.0.1\r\n",           "Host: 127.0.0.1:4712\r\n",
                                        HOST "Host: 127.0.0.1:4711\r\n", ""};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        char fields[512];
        snprintf(fields, sizeof fields, "%sCookie: kiln-web-4711=%s\r\n", hosts[i], gate.cookie);
        assert_int_equal(judge_path("/v1/me", fields, false), GATE_REFUSED);
    }
}

static void test_pages_of_others_are_refused(void **state)
{
    (void)state;
    assert_int_equal(judge_known("Origin: http://127.0.0.1:4711\r\n", false), GATE_PASS);
    assert_int_equal(judge_known("Sec-Fetch-Site: same-origin\r\n", false), GATE_PASS);
    assert_int_equal(judge_known("Sec-Fetch-Site: none\r\n", false), GATE_PASS);
    assert_int_equal(judge_known("Origin: http://127.0.0.1:8080\r\n", false), GATE_REFUSED);
    assert_int_equal(judge_known("Origin: https://127.0.0.1:4711\r\n", false), GATE_REFUSED);
    assert_int_equal(judge_known("Origin: null\r\n", false), GATE_REFUSED);
    assert_int_equal(judge_known("Sec-Fetch-Site: same-site\r\n", false), GATE_REFUSED);
    assert_int_equal(judge_known("Sec-Fetch-Site: cross-site\r\n", false), GATE_REFUSED);
}

static void test_a_websocket_says_where_it_comes_from(void **state)
{
    (void)state;
    assert_int_equal(judge_known("Origin: http://127.0.0.1:4711\r\n", true), GATE_PASS);
    assert_int_equal(judge_known("", true), GATE_REFUSED);
    assert_int_equal(judge_known("Origin: https://evil.example\r\n", true), GATE_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_first_address_is_good_once, make_gate),
        cmocka_unit_test_setup(test_without_the_cookie_nothing_passes, make_gate),
        cmocka_unit_test_setup(test_another_name_for_loopback_is_refused, make_gate),
        cmocka_unit_test_setup(test_pages_of_others_are_refused, make_gate),
        cmocka_unit_test_setup(test_a_websocket_says_where_it_comes_from, make_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
