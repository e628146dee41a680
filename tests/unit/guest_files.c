/*
 * The small records of stub and controller: floor, console, handover, folders that no link leads out of.
 */
#include "tests/unit/guest_fixture.h"

#include "guest/console.h"
#include "guest/floor.h"
#include "guest/folder.h"
#include "guest/handover.h"

static void test_floor(void **state)
{
    (void)state;
    uint64_t version = 99;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", fixture_path("kept/floor"));
    assert_int_equal(floor_read(path, &version), 0);
    assert_int_equal(version, 0);
    assert_int_equal(floor_write(path, 41), 0);
    assert_int_equal(floor_write(path, 42), 0);
    assert_int_equal(floor_read(path, &version), 0);
    assert_int_equal(version, 42);
    static const char *const wrong[] = {"", "x\n", "-1\n", "4 2\n", "42", "99999999999999999999999\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        fixture_write(path, wrong[i], strlen(wrong[i]));
        assert_int_equal(floor_read(path, &version), -EBADMSG);
    }
    assert_int_equal(version, 42);
}

static void test_console(void **state)
{
    (void)state;
    struct console console;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", fixture_path("console"));
    fixture_write(path, "[    1.2] half a line", 21);
    console_init(&console, path);
    console_fail(&console, CODE_PORT_22_TAKEN, "sshd \"pid\"\n412");
    console_fail(&console, CODE_PORT_22_TAKEN, "again");
    console_fail(&console, CODE_HOST_UNREACHABLE, "");
    char *text = fixture_read(path);
    assert_string_equal(text,
                        "[    1.2] half a line\r\nKILN-FAIL code=PORT_22_TAKEN detail=\"sshd ?pid??412\"\r\n"
                        "\r\nKILN-FAIL code=HOST_UNREACHABLE detail=\"\"\r\n");
    free(text);
}

static void test_handover(void **state)
{
    (void)state;
    static struct handover handover = {.stub_version = "0.1.0", .kept_len = 3, .kept = "abc"}, back;
    uint8_t record[HANDOVER_RECORD_MAX];
    size_t len;
    handover.manifest[0] = 1;
    handover.config[31] = 2;
    assert_int_equal(handover_encode(&handover, record, &len), 0);
    assert_int_equal(handover_decode(record, len, &back), 0);
    assert_memory_equal(&back, &handover, sizeof back);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(handover_decode(record, cut, &back), -EBADMSG);
}

static int open_root(void)
{
    return open(fixture_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void test_folders(void **state)
{
    (void)state;
    int root = open_root(), fd;
    struct stat st;
    assert_int_equal(folder_open(root, "a/b/c", &fd), -ENOENT);
    assert_int_equal(folder_make(root, "a/b/c", &fd), 0);
    close(fd);
    assert_int_equal(stat(fixture_path("a/b"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(folder_open(root, "a/b/c", &fd), 0);
    close(fd);
    close(root);
}

static void test_links(void **state)
{
    (void)state;
    int root = open_root(), fd;
    assert_int_equal(symlink("/tmp", fixture_path("out")), 0);
    assert_int_equal(symlink("a", fixture_path("in")), 0);
    fixture_write(fixture_path("file"), "x", 1);
    assert_int_equal(folder_make(root, "out", &fd), -ELOOP);
    assert_int_equal(folder_make(root, "out/x", &fd), -ELOOP);
    assert_int_equal(folder_check(root, "in/b"), -ELOOP);
    assert_int_equal(folder_check(root, "file/x"), -ENOTDIR);
    assert_int_equal(folder_check(root, "new/x"), 0);
    assert_true(folder_make(root, "../x", &fd) < 0);
    assert_true(folder_make(root, "a//b", &fd) < 0);
    close(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_floor), cmocka_unit_test(test_console),
                                       cmocka_unit_test(test_handover), cmocka_unit_test(test_folders),
                                       cmocka_unit_test(test_links)};
    return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
