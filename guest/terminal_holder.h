/*
 * Terminal holder: the process between controller and shell. Started as the controller's own program with
 * TERMINAL_HOLDER_OPTION, the terminal's master and the reading end of a pipe as descriptors.
 * In: user, TERM. Out: the shell's exit status as its own. Kept: the terminal open, as long as the shell
 * runs.
 *
 * The pipe is the controller's word: one byte hangs up; an end without it means that the controller crashed,
 * and then the shell goes on and what it shows is thrown away, so that it never blocks.
 */
#ifndef KILN_GUEST_TERMINAL_HOLDER_H
#define KILN_GUEST_TERMINAL_HOLDER_H

#define TERMINAL_HOLDER_OPTION "--hold-terminal"
#define TERMINAL_HOLDER_MASTER 3
#define TERMINAL_HOLDER_LIFELINE 4
#define TERMINAL_HOLDER_HANG_UP 'h'

/* The whole of that process; returns its exit status. 127: the user or the shell is not there. */
int terminal_hold(const char *user, const char *term);

#endif
