/*
 * WebSocket handshake (RFC 6455 section 4): the texts of the upgrade, both roles. For ws.c.
 * In: heads. Out: lines and verdicts. Nothing is kept.
 */
#ifndef KILN_IO_WS_HANDSHAKE_H
#define KILN_IO_WS_HANDSHAKE_H

#include <stdbool.h>

#define WS_KEY_BYTES 25    /* base64 of 16 bytes, with the NUL */
#define WS_ACCEPT_BYTES 29 /* base64 of a SHA-1, with the NUL */
#define WS_VERSION "13"    /* the only one there ever was outside of drafts */

struct http_head;

/* A fresh Sec-WebSocket-Key. */
void ws_handshake_key(char ret_key[WS_KEY_BYTES]);
/* What Sec-WebSocket-Accept must say to KEY. */
void ws_handshake_accept(const char *key, char ret_accept[WS_ACCEPT_BYTES]);
/* Whether a request head asks for a WebSocket of version 13 over HTTP/1.1, with a well-formed key (4.2.1). */
bool ws_handshake_asks(const struct http_head *head);
/* Whether an answer's head accepts the request made with KEY. */
bool ws_handshake_accepts(const struct http_head *head, const char *key);

#endif
