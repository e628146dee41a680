/*
 * HTTP heads: see http_parse.h. An answer is cut into strings in place, on a copy.
 */
#include "src/io/http_parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONTENT_LENGTH_DIGITS 15 /* fits an int64_t with room */

size_t http_head_length(const char *text, size_t len_bytes)
{
    const char *end = memmem(text, len_bytes, "\r\n\r\n", 4);
    return end == NULL ? 0 : (size_t)(end - text) + 4;
}

/* RFC 9110 5.6.2 */
static bool is_token(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (!isalnum((unsigned char)*text) && strchr("!#$%&'*+-.^_`|~", *text) == NULL)
            return false;
    }
    return true;
}

/* Visible characters, spaces, tabs and bytes above ASCII: what a field's value may hold. */
static bool is_value(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* Ends the line at *AT, moves *AT behind its CRLF and returns the line; NULL when it holds a bare CR, LF or a
 * NUL. */
static char *take_line(char **at)
{
    char *line = *at;
    size_t len = strcspn(line, "\r\n");
    if (line[len] != '\r' || line[len + 1] != '\n')
        return NULL;
    line[len] = '\0';
    *at = line + len + 2;
    return line;
}

int http_head_add_field(struct http_head *head, const char *name, const char *value)
{
    if (!is_token(name) || !is_value(value))
        return -EBADMSG;
    if (head->nfields == HTTP_FIELDS_MAX)
        return -E2BIG;
    head->fields[head->nfields++] = (struct http_field){.name = name, .value = value};
    return 0;
}

/* "Name: value", cut in place. */
static int add_line(struct http_head *head, char *line)
{
    char *colon = strchr(line, ':');
    if (colon == NULL)
        return -EBADMSG;
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        value[--len] = '\0';
    return http_head_add_field(head, line, value);
}

static int read_fields(struct http_head *head, char *at)
{
    for (;;) {
        char *line = take_line(&at);
        if (line == NULL)
            return -EBADMSG;
        if (*line == '\0')
            return 0;
        int error = add_line(head, line);
        if (error < 0)
            return error;
    }
}

/* RFC 9112 6.3: two lengths, or a length that is no plain number, would let two readers cut the stream
 * differently. */
int http_head_read_length(struct http_head *head)
{
    head->content_length = -1;
    if (http_head_field(head, "Transfer-Encoding") != NULL)
        return -ENOTSUP;
    for (size_t i = 0; i < head->nfields; i++) {
        const char *value = head->fields[i].value;
        if (strcasecmp(head->fields[i].name, "Content-Length") != 0)
            continue;
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): every field that is counted has a value */
        size_t digits = strspn(value, "0123456789");
        if (head->content_length >= 0 || digits == 0 || digits > CONTENT_LENGTH_DIGITS ||
            value[digits] != '\0')
            return -EBADMSG;
        head->content_length = strtoll(value, NULL, 10);
    }
    return 0;
}

/* "HTTP/1.0" or "HTTP/1.1" -> minor version. */
static int read_version(const char *text, int *ret_minor)
{
    if (strncmp(text, "HTTP/", 5) != 0)
        return -EBADMSG;
    if (strcmp(text, "HTTP/1.0") != 0 && strcmp(text, "HTTP/1.1") != 0)
        return -EPROTONOSUPPORT;
    *ret_minor = text[7] - '0';
    return 0;
}

void http_head_read_keep_alive(struct http_head *head, int minor)
{
    if (minor == 0)
        head->keep_alive = http_head_has_token(head, "Connection", "keep-alive");
    else
        head->keep_alive = !http_head_has_token(head, "Connection", "close");
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether the segment that ends before END is "." or "..". */
static bool is_dots(const char *start, const char *end)
{
    size_t len = (size_t)(end - start);
    return (len == 1 && start[0] == '.') || (len == 2 && start[0] == '.' && start[1] == '.');
}

/* Decodes %xx of SOURCE into OUT (as long as SOURCE). Refuses what could name another place than it shows. */
static int decode_path(const char *source, char *out)
{
    char *segment = out + 1;
    if (*source != '/')
        return -EBADMSG;
    for (; *source != '\0'; source++) {
        char c = *source;
        if (c == '%') {
            int high = hex_digit(source[1]);
            int low = high < 0 ? -1 : hex_digit(source[2]);
            if (low < 0 || (high == 0 && low == 0))
                return -EBADMSG;
            c = (char)(high << 4 | low);
            source += 2;
            if (c == '/')
                return -EBADMSG;
        } else if (c == '/') {
            if (out > segment && is_dots(segment, out))
                return -EBADMSG;
            segment = out + 1;
        }
        *out++ = c;
    }
    *out = '\0';
    return out > segment && is_dots(segment, out) ? -EBADMSG : 0;
}

int http_head_set_target(struct http_head *head, const char *target)
{
    for (const char *c = target; *c != '\0'; c++) {
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || *c == '#')
            return -EBADMSG;
    }
    const char *query = strchr(target, '?');
    size_t len = query == NULL ? strlen(target) : (size_t)(query - target);
    char *path = strndup(target, len);
    char *decoded = malloc(len + 1);
    int error = path != NULL && decoded != NULL ? decode_path(path, decoded) : -ENOMEM;
    free(path);
    if (error < 0) {
        free(decoded);
        return error;
    }
    head->target = target;
    head->path = decoded;
    head->query = query == NULL ? "" : query + 1;
    return 0;
}

/* "HTTP/1.1 200 OK" */
static int read_status_line(struct http_head *head, char *line, int *ret_minor)
{
    if (strlen(line) < 12 || line[8] != ' ' || (line[12] != ' ' && line[12] != '\0'))
        return -EBADMSG;
    line[8] = '\0';
    for (int i = 9; i < 12; i++) {
        if (!isdigit((unsigned char)line[i]))
            return -EBADMSG;
        head->status = head->status * 10 + (line[i] - '0');
    }
    if (head->status < 100 || head->status > 599)
        return -EBADMSG;
    return read_version(line, ret_minor);
}

int http_parse_answer(const char *text, size_t len_bytes, struct http_head *ret_head)
{
    struct http_head head = {.content_length = -1};
    int minor = 0;
    head.text = strndup(text, len_bytes);
    if (head.text == NULL)
        return -ENOMEM;
    char *at = head.text;
    int error = -EBADMSG;
    /* A NUL would hide what follows it from every string function. */
    char *line = strlen(head.text) == len_bytes ? take_line(&at) : NULL;
    if (line != NULL)
        error = read_status_line(&head, line, &minor);
    if (error == 0)
        error = read_fields(&head, at);
    if (error == 0)
        error = http_head_read_length(&head);
    if (error < 0) {
        http_head_finish(&head);
        return error;
    }
    http_head_read_keep_alive(&head, minor);
    *ret_head = head;
    return 0;
}

void http_head_finish(struct http_head *head)
{
    free(head->text);
    free(head->path);
    *head = (struct http_head){0};
}

const char *http_head_field(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->nfields; i++) {
        if (strcasecmp(head->fields[i].name, name) == 0)
            return head->fields[i].value;
    }
    return NULL;
}

static bool list_has(const char *list, const char *token)
{
    size_t len = strlen(token);
    while (*list != '\0') {
        list += strspn(list, ", \t");
        size_t item = strcspn(list, ",");
        size_t word = item;
        while (word > 0 && (list[word - 1] == ' ' || list[word - 1] == '\t'))
            word--;
        if (word == len && strncasecmp(list, token, len) == 0)
            return true;
        list += item;
    }
    return false;
}

bool http_head_has_token(const struct http_head *head, const char *name, const char *token)
{
    for (size_t i = 0; i < head->nfields; i++) {
        if (strcasecmp(head->fields[i].name, name) == 0 && list_has(head->fields[i].value, token))
            return true;
    }
    return false;
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *words;
    } reasons[] = {
        {101, "Switching Protocols"},
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {417, "Expectation Failed"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status)
            return reasons[i].words;
    }
    return "Unnamed";
}
