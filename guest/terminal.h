/*
 * Terminal: the controller's hand on one terminal, whose shell and output are with a holder
 * (terminal_holder.h). In: bytes typed, sizes, grants. Out: bytes shown, never more than granted, and the
 * shell's end. Kept: what the holder could not take yet, at most TERMINAL_INPUT_MAX. Terminals are made and
 * found by terminals.h.
 */
#ifndef KILN_GUEST_TERMINAL_H
#define KILN_GUEST_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/terminal_packet.h"

#define TERMINAL_TERM_MAX 64
#define TERMINAL_ID_MAX 17 /* 16 hex digits and the end */
#define TERMINAL_KEEP_MAX_S 604800
#define TERMINAL_KEEP_S 86400

struct terminal;

/* Whoever joined. Every function here may be called from inside each. */
struct terminal_ops {
    /* Output comes from place FROM; SHOWN bytes were shown so far. FROM TERMINAL_NOWHERE: the place asked for
     * is not there yet, and nobody is joined. */
    void (*on_joined)(void *arg, uint64_t from, uint64_t shown);
    void (*on_data)(void *arg, const uint8_t *bytes, size_t len_bytes);
    /* LEN_BYTES of what was written are with the shell. */
    void (*on_taken)(void *arg, size_t len_bytes);
    /* Somebody else joined: the last call. */
    void (*on_displaced)(void *arg);
    /* The shell ended, and everything it showed was given; or the holder is gone (127). The last call; the
     * terminal is gone. */
    void (*on_exit)(void *arg, int status);
};

/* Where it is joined, and with what size; from TERMINAL_NOWHERE: whatever is kept. */
struct terminal_join {
    uint64_t from;
    uint16_t rows, columns;
};

/* Takes the place of whoever is joined; on_joined follows. */
void terminal_join(struct terminal *terminal, const struct terminal_join *join,
                   const struct terminal_ops *ops, void *arg);
/* Nothing is called any more. The shell goes on for as long as it is kept. */
void terminal_leave(struct terminal *terminal);
/* So many bytes more may come through on_data. */
void terminal_grant(struct terminal *terminal, uint32_t count);
/* -ENOSPC when more than TERMINAL_INPUT_MAX wait: the peer ignores its credit. */
int terminal_write(struct terminal *terminal, const uint8_t *bytes, size_t len_bytes);
void terminal_resize(struct terminal *terminal, uint16_t rows, uint16_t columns);
/* The shell gets SIGHUP, and the terminal is gone: whoever is joined gets on_exit. */
void terminal_hang_up(struct terminal *terminal);

const char *terminal_id(const struct terminal *terminal);
const struct terminal_info *terminal_info(const struct terminal *terminal);
bool terminal_is_joined(const struct terminal *terminal);

#endif
