/*
 * RPC line: see rpc_line.h.
 */
#include "src/io/rpc_line.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/rpc_socket.h"
#include "src/io/stream.h"

struct rpc_line {
    struct rpc_peer *peer;   /* owned */
    struct stream *stream;   /* owned; NULL before attach and when it broke */
    struct loop_timer *down; /* owned: brings on_down out of any call of ours */
    struct loop_timer *rest; /* owned: armed while lines wait for the loop's next turn */
    struct rpc_line_owner owner;
    size_t message_max_bytes;
    int error;     /* for on_down */
    bool closing;  /* no further message is taken */
    bool half;     /* the peer sends no more, but may wait for answers */
    bool held;     /* the peer must first read what waits for it, or its call waits */
    unsigned busy; /* calls of ours on the stack */
    bool gone;     /* destroyed; freed when busy is 0 */
};

static void leave(struct rpc_line *line)
{
    if (--line->busy == 0 && line->gone)
        free(line);
}

static void schedule_down(struct rpc_line *line, int error)
{
    if (line->closing)
        return;
    line->closing = true;
    line->error = error;
    loop_timer_arm(line->down, 0);
}

static void on_down_due(void *arg)
{
    struct rpc_line *line = arg;
    line->owner.on_down(line->owner.arg, line->error);
}

/* Who half-closed after its last request gets the answers first. */
static void close_if_answered(struct rpc_line *line)
{
    if (line->half && rpc_peer_open_requests(line->peer) == 0)
        schedule_down(line, 0);
}

static void give_up(struct rpc_line *line, int error)
{
    stream_abort(line->stream);
    line->stream = NULL;
    schedule_down(line, error);
}

static void emit_line(void *arg, const char *text, size_t len_bytes)
{
    struct rpc_line *line = arg;
    if (line->stream == NULL)
        return;
    if (stream_write(line->stream, text, len_bytes) < 0 || stream_write(line->stream, "\n", 1) < 0) {
        /* The peer would wait for this message, or take half of it for the start of the next. */
        log_warning("rpc", "no memory for a message", "bytes=%zu", len_bytes);
        give_up(line, -ENOMEM);
    } else if (stream_queued_bytes(line->stream) > RPC_QUEUE_MAX) {
        log_warning("rpc", "peer reads too slowly", "queued=%zu", stream_queued_bytes(line->stream));
        give_up(line, -ENOBUFS);
    }
    close_if_answered(line);
}

/* Feeds the line at the front of INPUT. False when there is no whole one, or no more is to be taken. */
static bool take_line(struct rpc_line *line, struct evbuffer *input)
{
    struct evbuffer_ptr end = evbuffer_search_eol(input, NULL, NULL, EVBUFFER_EOL_LF);
    size_t len = end.pos < 0 ? evbuffer_get_length(input) : (size_t)end.pos;
    if (len > line->message_max_bytes) {
        log_warning("rpc", "message over its limit", "bytes=%zu", len);
        rpc_peer_tell_too_large(line->peer);
        schedule_down(line, -EMSGSIZE);
        return false;
    }
    if (end.pos < 0)
        return false;
    const char *text = len == 0 ? "" : (const char *)evbuffer_pullup(input, end.pos);
    /* An empty line is nobody's message; people at a terminal type it. */
    int error = 0;
    if (text == NULL)
        error = -ENOMEM;
    else if (len > 0)
        error = rpc_peer_feed(line->peer, text, len);
    if (error == -EAGAIN) {
        line->held = true;
        return false;
    }
    evbuffer_drain(input, len + 1);
    if (error < 0)
        schedule_down(line, error);
    return !line->closing && !line->gone;
}

/* Whether the peer must first read what waits for it. */
static bool must_read(const struct rpc_line *line)
{
    return line->owner.waits && rpc_line_queued_bytes(line) > RPC_QUEUE_HIGH;
}

static void on_data(void *arg, struct evbuffer *input)
{
    struct rpc_line *line = arg;
    int64_t share_us = loop_share_begin();
    bool more = true;
    line->busy++;
    while (more && !line->closing && !must_read(line) && !loop_share_over(share_us))
        more = take_line(line, input);
    if (line->closing && !line->gone) {
        evbuffer_drain(input, evbuffer_get_length(input));
    } else if (!line->gone && (line->held || must_read(line))) {
        line->held = true;
        stream_pause(line->stream);
    } else if (!line->gone && more) {
        stream_pause(line->stream);
        loop_timer_arm(line->rest, 0);
    }
    leave(line);
}

static void on_rest_due(void *arg)
{
    struct rpc_line *line = arg;
    if (line->stream != NULL && !line->held)
        stream_resume(line->stream);
}

/* A call that waits all the same is held again. */
void rpc_line_resume(struct rpc_line *line)
{
    if (!line->held || line->stream == NULL)
        return;
    line->held = false;
    stream_resume(line->stream);
}

bool rpc_line_is_held(const struct rpc_line *line)
{
    return line->held;
}

bool rpc_line_is_abandoned(const struct rpc_line *line)
{
    return line->held && line->stream != NULL && stream_peer_is_gone(line->stream);
}

static void on_drained(void *arg)
{
    rpc_line_resume(arg);
}

static void on_ready(void *arg)
{
    struct rpc_line *line = arg;
    if (line->owner.on_up != NULL)
        line->owner.on_up(line->owner.arg);
}

static void on_end(void *arg, int error)
{
    struct rpc_line *line = arg;
    if (error == 0) {
        line->half = true;
        close_if_answered(line);
        return;
    }
    stream_abort(line->stream);
    line->stream = NULL;
    schedule_down(line, error);
}

const struct stream_ops rpc_line_ops = {
    .on_ready = on_ready, .on_data = on_data, .on_drained = on_drained, .on_end = on_end};

int rpc_line_create(struct loop *loop, const struct rpc_options *options, const struct rpc_line_owner *owner,
                    struct rpc_line **ret_line)
{
    struct rpc_line *line = calloc(1, sizeof(*line));
    if (line == NULL)
        return -ENOMEM;
    struct rpc_options own = *options;
    own.emit = emit_line;
    own.emit_arg = line;
    line->owner = *owner;
    line->message_max_bytes = own.message_max_bytes > 0 ? own.message_max_bytes : RPC_MESSAGE_MAX;
    int error = rpc_peer_create(loop, &own, &line->peer);
    if (error == 0)
        error = loop_timer_create(loop, on_down_due, line, &line->down);
    if (error == 0)
        error = loop_timer_create(loop, on_rest_due, line, &line->rest);
    if (error < 0) {
        rpc_line_destroy(line);
        return error;
    }
    *ret_line = line;
    return 0;
}

void rpc_line_attach(struct rpc_line *line, struct stream *stream)
{
    line->stream = stream;
}

struct rpc_peer *rpc_line_peer(struct rpc_line *line)
{
    return line->peer;
}

size_t rpc_line_queued_bytes(const struct rpc_line *line)
{
    return line->stream == NULL ? 0 : stream_queued_bytes(line->stream);
}

void rpc_line_close(struct rpc_line *line)
{
    schedule_down(line, 0);
}

void rpc_line_destroy(struct rpc_line *line)
{
    if (line == NULL)
        return;
    line->busy++;
    line->gone = true;
    line->closing = true;
    struct stream *stream = line->stream;
    line->stream = NULL;
    rpc_peer_destroy(line->peer);
    loop_timer_destroy(line->down);
    loop_timer_destroy(line->rest);
    stream_close(stream);
    leave(line);
}
