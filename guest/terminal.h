/*
 * Terminal: a login shell of a user on a pseudo-terminal, with flow control in both directions.
 * In: bytes typed, sizes. Out: bytes shown, as many as the reader has room for, and the shell's end.
 * Kept: the terminal and bytes not yet taken by it, at most TERMINAL_QUEUE_MAX.
 *
 * The shell belongs to a holder (terminal_holder.h), a process of its own that keeps the terminal open when
 * this program crashes, so that what runs in it lives on.
 */
#ifndef KILN_GUEST_TERMINAL_H
#define KILN_GUEST_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERMINAL_QUEUE_MAX 65536 /* the credit that a stream gives */
#define TERMINAL_TERM_MAX 64

struct loop;
struct terminal;

struct terminal_ops {
    /* How many bytes on_data may be given now; 0: none until terminal_resume. */
    size_t (*room)(void *arg);
    void (*on_data)(void *arg, const uint8_t *bytes, size_t len_bytes);
    /* LEN_BYTES of what was written are with the terminal. */
    void (*on_taken)(void *arg, size_t len_bytes);
    /* The shell ended, and everything it showed was given. The last call; terminal_close is the callee's to
     * call. */
    void (*on_exit)(void *arg, int status);
};

struct terminal_start {
    const char *user;
    const char *term; /* [A-Za-z0-9_.+-], at most TERMINAL_TERM_MAX - 1 bytes */
    uint16_t rows, columns;
};

/* Whether TERM may go into a shell's environment. */
bool terminal_term_is_plain(const char *term);

/* -EINVAL a strange TERM; the errno of posix_openpt(3), pipe2(2) or posix_spawn(3). */
int terminal_open(struct loop *loop, const struct terminal_start *start, const struct terminal_ops *ops,
                  void *arg, struct terminal **ret_terminal);
/* -ENOSPC when more than TERMINAL_QUEUE_MAX wait: the peer ignores its credit. */
int terminal_write(struct terminal *terminal, const uint8_t *bytes, size_t len_bytes);
/* There is room again. */
void terminal_resume(struct terminal *terminal);
void terminal_resize(struct terminal *terminal, uint16_t rows, uint16_t columns);
/* Hangs up: the shell gets SIGHUP. No callback comes any more. NULL does nothing. */
void terminal_close(struct terminal *terminal);

#endif
