/*
 * PEM to DER and back. See pem.h.
 */
#include "protocol/pem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/crypto.h"

enum { LINE_BYTES = 48, MARK_MAX = 64 }; /* 48 bytes make the 64 characters of RFC 7468 */

int pem_encode(const char *label, const void *der, size_t len, char *out, size_t max)
{
    const uint8_t *at = der;
    char line[TEXT_BASE64_BYTES(LINE_BYTES)];
    size_t need = TEXT_BASE64_BYTES(len) + len / LINE_BYTES + 1 + 2 * (strlen(label) + 17);
    if (need > max)
        return -ENOSPC;
    out += sprintf(out, "-----BEGIN %s-----\n", label);
    while (len > 0) {
        size_t take = len < LINE_BYTES ? len : LINE_BYTES;
        base64_encode(at, take, line);
        out += sprintf(out, "%s\n", line);
        at += take;
        len -= take;
    }
    sprintf(out, "-----END %s-----\n", label);
    crypto_wipe(line, sizeof line);
    return 0;
}

/* Copies what is not white space. */
static int strip(const char *from, const char *end, char *out, size_t max, size_t *ret_len)
{
    size_t len = 0;
    for (; from < end; from++) {
        if (strchr(" \t\r\n", *from))
            continue;
        if (len == max)
            return -ENOSPC;
        out[len++] = *from;
    }
    *ret_len = len;
    return 0;
}

int pem_decode(const char *text, const char *label, uint8_t *out, size_t max, size_t *ret_len)
{
    char mark[MARK_MAX], digits[CRYPTO_PEM_MAX];
    size_t len;
    snprintf(mark, sizeof mark, "-----BEGIN %s-----", label);
    const char *begin = strstr(text, mark);
    if (!begin)
        return -ENOENT;
    begin += strlen(mark);
    snprintf(mark, sizeof mark, "-----END %s-----", label);
    const char *end = strstr(begin, mark);
    if (!end)
        return -EBADMSG;
    int error = strip(begin, end, digits, sizeof digits, &len);
    if (error == 0)
        error = base64_decode(digits, len, out, max, ret_len);
    crypto_wipe(digits, sizeof digits);
    return error;
}
