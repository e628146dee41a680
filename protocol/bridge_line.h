/*
 * Lines that open an SSH bridge (README 9). In: bytes as they come. Out: ticket or answer. Nothing is kept.
 */
#ifndef KILN_PROTOCOL_BRIDGE_LINE_H
#define KILN_PROTOCOL_BRIDGE_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/code.h"

enum {
    BRIDGE_TICKET_BYTES = 32,
    BRIDGE_LINE_BYTES = 73,  /* of the client's line, without a NUL */
    BRIDGE_ANSWER_MAX = 256, /* bytes of an answer, CRLF included */
    BRIDGE_TIMEOUT_MS = 10000,
};

/* Bytes of the line (always BRIDGE_LINE_BYTES) when it is whole, 0 when more must come, -EBADMSG when it
 * cannot become one any more. */
int bridge_line_parse(const void *bytes, size_t len, uint8_t ret_ticket[BRIDGE_TICKET_BYTES]);
/* Writes the line and a NUL. */
void bridge_line_format(const uint8_t ticket[BRIDGE_TICKET_BYTES], char out[BRIDGE_LINE_BYTES + 1]);

struct bridge_answer {
    char name[33]; /* "" for OK, else the code's name */
    char words[BRIDGE_ANSWER_MAX];
};

/* As bridge_line_parse: the length of the answer's line, 0, or -EBADMSG. */
int bridge_answer_parse(const void *bytes, size_t len, struct bridge_answer *ret_answer);
/* CODE_NONE: OK. Writes the line and a NUL, returns its length. */
size_t bridge_answer_format(enum kiln_code code, char out[BRIDGE_ANSWER_MAX]);

#endif
