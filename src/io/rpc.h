/*
 * RPC peer: JSON-RPC 2.0 (protocol/README.md section 1), both roles at once, on any carrier of text messages.
 * In: one text message at a time. Out: one text message at a time through `emit`. Kept: calls that wait.
 *
 * Unix sockets carry it as lines (rpc_socket.h); WebSockets and channel records carry it as they are.
 */
#ifndef KILN_IO_RPC_H
#define KILN_IO_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/code.h"

struct json; /* a value read by protocol/json.h */
struct json_writer;
struct loop;
struct rpc_peer;
struct rpc_request;

#define RPC_MESSAGE_MAX 65536       /* bytes */
#define RPC_EDGE_MESSAGE_MAX 262144 /* bytes, on edge.sock: a request body travels in base64 */
#define RPC_DEPTH_MAX 16
#define RPC_WAITING_MAX 1024 /* calls of ours that wait; a further one is refused */

/* Codes of JSON-RPC itself. Kiln's own are positive and live in protocol/code.h. */
enum rpc_code {
    RPC_MALFORMED = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_UNKNOWN_METHOD = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL = -32603
};

/* Answers a request with rpc_reply or rpc_fail, now or later, exactly once. PARAMS (NULL when absent) lives
 * for the call only. For a notification REQUEST is NULL. ARG is the peer's. */
typedef void rpc_handler(struct rpc_request *request, const struct json *params, void *arg);

struct rpc_method {
    const char *name;
    rpc_handler *handler;
};

/* How a call of ours ended. Valid in the call of FN only. */
struct rpc_answer {
    int error;                 /* 0 answered (see below), -ETIMEDOUT, -ECONNRESET the peer went */
    const struct json *result; /* when answered well (NULL also stands for null) */
    int code;                  /* of the failure, else 0: enum kiln_code, or enum rpc_code */
    const char *message;       /* of the failure, words for people, else NULL */
    const char *name;          /* its stable code's name, "" when it has none */
    const char *detail;        /* "" when it has none */
    const struct json *data;   /* of the failure, or NULL */
};
typedef void rpc_answered(void *arg, const struct rpc_answer *answer);

struct rpc_options {
    const struct rpc_method *methods; /* borrowed; ends with a NULL name; NULL: none */
    /* Of one message read. 0: RPC_MESSAGE_MAX, at most 1,024 members; above it members are limited as in a
     * channel. */
    size_t message_max_bytes;
    /* Sends one message (no newline in it). Not called from inside rpc_peer_create. */
    void (*emit)(void *arg, const char *text, size_t len_bytes);
    /* A method that METHODS does not have. Returns false to answer -32601. Optional. */
    bool (*fallback)(struct rpc_request *request, const char *method, const struct json *params, void *arg);
    /* Whether METHOD cannot be taken now: its message, and all behind it, wait. Optional. */
    bool (*waits)(const char *method, void *arg);
    void *arg;      /* for methods, fallback and waits, and for emit */
    void *emit_arg; /* for emit instead of ARG, when not NULL */
};

int rpc_peer_create(struct loop *loop, const struct rpc_options *options, struct rpc_peer **ret_peer);
/* Calls that wait end with -ECONNRESET; requests not yet answered may still be answered, into nothing. */
void rpc_peer_destroy(struct rpc_peer *peer);

/* Takes one message. -EAGAIN it is one that waits, to be fed again. -EBADMSG malformed, too long or too deep:
 * -32700, or MESSAGE_TOO_LARGE for what is over a limit, was emitted and the carrier must close. -ENOMEM: the
 * same, nothing was emitted. */
int rpc_peer_feed(struct rpc_peer *peer, const char *text, size_t len_bytes);
/* For a carrier that closes as a message is over its limit before it is whole: says MESSAGE_TOO_LARGE. */
void rpc_peer_tell_too_large(struct rpc_peer *peer);

/* Calls METHOD with PARAMS (JSON text of an object or array, NULL for none). FN is called once, never from
 * inside. TIMEOUT_MS 0 waits for ever. -EINVAL PARAMS is no JSON, -EMSGSIZE, -EAGAIN too many wait,
 * -ENOMEM. */
int rpc_call(struct rpc_peer *peer, const char *method, const char *params, uint32_t timeout_ms,
             rpc_answered *fn, void *arg);
int rpc_notify(struct rpc_peer *peer, const char *method, const char *params);
/* Takes back every call made with FN and ARG: FN will not be called for them. */
void rpc_forget(struct rpc_peer *peer, rpc_answered *fn, void *arg);

/* RESULT is JSON text, NULL means null. REQUEST NULL (a notification) does nothing. REQUEST is gone after
 * it. */
void rpc_reply(struct rpc_request *request, const char *result);
/* The same with what RESULT holds, or INTERNAL when it could not be written; RESULT is wiped and finished. */
void rpc_reply_json(struct rpc_request *request, struct json_writer *result);
/* A failure of ours (protocol/README.md 1.8): its number, words and name; DETAIL NULL for none. */
void rpc_fail_code(struct rpc_request *request, enum kiln_code code, const char *detail);
/* Any failure; DATA is JSON text or NULL. */
void rpc_fail(struct rpc_request *request, int code, const char *message, const char *data);
/* -32602 with BAD_PARAMETER and the parameter's name. */
void rpc_fail_parameter(struct rpc_request *request, const char *parameter);
/* The peer the request came from; NULL when it has gone. */
struct rpc_peer *rpc_request_peer(const struct rpc_request *request);
/* Requests of the peer's that are not answered yet. */
size_t rpc_peer_open_requests(const struct rpc_peer *peer);

#endif
