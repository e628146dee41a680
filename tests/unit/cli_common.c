/*
 * Words of a guest or of another user's on a terminal: nothing in them is obeyed, not in a name, not in a
 * text, not in JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/cli/common.h"

/* What PRINT writes to the standard output. */
static char *printed(void (*print)(const char *text), const char *text)
{
    char *bytes = NULL;
    size_t len = 0;
    FILE *before = stdout;
    stdout = open_memstream(&bytes, &len);
    assert_non_null(stdout);
    print(text);
    fclose(stdout);
    stdout = before;
    return bytes;
}

static void print_text(const char *text)
{
    cli_print_text(stdout, text);
}

static void print_name(const char *text)
{
    cli_print_row(text, 6, "x");
}

static void expect(void (*print)(const char *text), const char *text, const char *wanted)
{
    char *bytes = printed(print, text);
    assert_string_equal(bytes, wanted);
    free(bytes);
}

static void test_text(void **state)
{
    (void)state;
    expect(print_text, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\xa5",
           "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\xa5");
    expect(print_text, "\x1b[2J\x7f\r\n", "?[2J???");
    expect(print_text,
           "\xc2\x9b"
           "2J",
           "??2J");
    /* the same control, in a form that is too long */
    expect(print_text,
           "\xe0\x82\x9b"
           "2J",
           "???2J");
    expect(print_text, "\xf0\x80\x82\x9b", "????");
    expect(print_text, "\xed\xa0\x80", "???");
    expect(print_text, "\xf4\x90\x80\x80", "????");
    expect(print_text, "a\xc3", "a?");
    /* a turn of direction */
    expect(print_text, "no\xe2\x80\xaeyes", "no???yes");
    expect(print_text, "no\xe2\x81\xa6yes", "no???yes");
}

static void test_name(void **state)
{
    (void)state;
    expect(print_name, "state", "state  x\n");
    expect(print_name, "\x1b]0;x\x07", "?]0;x? x\n");
}

static void test_json(void **state)
{
    (void)state;
    expect(cli_print_json,
           "{\"a\":\"\xc2\x9b"
           "2J \xc3\xbc\"}",
           "{\"a\":\"\\u009b2J \xc3\xbc\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_name),
                                       cmocka_unit_test(test_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
