/*
 * Whole files: read up to a limit, written whole or not at all.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/cli/common_file.h"

static char folder[] = "/tmp/kiln-cli-file-XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    /* Nothing else may be left of what was written beside. */
    return rmdir(folder);
}

static void expect(const char *wanted)
{
    char *text;
    size_t len;
    assert_int_equal(cli_file_read(path, strlen(wanted), &text, &len), 0);
    assert_int_equal(len, strlen(wanted));
    assert_string_equal(text, wanted);
    free(text);
}

static void what_is_written_is_read(void **state)
{
    struct stat found;
    (void)state;
    assert_int_equal(cli_file_write(path, "first", 5, true), 0);
    expect("first");
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    assert_int_equal(cli_file_write(path, "second", 6, false), 0);
    expect("second");
}

static void what_is_there_stays(void **state)
{
    (void)state;
    assert_int_equal(cli_file_write(path, "third", 5, true), -EEXIST);
    expect("second");
}

static void what_cannot_be_is_told(void **state)
{
    char *text = NULL, far[8192];
    (void)state;
    assert_int_equal(cli_file_read(path, 5, &text, NULL), -EFBIG);
    assert_int_equal(cli_file_read(folder, 5, &text, NULL), -EISDIR);
    memset(far, 'x', sizeof far - 1);
    far[sizeof far - 1] = '\0';
    assert_int_equal(cli_file_write(far, "", 0, false), -ENAMETOOLONG);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(cli_file_read(path, 5, &text, NULL), -ENOENT);
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_there_stays),
        cmocka_unit_test(what_cannot_be_is_told),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
