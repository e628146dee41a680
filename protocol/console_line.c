/*
 * The KILN-FAIL line. See console_line.h.
 */
#include "protocol/console_line.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char code_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

static bool detail_letter(char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

void console_line_format(const char *code, const char *detail, char out[CONSOLE_LINE_MAX])
{
    char clean[CONSOLE_DETAIL_BYTES];
    size_t len = 0;
    for (; len < sizeof clean - 1 && detail[len]; len++)
        clean[len] = detail_letter(detail[len]) ? detail[len] : '?';
    clean[len] = '\0';
    snprintf(out, CONSOLE_LINE_MAX, "KILN-FAIL code=%.32s detail=\"%s\"", code, clean);
}

/* Copies what stands between *AT and END's first STOP, which must be there; false when it does not fit. */
static bool take_until(const char **at, const char *end, char stop, char *out, size_t max)
{
    const char *found = memchr(*at, stop, (size_t)(end - *at));
    if (!found || (size_t)(found - *at) >= max)
        return false;
    memcpy(out, *at, (size_t)(found - *at));
    out[found - *at] = '\0';
    *at = found + 1;
    return true;
}

static bool take_text(const char **at, const char *end, const char *text)
{
    size_t len = strlen(text);
    if ((size_t)(end - *at) < len || memcmp(*at, text, len) != 0)
        return false;
    *at += len;
    return true;
}

int console_line_parse(const char *line, size_t len, struct console_failure *ret_failure)
{
    struct console_failure failure;
    const char *end = line + len;
    /* a NUL would hide what follows it from the checks below */
    if (memchr(line, '\0', len))
        return -EBADMSG;
    while (end > line && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    if (!take_text(&line, end, "KILN-FAIL code=") ||
        !take_until(&line, end, ' ', failure.code, sizeof failure.code) ||
        !take_text(&line, end, "detail=\"") ||
        !take_until(&line, end, '"', failure.detail, sizeof failure.detail) || line != end)
        return -EBADMSG;
    if (!failure.code[0] || failure.code[strspn(failure.code, code_letters)])
        return -EBADMSG;
    for (const char *c = failure.detail; *c; c++)
        if (!detail_letter(*c))
            return -EBADMSG;
    *ret_failure = failure;
    return 0;
}
