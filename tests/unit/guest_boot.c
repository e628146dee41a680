/* Boot data out of the firmware's tables: read when whole, refused with words when not. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "guest/boot.h"
#include "tests/unit/seed.h"

#define TABLE "/sys/firmware/dmi/entries/11-0/raw"
#define UUID "/sys/class/dmi/id/product_uuid"
#define SECRET "/sys/firmware/qemu_fw_cfg/by_name/" BOOT_DATA_SECRET_ITEM "/raw"

enum { TABLE_BYTES = 600, HEADER_BYTES = 5 };

static char root[] = "/tmp/kiln-boot-XXXXXX";

static void put_file(const char *path, const void *bytes, size_t len)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *at = whole + sizeof root; (at = strchr(at, '/')) != NULL; *at++ = '/') {
        *at = '\0';
        mkdir(whole, 0700);
    }
    int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) == NULL;
}

static int remove_root(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

static const struct boot_data wanted = {
    .host = "10.77.0.1", .port = 8443, .edge = {1}, .identity = {2}, .brick = {3}};

/* A structure of type 11 with the first COUNT strings of ours and one of another's. Returns its length. */
static size_t make_table(unsigned count, uint8_t out[TABLE_BYTES])
{
    static const char other[] = "other:thing";
    size_t len = HEADER_BYTES;
    memcpy(out, (uint8_t[HEADER_BYTES]){11, HEADER_BYTES, 0, 0, (uint8_t)(count + 1)}, HEADER_BYTES);
    memcpy(out + len, other, sizeof other);
    len += sizeof other;
    for (unsigned i = 0; i < count; i++) {
        char text[BOOT_DATA_STRING_BYTES];
        boot_data_format(&wanted, i, text);
        memcpy(out + len, text, strlen(text) + 1);
        len += strlen(text) + 1;
    }
    out[len] = '\0';
    return len + 1;
}

static void whole_tables_are_read(void **state)
{
    uint8_t table[TABLE_BYTES];
    struct boot boot;
    char error[BOOT_ERROR_MAX];
    size_t len = make_table(BOOT_DATA_STRINGS, table);
    (void)state;
    seed_write("boot", "whole", SEED_PLAIN, table, len);
    put_file(TABLE, table, len);
    put_file(UUID, "00112233-4455-6677-8899-AABBCCDDEEFF\n", 37);
    assert_int_equal(boot_read(root, &boot, error), 0);
    assert_string_equal(boot.data.host, "10.77.0.1");
    assert_int_equal(boot.data.port, 8443);
    assert_int_equal(boot.data.brick[0], 3);
    assert_int_equal(boot.uuid[15], 0xff);
}

static void what_is_missing_or_cut_is_named(void **state)
{
    uint8_t table[TABLE_BYTES];
    struct boot boot;
    char error[BOOT_ERROR_MAX] = "";
    size_t len = make_table(BOOT_DATA_STRINGS - 1, table);
    (void)state;
    seed_write("boot", "one-missing", SEED_PLAIN, table, len);
    put_file(TABLE, table, len);
    assert_int_equal(boot_read(root, &boot, error), -ENOENT);
    assert_non_null(strstr(error, "not complete"));
    put_file(TABLE, table, len - 2);
    assert_int_equal(boot_read(root, &boot, error), -EINVAL);
    assert_non_null(strstr(error, TABLE));
}

static void a_secret_has_its_length(void **state)
{
    uint8_t bytes[REGISTER_SECRET_BYTES + 1] = {9}, secret[REGISTER_SECRET_BYTES];
    char error[BOOT_ERROR_MAX] = "";
    (void)state;
    assert_int_equal(boot_read_secret(root, secret, error), -ENOENT);
    put_file(SECRET, bytes, sizeof bytes);
    assert_int_equal(boot_read_secret(root, secret, error), -EINVAL);
    put_file(SECRET, bytes, sizeof secret - 1);
    assert_int_equal(boot_read_secret(root, secret, error), -EINVAL);
    assert_non_null(strstr(error, SECRET));
    put_file(SECRET, bytes, sizeof secret);
    assert_int_equal(boot_read_secret(root, secret, error), 0);
    assert_memory_equal(secret, bytes, sizeof secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_tables_are_read),
        cmocka_unit_test(what_is_missing_or_cut_is_named),
        cmocka_unit_test(a_secret_has_its_length),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
