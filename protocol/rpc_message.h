/*
 * JSON-RPC 2.0 messages (README 6.1, 1.8): text to struct and back. The carrier and the calls that wait are
 * in src/io/rpc. In: one message's text. Out: a struct that owns the parsed tree. Kept: nothing else.
 */
#ifndef KILN_PROTOCOL_RPC_MESSAGE_H
#define KILN_PROTOCOL_RPC_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/code.h"
#include "protocol/json.h"

enum { RPC_MESSAGE_ID_BYTES = 72 }; /* an id's JSON text with the NUL */

enum rpc_message_kind {
    RPC_MESSAGE_REQUEST,
    RPC_MESSAGE_NOTIFICATION,
    RPC_MESSAGE_RESULT,
    RPC_MESSAGE_ERROR,
};

struct rpc_message {
    enum rpc_message_kind kind;
    char id[RPC_MESSAGE_ID_BYTES]; /* as JSON text, to be answered as it is; "" for notifications */
    int64_t id_number;             /* the id when it is a whole number >= 0 (ours are), else -1 */
    const char *method;            /* requests and notifications */
    const struct json *params;     /* object or array, NULL when absent */
    const struct json *result;     /* of a result */
    int64_t code;                  /* of an error, and what comes with it */
    const char *words;
    const struct json *data;
    const char *name, *detail; /* data.code and data.detail, "" when absent */
    struct json *tree;         /* owned: what the pointers above point into */
};

/* LIMITS as in json_parse. -EBADMSG malformed text (-32700), -EINVAL not a message of 2.0 (-32600; RET_ID
 * gets its id as JSON text, "null" when it cannot be known), -EMSGSIZE, -ENOMEM. */
int rpc_message_decode(const char *text, size_t len, const struct json_limits *limits,
                       struct rpc_message *ret_message, char ret_id[RPC_MESSAGE_ID_BYTES]);
void rpc_message_finish(struct rpc_message *message);
void rpc_message_finish_wiped(struct rpc_message *message);

/* Write one message to WRITER, at its top. PARAMS, RESULT and DATA are JSON text; NULL: no params, null, no
 * data. */
void rpc_message_write_request(struct json_writer *writer, int64_t id, const char *method,
                               const char *params);
void rpc_message_write_notification(struct json_writer *writer, const char *method, const char *params);
void rpc_message_write_result(struct json_writer *writer, const char *id, const char *result);
void rpc_message_write_error(struct json_writer *writer, const char *id, int64_t code, const char *words,
                             const char *data);
/* An error of ours: number, words, {"code", "detail"}. DETAIL NULL: none. */
void rpc_message_write_failure(struct json_writer *writer, const char *id, enum kiln_code code,
                               const char *detail);
/* {"code": NAME, "detail": DETAIL}, the data of a failure (and what stands in "error" of HTTP, with
 * "message"). */
void rpc_message_write_failure_data(struct json_writer *writer, enum kiln_code code, const char *detail);

#endif
