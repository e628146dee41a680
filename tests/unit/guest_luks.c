/*
 * LUKS2 on a plain file: made, its key checked, half made. Opening needs device mapper and is seen in real
 * VMs.
 */
#include "tests/unit/guest_fixture.h"

#include "guest/luks.h"

static const uint8_t key[LUKS_KEY_LEN] = "0123456789abcdef0123456789abcde";
static const uint8_t other[LUKS_KEY_LEN] = "1123456789abcdef0123456789abcde";

static const char *make_drive(void)
{
    const char *path = fixture_path("drive");
    unlink(path);
    fixture_write(path, "", 0);
    assert_int_equal(truncate(path, 32 * 1024 * 1024), 0);
    return path;
}

static void test_keys(void **state)
{
    (void)state;
    char said[LUKS_SAID_MAX] = "";
    assert_int_equal(luks_make(make_drive(), key, said), 0);
    assert_int_equal(luks_check_key(fixture_path("drive"), key, said), 0);
    assert_int_equal(luks_check_key(fixture_path("drive"), other, said), -EPERM);
}

static void test_half_made(void **state)
{
    (void)state;
    char said[LUKS_SAID_MAX] = "";
    assert_int_equal(luks_make(make_drive(), key, said), 0);
    assert_int_equal(luks_is_half_made(fixture_path("drive")), 1);
    assert_int_equal(luks_finish_making(fixture_path("drive"), said), 0);
    assert_int_equal(luks_is_half_made(fixture_path("drive")), 0);
    assert_int_equal(luks_check_key(fixture_path("drive"), key, said), 0);
}

static void test_no_container(void **state)
{
    (void)state;
    char said[LUKS_SAID_MAX] = "";
    make_drive();
    assert_true(luks_is_half_made(fixture_path("drive")) < 0);
    assert_true(luks_check_key(fixture_path("drive"), key, said) < 0);
    assert_true(luks_finish_making(fixture_path("drive"), said) < 0);
}

static void test_key_is_not_in_the_header(void **state)
{
    (void)state;
    char said[LUKS_SAID_MAX] = "";
    char *bytes = malloc(16 * 1024 * 1024);
    assert_int_equal(luks_make(make_drive(), key, said), 0);
    int fd = open(fixture_path("drive"), O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, bytes, 16 * 1024 * 1024);
    close(fd);
    assert_true(len > 0);
    assert_null(memmem(bytes, (size_t)len, key, sizeof key));
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys), cmocka_unit_test(test_half_made),
                                       cmocka_unit_test(test_no_container),
                                       cmocka_unit_test(test_key_is_not_in_the_header)};
    return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
