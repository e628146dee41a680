/*
 * What no sequence may do to a drive with data: a container that was cut off while it was made counts as made
 * once it holds a file system; a drive does not hide another; a hostile file system does not stop the VM.
 */
#include "tests/unit/guest_fixture.h"

#include <linux/loop.h>
#include <sys/ioctl.h>

#include "guest/drive.h"
#include "guest/mount.h"

static const uint8_t key[LUKS_KEY_LEN] = "0123456789abcdef0123456789abcde";

static void make_file(const char *name, off_t bytes)
{
    fixture_write(fixture_path(name), "", 0);
    assert_int_equal(truncate(fixture_path(name), bytes), 0);
}

static void make_half(char device[PATH_MAX], char mapped[PATH_MAX])
{
    char said[LUKS_SAID_MAX] = "";
    make_file("device", 32 * 1024 * 1024);
    make_file("mapped", 16 * 1024 * 1024);
    strcpy(device, fixture_path("device"));
    strcpy(mapped, fixture_path("mapped"));
    assert_int_equal(luks_make(device, key, said), 0);
}

static void test_cut_off_before_the_file_system(void **state)
{
    char device[PATH_MAX], mapped[PATH_MAX], said[LUKS_SAID_MAX] = "";
    (void)state;
    make_half(device, mapped);
    assert_int_equal(drive_settle_making(device, mapped, said), -ENODATA);
    assert_int_equal(luks_is_half_made(device), 1);
}

static void test_cut_off_behind_the_file_system(void **state)
{
    char device[PATH_MAX], mapped[PATH_MAX], said[LUKS_SAID_MAX] = "";
    (void)state;
    make_half(device, mapped);
    RUN("/sbin/mkfs.ext4", "-q", "-F", mapped);
    assert_int_equal(drive_settle_making(device, mapped, said), 0);
    assert_int_equal(luks_is_half_made(device), 0);
    /* A made one is left as it is, whatever it holds. */
    make_file("mapped", 16 * 1024 * 1024);
    assert_int_equal(drive_settle_making(device, mapped, said), 0);
}

/* A loop device that goes with its last user. */
static int open_loop(const char *file, char node[32])
{
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    int number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
    int image = open(file, O_RDWR | O_CLOEXEC);
    snprintf(node, 32, "/dev/loop%d", number);
    int fd = open(node, O_RDWR | O_CLOEXEC);
    struct loop_config config = {.fd = (uint32_t)image, .info.lo_flags = LO_FLAGS_AUTOCLEAR};
    int result = fd < 0 || image < 0 ? -1 : ioctl(fd, LOOP_CONFIGURE, &config);
    close(image);
    close(control);
    if (result == 0)
        return fd;
    close(fd);
    return -1;
}

static void test_mounts(void **state)
{
    char first[32], second[32], folder[PATH_MAX];
    (void)state;
    make_file("one", 16 * 1024 * 1024);
    RUN("/sbin/mkfs.ext4", "-q", "-F", "-e", "panic", fixture_path("one"));
    make_file("two", 16 * 1024 * 1024);
    RUN("/sbin/mkfs.ext4", "-q", "-F", fixture_path("two"));
    int one = open_loop(fixture_path("one"), first), two = open_loop(fixture_path("two"), second);
    if (one < 0 || two < 0)
        skip();
    strcpy(folder, fixture_path("drives/data"));
    assert_false(mount_is_of(folder, first));
    assert_int_equal(mount_ext4(first, folder, true), 0);
    assert_true(mount_is_of(folder, first));
    assert_false(mount_is_of(folder, second));
    assert_int_equal(mount_ext4(second, folder, false), -EBUSY);
    assert_true(mount_is_of(folder, first));
    char *mounts = fixture_read("/proc/self/mounts");
    const char *line = strstr(mounts, folder);
    assert_non_null(line);
    assert_null(memmem(line, strcspn(line, "\n"), "errors=panic", 12));
    assert_non_null(memmem(line, strcspn(line, "\n"), "nosuid,nodev", 12));
    free(mounts);
    assert_int_equal(umount(folder), 0);
    close(one);
    close(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cut_off_before_the_file_system),
                                       cmocka_unit_test(test_cut_off_behind_the_file_system),
                                       cmocka_unit_test(test_mounts)};
    return cmocka_run_group_tests(tests, fixture_make_world, fixture_remove_world);
}
