// Boot data: see boot.h. SMBIOS tables are read as the kernel shows them (SMBIOS 3.4, 6.1.3 and 7.12).
#include "guest/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TABLE_MAX 8192 // bytes of one SMBIOS structure; ours are far below
#define TABLES_MAX 8   // type 11 structures looked at
#define SECRET_PATH "/sys/firmware/qemu_fw_cfg/by_name/opt/org.kiln/boot-secret/raw"

enum { SEEN_URL = 1, SEEN_EDGE = 2, SEEN_HOST = 4, SEEN_BRICK = 8, SEEN_ALL = 15 };

// Bytes read from a file below SYSROOT, at most MAX_BYTES, or a negative errno.
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

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Exactly LEN_BYTES of hex; dashes are skipped when DASHES.
static bool parse_hex(const char *text, bool dashes, uint8_t *out, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++) {
        while (dashes && *text == '-')
            text++;
        int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return *text == '\0';
}

// "https://HOST:PORT", HOST may be in brackets.
static bool parse_url(const char *text, struct boot *boot)
{
    static const char scheme[] = "https://";
    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return false;
    text += sizeof scheme - 1;
    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        return false;
    const char *end = colon;
    if (*text == '[' && end > text && end[-1] == ']') {
        text++;
        end--;
    }
    char *rest;
    unsigned long port = strtoul(colon + 1, &rest, 10);
    if (end <= text || (size_t)(end - text) >= sizeof boot->host || *rest != '\0' || port == 0 ||
        port > 65535)
        return false;
    memcpy(boot->host, text, (size_t)(end - text));
    boot->host[end - text] = '\0';
    boot->port = (uint16_t)port;
    return true;
}

// One OEM string; strings of others are none of our business.
static int take_string(const char *text, struct boot *boot, int *seen, char error[BOOT_ERROR_MAX])
{
    static const struct {
        const char *key;
        int bit;
    } keys[] = {{"kiln:url=", SEEN_URL},
                {"kiln:edge=", SEEN_EDGE},
                {"kiln:host=", SEEN_HOST},
                {"kiln:brick=", SEEN_BRICK}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        size_t len = strlen(keys[i].key);
        if (strncmp(text, keys[i].key, len) != 0)
            continue;
        uint8_t *hash = keys[i].bit == SEEN_EDGE   ? boot->edge
                        : keys[i].bit == SEEN_HOST ? boot->identity
                                                   : boot->brick;
        bool good = keys[i].bit == SEEN_URL ? parse_url(text + len, boot)
                                            : parse_hex(text + len, false, hash, BOOT_HASH_LEN);
        if (!good || *seen & keys[i].bit) {
            snprintf(error, BOOT_ERROR_MAX, "OEM string %s is malformed or there twice", keys[i].key);
            return -EINVAL;
        }
        *seen |= keys[i].bit;
    }
    return 0;
}

// The strings after the formatted area: each NUL-terminated, an empty one ends them.
static int take_table(const uint8_t *table, size_t len_bytes, struct boot *boot, int *seen,
                      char error[BOOT_ERROR_MAX])
{
    size_t at = len_bytes > 1 ? table[1] : len_bytes;
    while (at < len_bytes && table[at] != '\0') {
        const char *text = (const char *)table + at;
        size_t len = strnlen(text, len_bytes - at);
        if (len == len_bytes - at)
            break;
        int result = take_string(text, boot, seen, error);
        if (result < 0)
            return result;
        at += len + 1;
    }
    return 0;
}

static int read_strings(const char *sysroot, struct boot *boot, char error[BOOT_ERROR_MAX])
{
    int seen = 0;
    for (int i = 0; i < TABLES_MAX; i++) {
        char path[64];
        uint8_t table[TABLE_MAX];
        snprintf(path, sizeof path, "/sys/firmware/dmi/entries/11-%d/raw", i);
        ssize_t len = read_file(sysroot, path, table, sizeof table);
        if (len == -ENOENT)
            break;
        int result = len < 0 ? (int)len : take_table(table, (size_t)len, boot, &seen, error);
        if (len < 0)
            snprintf(error, BOOT_ERROR_MAX, "%s: %s", path, strerror((int)-len));
        if (result < 0)
            return result;
    }
    if (seen == SEEN_ALL)
        return 0;
    snprintf(error, BOOT_ERROR_MAX, "SMBIOS type 11 lacks%s%s%s%s", seen & SEEN_URL ? "" : " kiln:url",
             seen & SEEN_EDGE ? "" : " kiln:edge", seen & SEEN_HOST ? "" : " kiln:host",
             seen & SEEN_BRICK ? "" : " kiln:brick");
    return -ENOENT;
}

static int read_uuid(const char *sysroot, struct boot *boot, char error[BOOT_ERROR_MAX])
{
    static const char path[] = "/sys/class/dmi/id/product_uuid";
    char text[64];
    ssize_t len = read_file(sysroot, path, text, sizeof text - 1);
    if (len < 0) {
        snprintf(error, BOOT_ERROR_MAX, "%s: %s", path, strerror((int)-len));
        return (int)len;
    }
    text[len] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (parse_hex(text, true, boot->uuid, BOOT_UUID_LEN))
        return 0;
    snprintf(error, BOOT_ERROR_MAX, "%s holds no UUID", path);
    return -EINVAL;
}

int boot_read(const char *sysroot, struct boot *ret_boot, char error[BOOT_ERROR_MAX])
{
    struct boot boot = {0};
    int result = read_strings(sysroot, &boot, error);
    if (result == 0)
        result = read_uuid(sysroot, &boot, error);
    if (result == 0)
        *ret_boot = boot;
    return result;
}

int boot_read_secret(const char *sysroot, uint8_t secret[BOOT_SECRET_LEN], char error[BOOT_ERROR_MAX])
{
    uint8_t bytes[BOOT_SECRET_LEN + 1];
    ssize_t len = read_file(sysroot, SECRET_PATH, bytes, sizeof bytes);
    int result = len < 0 ? (int)len : len == BOOT_SECRET_LEN ? 0 : -EINVAL;
    if (len < 0)
        snprintf(error, BOOT_ERROR_MAX, "%s: %s", SECRET_PATH, strerror((int)-len));
    else if (result < 0)
        snprintf(error, BOOT_ERROR_MAX, "the boot secret is not %d bytes long", BOOT_SECRET_LEN);
    else
        memcpy(secret, bytes, BOOT_SECRET_LEN);
    explicit_bzero(bytes, sizeof bytes);
    return result;
}
