/*
 * The line on the serial console when a guest cannot integrate (README 4.5). In: code and detail, or a line.
 * Out: the other. Nothing is kept.
 */
#ifndef KILN_PROTOCOL_CONSOLE_LINE_H
#define KILN_PROTOCOL_CONSOLE_LINE_H

#include <stddef.h>

enum { CONSOLE_CODE_BYTES = 33, CONSOLE_DETAIL_BYTES = 201, CONSOLE_LINE_MAX = 264 };

struct console_failure {
    char code[CONSOLE_CODE_BYTES];     /* the stable code's name */
    char detail[CONSOLE_DETAIL_BYTES]; /* may be "" */
};

/* LINE of LEN bytes, without or with its line end. -EBADMSG when it is not such a line. */
int console_line_parse(const char *line, size_t len, struct console_failure *ret_failure);
/* Writes the line without a line end; what may not stand in it becomes '?', what is too long is cut. */
void console_line_format(const char *code, const char *detail, char out[CONSOLE_LINE_MAX]);

#endif
