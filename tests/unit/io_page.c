/*
 * What the page's files are chosen by: codings that a browser takes, tags that it has, where a request comes
 * from.
 */
#include "tests/unit/io_fixture.h"

#include "src/io/http_parse.h"
#include "src/io/page.h"

static void test_a_coding_is_taken_when_it_is_named_and_not_weighed_nothing(void **state)
{
    (void)state;
    assert_true(page_takes_coding("br", "br"));
    assert_true(page_takes_coding("gzip, deflate, BR, zstd", "br"));
    assert_true(page_takes_coding("gzip;q=0.5 , br ; q=1.0", "br"));
    assert_true(page_takes_coding("gzip;q=0.001", "gzip"));
    assert_false(page_takes_coding(NULL, "br"));
    assert_false(page_takes_coding("", "br"));
    assert_false(page_takes_coding("gzip, deflate", "br"));
    assert_false(page_takes_coding("brotli, xbr", "br"));
    assert_false(page_takes_coding("br;q=0", "br"));
    assert_false(page_takes_coding("br; q=0.000, gzip", "br"));
    assert_false(page_takes_coding(",,;;,", "br"));
}

static void test_a_tag_is_had_in_a_list_weak_or_by_a_star(void **state)
{
    (void)state;
    assert_true(page_has_tag("\"a-1\"", "\"a-1\""));
    assert_true(page_has_tag("\"b\", W/\"a-1\"", "\"a-1\""));
    assert_true(page_has_tag("*", "\"a-1\""));
    assert_false(page_has_tag(NULL, "\"a-1\""));
    assert_false(page_has_tag("", "\"a-1\""));
    assert_false(page_has_tag("\"a-12\"", "\"a-1\""));
    assert_false(page_has_tag("a-1", "\"a-1\""));
    assert_false(page_has_tag("W/", "\"a-1\""));
}

static bool is_foreign(const char *fields, const char *scheme)
{
    char text[512];
    struct http_head head;
    /* Fields are fields; a request would need a connection of evhttp. */
    int len = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n%s\r\n", fields);
    assert_int_equal(http_parse_answer(text, (size_t)len, &head), 0);
    bool foreign = page_is_foreign(&head, scheme);
    http_head_finish(&head);
    return foreign;
}

static void test_only_ones_own_origin_is_not_foreign(void **state)
{
    (void)state;
    assert_false(is_foreign("Host: kiln.example:9443\r\n", "https"));
    assert_false(is_foreign("Host: kiln.example:9443\r\nOrigin: https://kiln.example:9443\r\n", "https"));
    assert_false(is_foreign("Host: Kiln.Example\r\nOrigin: https://kiln.example\r\n", "https"));
    assert_false(is_foreign("Host: 127.0.0.1:80\r\nOrigin: http://127.0.0.1:80\r\n", "http"));
    assert_true(is_foreign("Host: kiln.example:9443\r\nOrigin: http://kiln.example:9443\r\n", "https"));
    assert_true(is_foreign("Host: kiln.example:9443\r\nOrigin: https://kiln.example\r\n", "https"));
    assert_true(is_foreign("Host: kiln.example\r\nOrigin: https://kiln.example.evil\r\n", "https"));
    assert_true(is_foreign("Host: kiln.example\r\nOrigin: https://evil.example\r\n", "https"));
    assert_true(is_foreign("Host: kiln.example\r\nOrigin: null\r\n", "https"));
    assert_true(is_foreign("Host: kiln.example\r\nOrigin:\r\n", "https"));
    assert_true(is_foreign("Origin: https://kiln.example\r\n", "https"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_coding_is_taken_when_it_is_named_and_not_weighed_nothing),
        cmocka_unit_test(test_a_tag_is_had_in_a_list_weak_or_by_a_star),
        cmocka_unit_test(test_only_ones_own_origin_is_not_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
