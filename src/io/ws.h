/*
 * WebSocket (RFC 6455), both roles, framed by libwslay over a stream.
 * In: whole messages to send; bytes from the peer. Out: whole messages, "drained", and one close.
 * Kept: the message being put together. No extension.
 *
 * A silent peer is pinged after ws_options.ping_ms and given up after twice that.
 * Any function may be called from any callback.
 */
#ifndef KILN_IO_WS_H
#define KILN_IO_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/io/tls.h"

struct http_request;
struct loop;
struct ws;

#define WS_MESSAGE_MAX 66560 /* bytes: 64 KiB and 1 KiB for what wraps it */
#define WS_PING_MS 20000
#define WS_QUEUE_MAX 8388608 /* bytes queued; a peer that makes us queue more is given up */

enum ws_kind { WS_TEXT = 1, WS_BINARY = 2 };

/* Close codes of RFC 6455 7.4.1 that we send, and ours (4000-4999). */
enum ws_code {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL = 1002,
    WS_UNSUPPORTED = 1003,
    WS_ABNORMAL = 1006, /* never sent: the connection went without a close */
    WS_POLICY = 1008,
    WS_TOO_BIG = 1009,
    WS_INTERNAL = 1011,
    WS_TRY_LATER = 4503 /* come again; 1012 and 1013 would say it, but libwslay takes them for an offence */
};

struct ws_close {
    int code;              /* enum ws_code, or another of the peer's */
    const char *reason;    /* the peer's words, at most 123 bytes, valid in the call */
    int error;             /* negative errno when the connection failed, else 0 */
    int http_status;       /* client: the status when the upgrade was refused, else 0 */
    const char *http_body; /* client: its body then, NUL-terminated, else NULL */
};

struct ws_ops {
    /* Client: the upgrade was accepted. Optional; a server is open from the start. */
    void (*on_open)(void *arg);
    void (*on_message)(void *arg, enum ws_kind kind, const void *bytes, size_t len_bytes);
    /* Everything queued is with the kernel. Optional. */
    void (*on_drained)(void *arg);
    /* The last call; the ws is destroyed after it. */
    void (*on_close)(void *arg, const struct ws_close *close);
};

struct ws_options {
    size_t message_max_bytes; /* 0: WS_MESSAGE_MAX */
    uint32_t ping_ms;         /* 0: WS_PING_MS */
    const char *protocol;     /* Sec-WebSocket-Protocol: a server's choice, a client's offer; NULL: none */
};

/* Whether the request asks for a WebSocket of version 13, with a key. */
bool ws_is_upgrade(const struct http_request *request);
/* Answers 101 and takes the connection. On failure the request is still to be answered: -EBADMSG, -ENOMEM. */
int ws_accept(struct http_request *request, const struct ws_options *options, const struct ws_ops *ops,
              void *arg, struct ws **ret_ws);

struct ws_target {
    const char *host;
    uint16_t port;
    const char *target;  /* "/v1/link" */
    const char *headers; /* complete lines ending in CRLF, or NULL */
    uint32_t timeout_ms; /* until open; 0: 30 s */
};

/* Connects and upgrades. on_close tells a failure; it never comes from inside this function. TLS NULL:
 * plain. */
int ws_connect(struct loop *loop, struct tls_client *tls, const struct ws_target *target,
               const struct ws_options *options, const struct ws_ops *ops, void *arg, struct ws **ret_ws);

/* CODE as a relay sends it on: codes that only describe, or that nobody may send (RFC 6455 7.4), become
 * WS_GOING_AWAY. */
int ws_code_passed_on(int code);

/* Another owner for what comes from now on. */
void ws_set_ops(struct ws *ws, const struct ws_ops *ops, void *arg);

/* Queues one message. -ENOMEM, -EPIPE after a close. The caller watches ws_queued_bytes. */
int ws_send(struct ws *ws, enum ws_kind kind, const void *bytes, size_t len_bytes);
size_t ws_queued_bytes(const struct ws *ws);

/* After ws_pause no message is delivered and the peer is stopped, until ws_resume. */
void ws_pause(struct ws *ws);
void ws_resume(struct ws *ws);

/* Sends a close frame and what is queued, waits a few seconds for the peer's, closes. No callback comes any
 * more. CODE WS_ABNORMAL closes at once. REASON may be NULL. NULL ws does nothing. */
void ws_close(struct ws *ws, int code, const char *reason);

/* SHA-256 of the server's certificate (client, after on_open). -ENOENT. */
int ws_peer_fingerprint(const struct ws *ws, uint8_t ret_fingerprint[TLS_FINGERPRINT_BYTES]);

#endif
