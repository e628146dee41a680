/*
 * Terminal packets: what controller and terminal holder tell each other over a SOCK_SEQPACKET socket, one
 * packet a message: u8 word, then what belongs to it. In: a struct or a packet. Out: the other. Nothing is
 * kept. Pure.
 */
#ifndef KILN_GUEST_TERMINAL_PACKET_H
#define KILN_GUEST_TERMINAL_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/text.h"

#define TERMINAL_PACKET_MAX 16384
#define TERMINAL_BYTES_MAX (TERMINAL_PACKET_MAX - 1) /* of input or output in one packet */
#define TERMINAL_USER_MAX 33
#define TERMINAL_OWNER_LEN 32
#define TERMINAL_NOWHERE UINT64_MAX /* a place that is none */

enum terminal_word {
    /* holder to controller */
    TERMINAL_HELLO = 1, /* info; the first packet */
    TERMINAL_JOINED, /* from, shown; from TERMINAL_NOWHERE: refused, the place asked for is not there yet */
    TERMINAL_OUTPUT, /* bytes */
    TERMINAL_TAKEN,  /* count: bytes of input are with the terminal */
    TERMINAL_ENDED,  /* status: the shell ended; more output may be there */
    TERMINAL_DONE,   /* status: the shell ended and all output was sent; the last packet */
    /* controller to holder */
    TERMINAL_JOIN,    /* from, rows, columns; from TERMINAL_NOWHERE: whatever is kept */
    TERMINAL_LEAVE,   /* nothing is sent any more */
    TERMINAL_INPUT,   /* bytes */
    TERMINAL_RESIZE,  /* rows, columns */
    TERMINAL_GRANT,   /* count: output may be sent, that many bytes more */
    TERMINAL_HANG_UP, /* the end */
};

/* What a terminal is, for a controller that did not start it. */
struct terminal_info {
    char user[TERMINAL_USER_MAX];
    uint8_t owner[TERMINAL_OWNER_LEN]; /* fingerprint of whose key opened it */
    uint64_t opened_ms, detached_ms;   /* wall clock */
    uint32_t keep_s;
    uint16_t rows, columns;
    bool ended; /* `status` holds */
    uint8_t status;
};

struct terminal_packet {
    enum terminal_word word;
    uint64_t from, shown;
    uint32_t count;
    uint16_t rows, columns;
    uint8_t status;
    struct bytes bytes; /* borrowed */
    struct terminal_info info;
};

/* -ENOSPC more than MAX bytes. */
int terminal_packet_encode(const struct terminal_packet *packet, uint8_t *out, size_t max, size_t *ret_len);
/* -EBADMSG; RET_PACKET is written on success only, and its bytes point into PACKET. */
int terminal_packet_decode(const uint8_t *packet, size_t len, struct terminal_packet *ret_packet);

#endif
