/*
 * Text forms of bytes: strict decoders, plain encoders. See text.h.
 */
#include "protocol/text.h"

#include <errno.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void hex_encode(const void *bytes, size_t len, char *out)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++) {
        *out++ = hex_digits[at[i] >> 4];
        *out++ = hex_digits[at[i] & 15];
    }
    *out = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_decode(const char *text, void *ret_bytes, size_t len)
{
    uint8_t *out = ret_bytes;
    if (strlen(text) != len * 2)
        return -EBADMSG;
    for (size_t i = 0; i < len * 2; i++)
        if (hex_digit(text[i]) < 0)
            return -EBADMSG;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(hex_digit(text[2 * i]) * 16 + hex_digit(text[2 * i + 1]));
    return 0;
}

void base64_encode(const void *bytes, size_t len, char *out)
{
    const uint8_t *at = bytes;
    for (; len >= 3; len -= 3, at += 3) {
        *out++ = base64_digits[at[0] >> 2];
        *out++ = base64_digits[(at[0] & 3) << 4 | at[1] >> 4];
        *out++ = base64_digits[(at[1] & 15) << 2 | at[2] >> 6];
        *out++ = base64_digits[at[2] & 63];
    }
    if (len > 0) {
        *out++ = base64_digits[at[0] >> 2];
        *out++ = base64_digits[(at[0] & 3) << 4 | (len == 2 ? at[1] >> 4 : 0)];
        *out++ = len == 2 ? base64_digits[(at[1] & 15) << 2] : '=';
        *out++ = '=';
    }
    *out = '\0';
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* One group of four characters, DIGITS of them not padding, to BITS. False when malformed. */
static bool base64_group(const char *group, unsigned digits, uint32_t *bits)
{
    *bits = 0;
    for (unsigned i = 0; i < 4; i++) {
        int value = i < digits ? base64_digit(group[i]) : 0;
        if (value < 0)
            return false;
        *bits = *bits << 6 | (uint32_t)value;
    }
    return (*bits & (digits == 2 ? 0xffff : digits == 3 ? 0xff : 0)) == 0;
}

int base64_decode(const char *text, size_t len, void *out, size_t max, size_t *ret_len)
{
    uint8_t *to = out;
    size_t done = 0;
    if (len % 4 != 0)
        return -EBADMSG;
    for (size_t at = 0; at < len; at += 4) {
        unsigned digits = 4;
        if (at + 4 == len && text[at + 3] == '=')
            digits = text[at + 2] == '=' ? 2 : 3;
        uint32_t bits;
        if (!base64_group(text + at, digits, &bits))
            return -EBADMSG;
        for (unsigned i = 0; i + 1 < digits; i++, bits <<= 8) {
            if (done == max)
                return -ENOSPC;
            to[done++] = (uint8_t)(bits >> 16);
        }
    }
    *ret_len = done;
    return 0;
}

static bool uuid_dash_at(size_t position)
{
    return position == 8 || position == 13 || position == 18 || position == 23;
}

void uuid_format(const uint8_t uuid[UUID_BYTES], char out[UUID_TEXT_BYTES])
{
    char digits[TEXT_HEX_BYTES(UUID_BYTES)];
    hex_encode(uuid, UUID_BYTES, digits);
    for (size_t i = 0, from = 0; i < UUID_TEXT_BYTES - 1; i++)
        out[i] = uuid_dash_at(i) ? '-' : digits[from++];
    out[UUID_TEXT_BYTES - 1] = '\0';
}

int uuid_parse(const char *text, uint8_t ret_uuid[UUID_BYTES])
{
    char digits[TEXT_HEX_BYTES(UUID_BYTES)];
    size_t to = 0;
    if (strlen(text) != UUID_TEXT_BYTES - 1)
        return -EBADMSG;
    for (size_t i = 0; i < UUID_TEXT_BYTES - 1; i++) {
        if (uuid_dash_at(i) != (text[i] == '-'))
            return -EBADMSG;
        if (!uuid_dash_at(i))
            digits[to++] = text[i];
    }
    digits[to] = '\0';
    return hex_decode(digits, ret_uuid, UUID_BYTES);
}

bool name_valid(const char *text)
{
    size_t len = text ? strlen(text) : 0;
    if (len == 0 || len >= NAME_BYTES || text[0] == '-')
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* Length of the valid sequence at AT, 0 when there is none. The second byte's range shuts out overlong forms,
 * surrogates and what lies above U+10FFFF (RFC 3629 section 4). */
static size_t utf8_sequence(const uint8_t *at, size_t left)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t len = at[0] < 0x80   ? 1
                 : at[0] < 0xc2 ? 0
                 : at[0] < 0xe0 ? 2
                 : at[0] < 0xf0 ? 3
                 : at[0] < 0xf5 ? 4
                                : 0;
    if (len == 0 || len > left)
        return 0;
    if (at[0] == 0xe0)
        low = 0xa0;
    else if (at[0] == 0xed)
        high = 0x9f;
    else if (at[0] == 0xf0)
        low = 0x90;
    else if (at[0] == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < len; i++, low = 0x80, high = 0xbf)
        if (at[i] < low || at[i] > high)
            return 0;
    return len;
}

size_t utf8_valid_prefix(const char *text, size_t len)
{
    size_t done = 0;
    while (done < len) {
        uint64_t eight;
        if (len - done >= sizeof eight) {
            memcpy(&eight, text + done, sizeof eight);
            if (!(eight & UINT64_C(0x8080808080808080))) {
                done += sizeof eight;
                continue;
            }
        }
        size_t step = utf8_sequence((const uint8_t *)text + done, len - done);
        if (step == 0)
            break;
        done += step;
    }
    return done;
}
