/*
 * Log: somebody else's words as a value. See log.h. In: words. Out: the same in quotes. Kept: nothing.
 */
#include "src/io/log.h"

#include <stddef.h>

const char *log_quote(const char *text, char out[LOG_QUOTED_MAX])
{
    size_t len = 0;
    out[len++] = '"';
    for (; *text != '\0' && len < LOG_QUOTED_MAX - 2; text++)
        out[len++] = *text == '"' ? '\'' : *text;
    out[len++] = '"';
    out[len] = '\0';
    return out;
}
