/*
 * Boot data: see boot.h. SMBIOS tables are read as the kernel shows them (SMBIOS 3.4, 6.1.3 and 7.12).
 */
#include "guest/boot.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TABLE_MAX 8192 /* bytes of one SMBIOS structure; ours are far below */
#define TABLES_MAX 8   /* type 11 structures looked at */
#define UUID_PATH "/sys/class/dmi/id/product_uuid"
#define SECRET_PATH "/sys/firmware/qemu_fw_cfg/by_name/" BOOT_DATA_SECRET_ITEM "/raw"

/* Bytes read from a file below SYSROOT, at most MAX_BYTES, or a negative errno. */
static ssize_t read_file(const char *sysroot, const char *path, void *out, size_t max_bytes)
{
    char whole[PATH_MAX];
    if ((size_t)snprintf(whole, sizeof whole, "%s%s", sysroot, path) >= sizeof whole)
        return -ENAMETOOLONG;
    int fd = open(whole, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t len = 0;
    ssize_t got = 1;
    while (len < max_bytes && got > 0) {
        got = read(fd, (char *)out + len, max_bytes - len);
        len += got > 0 ? (size_t)got : 0;
    }
    int error = errno;
    close(fd);
    return got < 0 ? -error : (ssize_t)len;
}

static int say(char error[BOOT_ERROR_MAX], const char *path, int result)
{
    snprintf(error, BOOT_ERROR_MAX, "%s: %s", path, strerror(-result));
    return result;
}

/* The strings after the formatted area: each NUL-terminated, an empty one ends them. */
static int take_table(const uint8_t *table, size_t len_bytes, struct boot_data *data)
{
    size_t at = len_bytes > 1 ? table[1] : len_bytes;
    while (at < len_bytes && table[at] != '\0') {
        const char *text = (const char *)table + at;
        size_t len = strnlen(text, len_bytes - at);
        if (len == len_bytes - at || boot_data_read(data, text) < 0)
            return -EINVAL;
        at += len + 1;
    }
    return 0;
}

static int read_strings(const char *sysroot, struct boot_data *data, char error[BOOT_ERROR_MAX])
{
    for (int i = 0; i < TABLES_MAX; i++) {
        char path[64];
        uint8_t table[TABLE_MAX];
        snprintf(path, sizeof path, "/sys/firmware/dmi/entries/11-%d/raw", i);
        ssize_t len = read_file(sysroot, path, table, sizeof table);
        if (len == -ENOENT)
            break;
        int result = len < 0 ? (int)len : take_table(table, (size_t)len, data);
        if (result < 0)
            return say(error, path, result);
    }
    if (boot_data_complete(data))
        return 0;
    snprintf(error, BOOT_ERROR_MAX, "the OEM strings of the firmware (SMBIOS type 11) are not complete");
    return -ENOENT;
}

static int read_uuid(const char *sysroot, uint8_t ret_uuid[UUID_BYTES], char error[BOOT_ERROR_MAX])
{
    char text[64];
    ssize_t len = read_file(sysroot, UUID_PATH, text, sizeof text - 1);
    if (len < 0)
        return say(error, UUID_PATH, (int)len);
    text[len] = '\0';
    text[strcspn(text, "\n")] = '\0';
    for (char *c = text; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return uuid_parse(text, ret_uuid) < 0 ? say(error, UUID_PATH, -EINVAL) : 0;
}

int boot_read(const char *sysroot, struct boot *ret_boot, char error[BOOT_ERROR_MAX])
{
    struct boot boot = {0};
    int result = read_strings(sysroot, &boot.data, error);
    if (result == 0)
        result = read_uuid(sysroot, boot.uuid, error);
    if (result == 0)
        *ret_boot = boot;
    return result;
}

int boot_read_secret(const char *sysroot, uint8_t secret[REGISTER_SECRET_BYTES], char error[BOOT_ERROR_MAX])
{
    uint8_t bytes[REGISTER_SECRET_BYTES + 1];
    ssize_t len = read_file(sysroot, SECRET_PATH, bytes, sizeof bytes);
    int result = len < 0 ? (int)len : len == REGISTER_SECRET_BYTES ? 0 : -EINVAL;
    if (result < 0)
        say(error, SECRET_PATH, result);
    else
        memcpy(secret, bytes, REGISTER_SECRET_BYTES);
    explicit_bzero(bytes, sizeof bytes);
    return result;
}
