/*
 * Terminal shell: a user's login shell on a new pseudo-terminal.
 * In: user, TERM, size. Out: the terminal's two ends, the shell's process. Nothing is kept.
 */
#ifndef KILN_GUEST_TERMINAL_SHELL_H
#define KILN_GUEST_TERMINAL_SHELL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct terminal_shell {
    int master; /* non-blocking */
    int slave;  /* held open, so that the master can be read when no program has the terminal open */
    pid_t pid;
};

/* All descriptors are closed on exec. -EPERM root's shell, which is nobody's to have; -ENOENT no such user;
 * the errno of posix_openpt(3) or fork(2). What the shell cannot do it tells by ending with 127. */
int terminal_shell_start(const char *user, const char *term, uint16_t rows, uint16_t columns,
                         struct terminal_shell *ret_shell);
/* Sets the size. REDRAW: what runs in the foreground gets SIGWINCH even if the size is the same. */
void terminal_shell_resize(const struct terminal_shell *shell, uint16_t rows, uint16_t columns, bool redraw);

#endif
