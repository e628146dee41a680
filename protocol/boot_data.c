/*
 * Boot data in SMBIOS OEM strings. See boot_data.h.
 */
#include "protocol/boot_data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/text.h"

static const char *const names[BOOT_DATA_STRINGS] = {"kiln:url=", "kiln:edge=", "kiln:host=", "kiln:brick="};

enum { URL, EDGE, HOST, BRICK };

/* Where the hash of a string is kept. */
static uint8_t *hash_of(struct boot_data *data, unsigned index)
{
    return index == EDGE ? data->edge : index == HOST ? data->identity : data->brick;
}

/* A port from 1 to 65535, in digits alone, the first not 0. */
static int parse_port(const char *text, uint16_t *ret_port)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long port = strtoul(text, NULL, 10);
    if (digits == 0 || digits > 5 || text[digits] || text[0] == '0' || port > 65535)
        return -EBADMSG;
    *ret_port = (uint16_t)port;
    return 0;
}

/* Of names and of both kinds of addresses. */
static const char host_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:";

/* https://HOST:PORT or https://[HOST]:PORT. */
static int parse_url(const char *text, struct boot_data *data)
{
    static const char scheme[] = "https://";
    if (strncmp(text, scheme, strlen(scheme)) != 0)
        return -EBADMSG;
    text += strlen(scheme);
    bool bracketed = *text == '[';
    const char *end = bracketed ? strstr(++text, "]:") : strchr(text, ':');
    size_t len = end ? (size_t)(end - text) : 0;
    if (len == 0 || len >= sizeof data->host || strspn(text, host_letters) < len)
        return -EBADMSG;
    /* One text for each value: brackets are for what needs them. */
    if (bracketed != (memchr(text, ':', len) != NULL))
        return -EBADMSG;
    uint16_t port;
    if (parse_port(end + (bracketed ? 2 : 1), &port) < 0)
        return -EBADMSG;
    memcpy(data->host, text, len);
    data->host[len] = '\0';
    data->port = port;
    return 0;
}

int boot_data_read(struct boot_data *data, const char *string)
{
    for (unsigned i = 0; i < BOOT_DATA_STRINGS; i++) {
        size_t len = strlen(names[i]);
        if (strncmp(string, names[i], len) != 0)
            continue;
        if (data->seen & 1u << i)
            return -EBADMSG;
        int error = i == URL ? parse_url(string + len, data)
                             : hex_decode(string + len, hash_of(data, i), BOOT_DATA_HASH_BYTES);
        if (error == 0)
            data->seen |= 1u << i;
        return error;
    }
    return 0;
}

bool boot_data_complete(const struct boot_data *data)
{
    return data->seen == (1u << BOOT_DATA_STRINGS) - 1;
}

void boot_data_format(const struct boot_data *data, unsigned index, char out[BOOT_DATA_STRING_BYTES])
{
    struct boot_data copy = *data;
    char digits[TEXT_HEX_BYTES(BOOT_DATA_HASH_BYTES)];
    bool colon = strchr(data->host, ':') != NULL;
    if (index == URL) {
        snprintf(out, BOOT_DATA_STRING_BYTES, "%shttps://%s%s%s:%u", names[URL], colon ? "[" : "", data->host,
                 colon ? "]" : "", data->port);
        return;
    }
    hex_encode(hash_of(&copy, index), BOOT_DATA_HASH_BYTES, digits);
    snprintf(out, BOOT_DATA_STRING_BYTES, "%s%s", names[index], digits);
}

void drive_serial_format(const uint8_t drive[16], char out[21])
{
    hex_encode(drive, 10, out);
}
