/*
 * The words behind a command: options anywhere, each as often as it may stand, and nothing that is silently
 * passed over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/cli/common.h"
#include "src/cli/common_words.h"

static bool force;
static const char *reason;
static struct cli_list drives;
static const struct cli_option options[] = {CLI_FLAG("--force", &force), CLI_VALUE("--reason", &reason),
                                            CLI_VALUES("--drive", &drives), CLI_END};

/* TEXT is cut at its spaces. */
static int read_words(const char *text, bool rest, struct cli_words *words)
{
    static char copy[256];
    static char *argv[32];
    int argc = 0;
    force = false;
    reason = NULL;
    drives.count = 0;
    strcpy(copy, text);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return rest ? cli_words_read_rest(argc, argv, options, 1, 2, words)
                : cli_words_read(argc, argv, options, 1, 2, words);
}

static void options_stand_anywhere(void **state)
{
    struct cli_words words;
    (void)state;
    assert_int_equal(read_words("--force a --drive x b --reason r --drive y", false, &words), CLI_OK);
    assert_int_equal(words.count, 2);
    assert_string_equal(words.word[1], "b");
    assert_true(force);
    assert_string_equal(reason, "r");
    assert_int_equal(drives.count, 2);
    assert_string_equal(drives.item[1], "y");
    assert_null(words.rest);
}

/* What is said on the standard error to TEXT. */
static char *said_to(const char *text, struct cli_words *words)
{
    char *bytes = NULL;
    size_t len = 0;
    FILE *before = stderr;
    stderr = open_memstream(&bytes, &len);
    assert_non_null(stderr);
    int result = read_words(text, false, words);
    fclose(stderr);
    stderr = before;
    assert_int_equal(result, CLI_USAGE);
    return bytes;
}

static void what_is_wrong_is_refused(void **state)
{
    static const char many[] =
        "a --drive 1 --drive 2 --drive 3 --drive 4 --drive 5 --drive 6 --drive 7 --drive 8 --drive 9";
    static const char *const wrong[][2] = {
        {"", "a word is missing"},
        {"a b c", "'c' is one word too many"},
        {"a --frob", "there is no option --frob here"},
        {"a --force=1", "there is no option --force=1 here"},
        {"a --reason", "--reason needs a value"},
        {"a --drive", "--drive needs a value"},
        {"a -- b", "nothing may stand behind --"},
        {many, "--drive stands more than 8 times"},
    };
    struct cli_words words = {.count = 77};
    (void)state;
    cli_set_program("test");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char wanted[128], *said = said_to(wrong[i][0], &words);
        snprintf(wanted, sizeof wanted, "test: %s\ntest: see test --help\n", wrong[i][1]);
        assert_string_equal(said, wanted);
        free(said);
        assert_int_equal(words.count, 77);
        assert_int_equal(read_words("a", false, &words), CLI_OK);
        words.count = 77;
    }
}

static void the_rest_is_left_to_whom_it_is_for(void **state)
{
    struct cli_words words;
    (void)state;
    assert_int_equal(read_words("a -- --force b c d", true, &words), CLI_OK);
    assert_int_equal(words.count, 1);
    assert_false(force);
    assert_string_equal(words.rest[0], "--force");
    assert_string_equal(words.rest[3], "d");
    assert_null(words.rest[4]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(the_rest_is_left_to_whom_it_is_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
