/*
 * kiln-connect web: passing on what the page asks of the edge (protocol/README 8.7). In: requests of the
 * page. Out: the same to the edge over its pinned TLS, its answers, WebSocket messages unchanged. Kept: what
 * is under way.
 */
#ifndef KILN_CLI_CONNECT_PASS_H
#define KILN_CLI_CONNECT_PASS_H

#include "protocol/code.h"

struct connect;
struct duct;
struct http_request;

/* WebSockets of the page's that are joined to the edge's. Zeroed there are none. */
struct connect_ducts {
    struct duct *first; /* owned */
};

/* Both answer or take REQUEST. CONNECT and DUCTS outlive what is under way. */
void connect_pass_request(struct connect *connect, struct http_request *request);
void connect_pass_websocket(struct connect *connect, struct connect_ducts *ducts,
                            struct http_request *request);
/* Closes all. */
void connect_ducts_finish(struct connect_ducts *ducts);

/* Answers with a failure (protocol/README 1.8). */
void connect_pass_refuse(struct http_request *request, enum kiln_code code, const char *detail);

#endif
