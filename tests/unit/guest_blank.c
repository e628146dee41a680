/*
 * What is blank, and what never is: file systems, volume managers, partition tables, bytes that nobody knows.
 */
#include "tests/unit/guest_fixture.h"

#include "guest/blank.h"
#include "guest/luks.h"

#define SIZE (32 * 1024 * 1024)

static const uint8_t key[LUKS_KEY_LEN] = "0123456789abcdef0123456789abcde";

static const char *make_drive(void)
{
    const char *path = fixture_path("drive");
    unlink(path);
    fixture_write(path, "", 0);
    assert_int_equal(truncate(path, SIZE), 0);
    return path;
}

static enum blank_state probe(char found[BLANK_FOUND_MAX])
{
    enum blank_state state = BLANK_BLANK;
    int fd = open(fixture_path("drive"), O_RDONLY | O_CLOEXEC);
    found[0] = '\0';
    assert_int_equal(blank_probe(fd, &state, found), 0);
    close(fd);
    return state;
}

static void put(off_t at, const void *bytes, size_t len)
{
    int fd = open(fixture_path("drive"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    close(fd);
}

static void expect_occupied(const char *words)
{
    char found[BLANK_FOUND_MAX];
    assert_int_equal(probe(found), BLANK_OCCUPIED);
    if (strstr(found, words) == NULL)
        fail_msg("found \"%s\", not %s", found, words);
}

static void test_blank(void **state)
{
    (void)state;
    char found[BLANK_FOUND_MAX];
    make_drive();
    assert_int_equal(probe(found), BLANK_BLANK);
    /* Data in the middle that no signature leads to cannot be told from what was there before; it is not
     * looked at. */
    assert_string_equal(found, "");
}

static void test_file_systems(void **state)
{
    (void)state;
    RUN("/sbin/mkfs.ext4", "-q", "-F", make_drive());
    expect_occupied("ext4");
    RUN("/sbin/mkswap", make_drive());
    expect_occupied("swap");
}

static void test_luks(void **state)
{
    (void)state;
    char found[BLANK_FOUND_MAX], said[LUKS_SAID_MAX];
    assert_int_equal(luks_make(make_drive(), key, said), 0);
    assert_int_equal(probe(found), BLANK_LUKS2);
    /* Both headers of LUKS1 say its version; it is data like any other. */
    make_drive();
    put(0, "LUKS\xba\xbe\0\1", 8);
    expect_occupied("LUKS 1");
}

/* A LUKS2 header with something else beside it is not ours to open or to format. */
static void test_luks_and_more(void **state)
{
    (void)state;
    char said[LUKS_SAID_MAX];
    assert_int_equal(luks_make(make_drive(), key, said), 0);
    put(0x438, "\x53\xef", 2);
    char found[BLANK_FOUND_MAX];
    assert_int_not_equal(probe(found), BLANK_BLANK);
}

static void test_partition_tables(void **state)
{
    (void)state;
    static const uint8_t entry[] = {0x80, 1, 1, 0, 0x83, 0xfe, 0xff, 0xff, 0, 8, 0, 0, 0, 0x80, 0, 0};
    make_drive();
    put(0x1be, entry, sizeof entry);
    put(0x1fe, "\x55\xaa", 2);
    expect_occupied("dos");
}

static void test_volume_manager(void **state)
{
    (void)state;
    make_drive();
    /* The label of LVM2 in the second sector; its checksum is wrong, and that is no reason to format it. */
    put(512, "LABELONE\1\0\0\0\0\0\0\0\0\0\0\0 \0\0\0LVM2 001", 32);
    expect_occupied("");
}

static void test_unknown_bytes(void **state)
{
    (void)state;
    make_drive();
    put(70000, "x", 1);
    expect_occupied("first MiB");
    make_drive();
    put(SIZE - 1, "x", 1);
    expect_occupied("last MiB");
}

static void test_small(void **state)
{
    (void)state;
    char found[BLANK_FOUND_MAX];
    make_drive();
    assert_int_equal(truncate(fixture_path("drive"), 4096), 0);
    assert_int_equal(probe(found), BLANK_BLANK);
    put(4095, "x", 1);
    expect_occupied("MiB");
}

static void test_unreadable(void **state)
{
    (void)state;
    enum blank_state is = BLANK_LUKS2;
    char found[BLANK_FOUND_MAX] = "";
    make_drive();
    int fd = open(fixture_path("drive"), O_WRONLY | O_CLOEXEC);
    assert_true(blank_probe(fd, &is, found) < 0);
    close(fd);
    assert_int_equal(is, BLANK_LUKS2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_blank),
                                       cmocka_unit_test(test_file_systems),
                                       cmocka_unit_test(test_luks),
                                       cmocka_unit_test(test_luks_and_more),
                                       cmocka_unit_test(test_partition_tables),
                                       cmocka_unit_test(test_volume_manager),
                                       cmocka_unit_test(test_unknown_bytes),
                                       cmocka_unit_test(test_small),
                                       cmocka_unit_test(test_unreadable)};
    return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
