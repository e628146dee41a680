/*
 * What terminal.c and terminals.c share: a terminal's life from connection to freeing.
 */
#ifndef KILN_GUEST_TERMINAL_PRIVATE_H
#define KILN_GUEST_TERMINAL_PRIVATE_H

#include <sys/types.h>

#include "guest/terminal.h"

struct loop;

/* Takes FD (connected to a holder, owned from now on) as the terminal ID; PID is the holder's if it is a
 * child of ours, else 0. ON_GONE is called once, when nothing of it is left to do; it must call
 * terminal_destroy. */
int terminal_create(struct loop *loop, const char *id, int fd, pid_t pid,
                    void (*on_gone)(void *arg, struct terminal *terminal), void *arg,
                    struct terminal **ret_terminal);
void terminal_destroy(struct terminal *terminal);

/* What it is, before its holder has said so itself. */
void terminal_introduce(struct terminal *terminal, const struct terminal_info *info);
/* Whether it can be found: it was introduced, and neither ended nor was hung up. */
bool terminal_is_there(const struct terminal *terminal);

#endif
