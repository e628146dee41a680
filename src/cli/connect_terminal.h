/*
 * kiln-connect terminal. See connect_terminal.c.
 */
#ifndef KILN_CLI_CONNECT_TERMINAL_H
#define KILN_CLI_CONNECT_TERMINAL_H

#include "src/cli/connect.h"

/* "VM [--user NAME]"; ends with the shell's exit code. */
int connect_terminal_run(struct connect *connect, int argc, char **argv);

#endif
