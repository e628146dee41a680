/*
 * What the programs for people say: common.h says how.
 */
#include "src/cli/common.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "protocol/code.h"

static const char *program = "kiln";
static bool muted;

void cli_mute(bool on)
{
    muted = on;
}

void cli_set_program(const char *name)
{
    program = name;
}

/* Length of the well-formed character (RFC 3629) at `s`, or 0. */
static size_t character_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    size_t more = s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : 1;
    bool overlong = s[0] < 0xc2 || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool beyond = s[0] > 0xf4 || (s[0] == 0xf4 && s[1] > 0x8f) || (s[0] == 0xed && s[1] > 0x9f);
    for (size_t i = 1; i <= more; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return overlong || beyond ? 0 : more + 1;
}

static bool is_c1_control(const unsigned char *s)
{
    return s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0;
}

/* U+202A to U+202E and U+2066 to U+2069 turn the order around in which a line is shown. */
static bool is_direction(const unsigned char *s)
{
    return s[0] == 0xe2 &&
           ((s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae) || (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
}

/* Length of the character at `s` if it may be shown, else 0. */
static size_t shown_length(const unsigned char *s)
{
    bool obeyed = s[0] < 0x20 || s[0] == 0x7f || is_c1_control(s) || is_direction(s);
    return obeyed ? 0 : character_length(s);
}

void cli_print_text(FILE *to, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    while (*s) {
        size_t length = shown_length(s);
        if (length > 0)
            fwrite(s, 1, length, to);
        else
            fputc('?', to);
        s += length > 0 ? length : 1;
    }
}

size_t cli_text_width(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t width = 0;
    for (; *s; width++) {
        size_t length = shown_length(s);
        s += length > 0 ? length : 1;
    }
    return width;
}

void cli_print_row(const char *name, int width, const char *text)
{
    cli_print_text(stdout, name);
    int room = width - (int)cli_text_width(name);
    printf("%*s ", room > 0 ? room : 0, "");
    cli_print_text(stdout, text);
    putchar('\n');
}

void cli_print_json(const char *text)
{
    const char *from = text;
    for (const char *at = text; (at = strchr(at, 0xc2)) != NULL; at++) {
        if (!is_c1_control((const unsigned char *)at))
            continue;
        fwrite(from, 1, (size_t)(at - from), stdout);
        printf("\\u%04x", (unsigned char)*++at);
        from = at + 1;
    }
    puts(from);
}

__attribute__((format(printf, 1, 0))) static void say(const char *format, va_list arguments)
{
    char words[1024];
    if (muted)
        return;
    vsnprintf(words, sizeof words, format, arguments);
    fprintf(stderr, "%s: ", program);
    cli_print_text(stderr, words);
    fputc('\n', stderr);
}

int cli_usage_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s: see %s --help\n", program, program);
    return CLI_USAGE;
}

int cli_local_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    return CLI_LOCAL;
}

int cli_unreachable_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    return CLI_UNREACHABLE;
}

static int exit_of(const struct code_info *info)
{
    switch (info ? info->code : CODE_NONE) {
    case CODE_NOT_FOUND:
        return CLI_NOT_FOUND;
    case CODE_NOT_ALLOWED:
    case CODE_LOGIN_FAILED:
    case CODE_SESSION_EXPIRED:
    case CODE_SIGNATURE_WRONG:
        return CLI_NOT_ALLOWED;
    case CODE_UNAVAILABLE:
        return CLI_UNREACHABLE;
    default:
        return CLI_REFUSED;
    }
}

int cli_failure(const char *code_name, const char *words, const char *detail)
{
    const struct code_info *info = code_name ? code_find(code_name) : NULL;
    if (muted)
        return exit_of(info);
    fprintf(stderr, "%s: ", program);
    if (code_name) {
        cli_print_text(stderr, code_name);
        fputs(": ", stderr);
    }
    cli_print_text(stderr, words ? words : info ? info->words : "failed");
    if (detail && *detail) {
        fputs(": ", stderr);
        cli_print_text(stderr, detail);
    }
    fputc('\n', stderr);
    if (info)
        fprintf(stderr, "%s: next: %s\n", program, info->action);
    return exit_of(info);
}

int cli_explain(const char *code_name)
{
    const struct code_info *info = code_find(code_name);
    if (!info)
        return cli_usage_error("there is no code '%s'", code_name);
    printf("%s (%d): %s\nnext: %s\n", info->name, info->code, info->words, info->action);
    return CLI_OK;
}

const char *cli_time_text(int64_t ms, char to[CLI_TIME_BYTES])
{
    time_t seconds = ms / 1000;
    struct tm parts;
    if (ms == 0 || !localtime_r(&seconds, &parts) ||
        strftime(to, CLI_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        strcpy(to, "-");
    return to;
}

const char *cli_span_text(int64_t ms, char to[CLI_TIME_BYTES])
{
    long long s = ms / 1000;
    if (ms < 0)
        strcpy(to, "-");
    else if (s < 120)
        snprintf(to, CLI_TIME_BYTES, "%lld s", s);
    else if (s < 2 * 3600)
        snprintf(to, CLI_TIME_BYTES, "%lld min", s / 60);
    else if (s < 48 * 3600)
        snprintf(to, CLI_TIME_BYTES, "%lld h", s / 3600);
    else
        snprintf(to, CLI_TIME_BYTES, "%lld d", s / 86400);
    return to;
}
