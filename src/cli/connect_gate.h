/*
 * kiln-connect web: who may speak to the server on loopback (protocol/README 8.7). Pure.
 * In: the heads of requests. Out: verdicts. Kept: the secret of the first address, until it is used; the
 * cookie.
 *
 * Other pages in the same browser can reach loopback, also by a name of theirs that leads there; other people
 * on the same machine can connect to it. The Host defends against the names, the Origin against the pages,
 * the cookie against the people.
 */
#ifndef KILN_CLI_CONNECT_GATE_H
#define KILN_CLI_CONNECT_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/text.h"

#define GATE_SECRET_BYTES 32
#define GATE_START "/start/"
#define GATE_COOKIE "kiln-web-" /* and the port: cookies of one host are sent to all its ports */

struct http_head;

struct connect_gate {
    char host[32];                                  /* "127.0.0.1:PORT" */
    char name[24];                                  /* of the cookie */
    char first[TEXT_HEX_BYTES(GATE_SECRET_BYTES)];  /* of the first address; "" once it was used */
    char cookie[TEXT_HEX_BYTES(GATE_SECRET_BYTES)]; /* the value */
};

enum gate_verdict {
    GATE_REFUSED,
    GATE_BEGIN, /* the first address, now used: answer with the cookie */
    GATE_HOME,  /* the first address again, by who has the cookie */
    GATE_PASS
};

/* FIRST and COOKIE: random bytes. */
void connect_gate_init(struct connect_gate *gate, uint16_t port, const uint8_t first[GATE_SECRET_BYTES],
                       const uint8_t cookie[GATE_SECRET_BYTES]);
/* WEBSOCKET: the request wants to become one. */
enum gate_verdict connect_gate_judge(struct connect_gate *gate, const struct http_head *head, bool websocket);
void connect_gate_finish(struct connect_gate *gate);

#endif
