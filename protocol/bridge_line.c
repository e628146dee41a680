/*
 * Lines that open an SSH bridge. See bridge_line.h.
 */
#include "protocol/bridge_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/text.h"

static const char greeting[] = "KILN/1 ";

enum { GREETING_BYTES = sizeof greeting - 1, DIGITS = BRIDGE_TICKET_BYTES * 2 };

/* Whether C may stand at this place of the line. */
static bool fits(size_t place, char c)
{
    if (place < GREETING_BYTES)
        return c == greeting[place];
    if (place < GREETING_BYTES + DIGITS)
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    return c == (place == GREETING_BYTES + DIGITS ? '\r' : '\n');
}

int bridge_line_parse(const void *bytes, size_t len, uint8_t ret_ticket[BRIDGE_TICKET_BYTES])
{
    const char *line = bytes;
    char digits[DIGITS + 1];
    for (size_t i = 0; i < len && i < BRIDGE_LINE_BYTES; i++)
        if (!fits(i, line[i]))
            return -EBADMSG;
    if (len < BRIDGE_LINE_BYTES)
        return 0;
    memcpy(digits, line + GREETING_BYTES, DIGITS);
    digits[DIGITS] = '\0';
    return hex_decode(digits, ret_ticket, BRIDGE_TICKET_BYTES) < 0 ? -EBADMSG : BRIDGE_LINE_BYTES;
}

void bridge_line_format(const uint8_t ticket[BRIDGE_TICKET_BYTES], char out[BRIDGE_LINE_BYTES + 1])
{
    memcpy(out, greeting, GREETING_BYTES);
    hex_encode(ticket, BRIDGE_TICKET_BYTES, out + GREETING_BYTES);
    strcpy(out + GREETING_BYTES + DIGITS, "\r\n");
}

size_t bridge_answer_format(enum kiln_code code, char out[BRIDGE_ANSWER_MAX])
{
    const struct code_info *info = code_info(code);
    if (!info)
        return (size_t)snprintf(out, BRIDGE_ANSWER_MAX, "OK\r\n");
    return (size_t)snprintf(out, BRIDGE_ANSWER_MAX, "ERR %s %s\r\n", info->name, info->words);
}

/* NAME SPACE WORDS after "ERR ". */
static int parse_failure(const char *text, size_t len, struct bridge_answer *ret_answer)
{
    struct bridge_answer answer;
    size_t name = strnlen(text, len);
    const char *space = memchr(text, ' ', len);
    if (name != len || !space || space == text)
        return -EBADMSG;
    name = (size_t)(space - text);
    if (name >= sizeof answer.name)
        return -EBADMSG;
    memcpy(answer.name, text, name);
    answer.name[name] = '\0';
    if (strspn(answer.name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != name)
        return -EBADMSG;
    memcpy(answer.words, space + 1, len - name - 1);
    answer.words[len - name - 1] = '\0';
    *ret_answer = answer;
    return 0;
}

int bridge_answer_parse(const void *bytes, size_t len, struct bridge_answer *ret_answer)
{
    const char *line = bytes;
    const char *end = memchr(line, '\n', len < BRIDGE_ANSWER_MAX ? len : BRIDGE_ANSWER_MAX);
    if (!end)
        return len < BRIDGE_ANSWER_MAX ? 0 : -EBADMSG;
    int line_len = (int)(end - line) + 1;
    if (line_len == 4 && memcmp(line, "OK\r\n", 4) == 0) {
        *ret_answer = (struct bridge_answer){.name = ""};
        return line_len;
    }
    if (line_len < 7 || memcmp(line, "ERR ", 4) != 0 || end[-1] != '\r')
        return -EBADMSG;
    int error = parse_failure(line + 4, (size_t)line_len - 6, ret_answer);
    return error ? error : line_len;
}
