/*
 * Terminals: all terminals of the VM, those of an earlier controller too: each has a socket in a folder of
 * root's. In: whom a shell is for. Out: terminals, found by id and owner. Kept: a connection to each holder;
 * the holders go on when it ends.
 */
#ifndef KILN_GUEST_TERMINALS_H
#define KILN_GUEST_TERMINALS_H

#include "guest/terminal.h"

#define TERMINALS_MAX 16
#define TERMINALS_FOLDER "/run/kiln/terminals"

struct json_writer;
struct loop;
struct terminals;

struct terminal_start {
    const char *user;
    const char *term; /* [A-Za-z0-9_.+-], at most TERMINAL_TERM_MAX - 1 bytes */
    uint16_t rows, columns;
    uint32_t keep_s;
    const uint8_t *owner; /* TERMINAL_OWNER_LEN */
};

/* Whether TERM may go into a shell's environment. */
bool terminal_term_is_plain(const char *term);

/* Finds the terminals whose sockets are in FOLDER (made if it is missing). -ENOMEM, the errno of mkdir(2). */
int terminals_create(struct loop *loop, const char *folder, struct terminals **ret_terminals);
/* Lets go of all: their shells run on. NULL does nothing. */
void terminals_destroy(struct terminals *terminals);

/* Starts a terminal; nobody has joined it yet. -EMFILE too many, -EINVAL a strange TERM; the errno of
 * socket(2), bind(2), posix_spawn(3). A user that is not there shows by on_exit with 127. */
int terminals_open(struct terminals *terminals, const struct terminal_start *start,
                   struct terminal **ret_terminal);
/* The terminal ID that OWNER opened; NULL: there is none. */
struct terminal *terminals_find(const struct terminals *terminals, const char *id,
                                const uint8_t owner[TERMINAL_OWNER_LEN]);
/* Writes OWNER's as elements of an array (README 7.7, `terminal.list`). */
void terminals_write(const struct terminals *terminals, const uint8_t owner[TERMINAL_OWNER_LEN],
                     struct json_writer *out);

#endif
