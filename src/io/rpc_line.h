/*
 * RPC line: one JSON-RPC peer on one stream, a line a message. For rpc_server.c and rpc_client.c.
 * In: a stream's bytes. Out: messages to the peer, lines to the stream. Kept: the part of a line that has
 * come.
 */
#ifndef KILN_IO_RPC_LINE_H
#define KILN_IO_RPC_LINE_H

#include "src/io/rpc.h"

struct rpc_line;
struct stream;
struct stream_ops;

struct rpc_line_owner {
    void (*on_up)(void *arg); /* the stream is connected. Optional. */
    void (*on_down)(void *arg,
                    int error); /* the last call, never from inside; the callee destroys the line */
    /* No further message is taken while RPC_QUEUE_HIGH waits for the peer. For one end only: two that wait
     * for each other would wait for ever. */
    bool waits;
    void *arg;
};

/* The ops that the stream must have, with the line as their argument. */
extern const struct stream_ops rpc_line_ops;

/* OPTIONS' emit is the line's own matter. */
int rpc_line_create(struct loop *loop, const struct rpc_options *options, const struct rpc_line_owner *owner,
                    struct rpc_line **ret_line);
/* Takes STREAM. To be called right after it was made. */
void rpc_line_attach(struct rpc_line *line, struct stream *stream);
struct rpc_peer *rpc_line_peer(struct rpc_line *line);
size_t rpc_line_queued_bytes(const struct rpc_line *line);
/* Calls that had to wait (rpc_options) are fed again. */
void rpc_line_resume(struct rpc_line *line);
/* Whether a call waits; whether one does whose peer has gone meanwhile. */
bool rpc_line_is_held(const struct rpc_line *line);
bool rpc_line_is_abandoned(const struct rpc_line *line);
/* Takes no further message, sends what is queued; on_down comes in a later turn. */
void rpc_line_close(struct rpc_line *line);
/* What is queued is still sent; waiting calls of the peer end. No on_down comes any more. NULL does
 * nothing. */
void rpc_line_destroy(struct rpc_line *line);

#endif
