/*
 * Terminal holder: the process that owns a terminal: its shell, and the last it showed (terminal_ring.h).
 * Started as the controller's own program with TERMINAL_HOLDER_OPTION; it lives as long as the shell, or as
 * it is kept. In: packets of a controller (terminal_packet.h), one at a time: a new connection takes the
 * place of the old one. Out: packets; the shell's exit status as its own. Kept: the terminal.
 *
 * While nobody has joined, the shell runs on and its oldest output goes. While somebody has, it is stopped
 * when TERMINAL_UNSENT_MAX bytes wait to be granted. So a controller that crashes costs no shell and stops
 * none.
 */
#ifndef KILN_GUEST_TERMINAL_HOLDER_H
#define KILN_GUEST_TERMINAL_HOLDER_H

#include <stdbool.h>

#define TERMINAL_HOLDER_OPTION "--hold-terminal"
#define TERMINAL_HOLDER_SOCKET 3 /* the descriptor of the socket that listens at PATH */
#define TERMINAL_UNSENT_MAX 65536
#define TERMINAL_HOLDER_ARGC 9   /* program, option, path, user, term, rows, columns, keep_s, owner in hex */
#define TERMINAL_INPUT_MAX 65536 /* what may wait for the shell to read it: the credit that a stream gives   \
                                  */

bool terminal_holder_asked(int argc, char **argv);
/* The whole of that process, with its arguments; returns its exit status. 127: the user or the shell is not
 * there. */
int terminal_hold(char **argv);

#endif
