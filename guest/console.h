/*
 * Console: tells the host, by one line on the serial console, why this VM cannot integrate (README 4.5).
 * In: a stable code and a detail. Out: the line, once a cause. Kept: which codes were said.
 */
#ifndef KILN_GUEST_CONSOLE_H
#define KILN_GUEST_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/code.h"

#define CONSOLE_PATH "/dev/console"
#define CONSOLE_SAID_MAX 16 /* causes remembered */

struct console {
    const char *path; /* borrowed */
    enum kiln_code said[CONSOLE_SAID_MAX];
    size_t nsaid;
};

/* PATH NULL: CONSOLE_PATH. */
void console_init(struct console *console, const char *path);

/* Writes the line unless this CODE was said before. DETAIL: any text; what the line cannot carry becomes '?'.
 * A console that cannot be written to is logged, and tried again at the next call. */
void console_fail(struct console *console, enum kiln_code code, const char *detail);

#endif
