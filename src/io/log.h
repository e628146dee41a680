/*
 * Log: one line an event to stderr, "time level area message key=value ...".
 * In: a level, an area (the room or machine), words, and a printf format of key=value pairs.
 * Out: one write(2) a line, at most LOG_LINE_MAX bytes. Kept: the level.
 * Callers never pass a secret; control characters are escaped, so a peer cannot forge a line.
 */
#ifndef KILN_IO_LOG_H
#define KILN_IO_LOG_H

#define LOG_LINE_MAX 2048

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* Lines below LEVEL are dropped. Default: LOG_LEVEL_INFO. Not meant to be called while other threads log. */
void log_set_level(enum log_level level);

/* "debug", "info", "warning" or "error" -> level. -EINVAL for any other word. */
int log_level_parse(const char *word, enum log_level *ret_level);

/* Writes one line. PAIRS is a printf format of "key=%s key=%d" pairs, "" for none. Any thread. */
void log_line(enum log_level level, const char *area, const char *message, const char *pairs, ...)
    __attribute__((format(printf, 4, 5)));

enum { LOG_QUOTED_MAX = 272 };
/* TEXT, somebody else's words, as a value: in double quotes, those inside it as single ones, so that it ends
 * where it seems to. Longer text is cut. Returns OUT. */
const char *log_quote(const char *text, char out[LOG_QUOTED_MAX]);

#define log_debug(area, message, ...) log_line(LOG_LEVEL_DEBUG, area, message, __VA_ARGS__)
#define log_info(area, message, ...) log_line(LOG_LEVEL_INFO, area, message, __VA_ARGS__)
#define log_warning(area, message, ...) log_line(LOG_LEVEL_WARNING, area, message, __VA_ARGS__)
#define log_error(area, message, ...) log_line(LOG_LEVEL_ERROR, area, message, __VA_ARGS__)

#endif
