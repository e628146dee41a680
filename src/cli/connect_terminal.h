/*
 * kiln-connect terminal. See connect_terminal.c.
 */
#ifndef KILN_CLI_CONNECT_TERMINAL_H
#define KILN_CLI_CONNECT_TERMINAL_H

#include "src/cli/connect.h"

struct connect_channel;

/* Which terminal a person wants: the one of an id, or a new one. */
struct connect_terminal_wish {
    const char *id;   /* NULL: a new one, */
    const char *user; /* whose shell; NULL: the first user's */
    int64_t
        keep_s; /* for how long it is kept while nobody is attached; -1: as long as the VM does by itself */
};

/* `terminal`: see connect_terminals.c. Ends with the shell's exit code when it shows one. */
connect_run connect_terminal_run;

/* Shows a terminal of VM until its shell ends or the person leaves. Takes CHANNEL. Returns the exit code. */
int connect_terminal_show(struct connect *connect, const struct json *vm, struct connect_channel *channel,
                          const struct connect_terminal_wish *wish);

#endif
