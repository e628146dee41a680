/*
 * Log: see log.h. A line is put together on the stack and written by one write(2), so threads do not mix
 * lines.
 */
#include "src/io/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_words[] = {"debug", "info", "warning", "error"};
static enum log_level lowest = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    lowest = level;
}

int log_level_parse(const char *word, enum log_level *ret_level)
{
    for (size_t i = 0; i < sizeof(level_words) / sizeof(level_words[0]); i++) {
        if (strcmp(word, level_words[i]) == 0) {
            *ret_level = (enum log_level)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* Appends TEXT with control characters, DEL and backslashes as \xNN; bytes of UTF-8 pass. */
static size_t append_escaped(char *line, size_t at, size_t max, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (at + 5 >= max)
            break;
        if (c < 0x20 || c == 0x7f || c == '\\')
            at += (size_t)snprintf(line + at, max - at, "\\x%02x", c);
        else
            line[at++] = (char)c;
    }
    return at;
}

static size_t append_time(char *line, size_t max)
{
    struct timespec now;
    struct tm utc;
    char whole[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &utc);
    return (size_t)snprintf(line, max, "%s.%03ldZ ", whole, now.tv_nsec / 1000000);
}

void log_line(enum log_level level, const char *area, const char *message, const char *pairs, ...)
{
    char line[LOG_LINE_MAX];
    char values[LOG_LINE_MAX];
    int saved_errno = errno;
    if (level < lowest)
        return;
    va_list list;
    va_start(list, pairs);
    vsnprintf(values, sizeof(values), pairs, list);
    va_end(list);
    size_t at = append_time(line, sizeof(line));
    at += (size_t)snprintf(line + at, sizeof(line) - at, "%s ", level_words[level]);
    at = append_escaped(line, at, sizeof(line) - 1, area);
    line[at++] = ' ';
    at = append_escaped(line, at, sizeof(line) - 2, message);
    if (values[0] != '\0')
        line[at++] = ' ';
    at = append_escaped(line, at, sizeof(line) - 1, values);
    line[at++] = '\n';
    /* A log that cannot be written has nowhere to be reported. */
    if (write(STDERR_FILENO, line, at) < 0)
        errno = saved_errno;
    errno = saved_errno;
}
