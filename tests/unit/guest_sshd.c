/*
 * sshd's files: keys checked, kept in order, restricted; a host key of this boot that stays.
 */
#include "tests/unit/guest_fixture.h"

#include "guest/sshd.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKxYFq7xwVQJ7dMBQV0pNGqEtLW6hTBnmNWD4ZB6lzX4"

static void test_lines(void **state)
{
    (void)state;
    char line[SSHD_KEY_LINE_MAX];
    static const char *const good[] = {KEY, KEY "\n", KEY " a comment", KEY " a comment\n"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(sshd_key_parse(good[i], line), 0);
        assert_string_equal(line, KEY);
    }
    static const char *const wrong[] = {
        "",       "ssh-ed25519",       "ssh-ed25519 ",      "ssh-dss AAAA", "command=\"x\" " KEY,
        "  " KEY, KEY "\n" KEY,        KEY " c\n" KEY "\n", KEY "\r\n" KEY, KEY "\nx",
        KEY "\"", "ssh-ed25519 \nAAAA"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(sshd_key_parse(wrong[i], line), -EBADMSG);
}

static void test_prepare(void **state)
{
    (void)state;
    char said[SSHD_SAID_MAX] = "", first[SSHD_KEY_LINE_MAX], second[SSHD_KEY_LINE_MAX];
    assert_int_equal(sshd_host_key(first), -ENOENT);
    assert_int_equal(sshd_prepare(said), 0);
    assert_int_equal(sshd_host_key(first), 0);
    /* A controller that starts again finds the same key. */
    assert_int_equal(sshd_prepare(said), 0);
    assert_int_equal(sshd_host_key(second), 0);
    assert_string_equal(first, second);
    RUN("/usr/sbin/sshd", "-t", "-f", SSHD_FOLDER "/sshd_config");
}

static void test_authorize(void **state)
{
    (void)state;
    char key[80];
    for (int i = 0; i < SSHD_KEYS_MAX + 3; i++) {
        snprintf(key, sizeof key, "ssh-ed25519 KEY%02d", i);
        assert_int_equal(sshd_authorize("ada", key), 0);
    }
    char *text = fixture_read(SSHD_FOLDER "/authorized/ada");
    int lines = 0;
    for (const char *at = text; (at = strstr(at, "restrict,port-forwarding")) != NULL; at++)
        lines++;
    assert_int_equal(lines, SSHD_KEYS_MAX);
    assert_null(strstr(text, "KEY02"));
    assert_non_null(strstr(text, "KEY03\n"));
    assert_non_null(strstr(text, "KEY18\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines), cmocka_unit_test(test_prepare),
                                       cmocka_unit_test(test_authorize)};
    return cmocka_run_group_tests(tests, fixture_make_world, fixture_remove_world);
}
