/*
 * WebSocket: see ws.h. libwslay cuts bytes into frames and messages; here are its two callbacks onto a
 * stream, keepalive, and what a pause means. The upgrade is in ws_open.c.
 */
#include "src/io/ws_private.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "src/io/loop.h"
#include "src/io/random.h"
#include "src/io/stream.h"

#define CLOSE_WAIT_MS 3000 /* for the peer's close frame after ours */
#define PIECES_MAX 1024    /* of a message: wslay keeps each by itself, some 64 bytes for one of one byte */

void ws_free(struct ws *ws)
{
    while (ws->held != NULL) {
        struct ws_held *next = ws->held->next;
        free(ws->held);
        ws->held = next;
    }
    if (ws->wslay != NULL)
        wslay_event_context_free(ws->wslay);
    loop_timer_destroy(ws->ping);
    loop_timer_destroy(ws->deliver);
    free(ws->request);
    free(ws);
}

static void leave(struct ws *ws)
{
    if (--ws->busy == 0 && ws->state == WS_DEAD)
        ws_free(ws);
}

void ws_finish(struct ws *ws, const struct ws_close *close)
{
    struct stream *stream = ws->stream;
    if (ws->state == WS_DEAD)
        return;
    bool tell = ws->state != WS_CLOSING;
    ws->state = WS_DEAD;
    ws->stream = NULL;
    if (close->error < 0)
        stream_abort(stream);
    else
        stream_close(stream);
    if (tell)
        ws->ops->on_close(ws->arg, close);
}

void ws_fail(struct ws *ws, int error)
{
    ws_finish(ws, &(struct ws_close){.code = WS_ABNORMAL, .reason = "", .error = error});
}

static ssize_t on_wslay_recv(wslay_event_context_ptr wslay, uint8_t *out, size_t max, int flags, void *arg)
{
    struct ws *ws = arg;
    (void)flags;
    int got =
        ws->input == NULL || ws->paused || ws->state == WS_DEAD ? 0 : evbuffer_remove(ws->input, out, max);
    if (got <= 0) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    return got;
}

static ssize_t on_wslay_send(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t len, int flags,
                             void *arg)
{
    struct ws *ws = arg;
    (void)flags;
    if (ws->stream == NULL || stream_write(ws->stream, bytes, len) < 0) {
        wslay_event_set_error(wslay, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)len;
}

static int on_wslay_mask(wslay_event_context_ptr wslay, uint8_t *out, size_t len, void *arg)
{
    (void)wslay;
    (void)arg;
    random_fill(out, len);
    return 0;
}

/* Of too many pieces wslay stops reading, and settle sends the close and ends. */
static void on_wslay_frame(wslay_event_context_ptr wslay,
                           const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
    struct ws *ws = arg;
    if (wslay_is_ctrl_frame(frame->opcode))
        return;
    ws->pieces = frame->opcode == WSLAY_CONTINUATION_FRAME ? ws->pieces + 1 : 1;
    if (ws->pieces <= PIECES_MAX)
        return;
    wslay_event_queue_close(wslay, WS_TOO_BIG, NULL, 0);
    wslay_event_shutdown_read(wslay);
}

static void hold(struct ws *ws, enum ws_kind kind, const void *bytes, size_t len)
{
    struct ws_held *held = malloc(sizeof(*held) + len);
    if (held == NULL) {
        ws_fail(ws, -ENOMEM);
        return;
    }
    *held = (struct ws_held){.kind = kind, .len_bytes = len};
    if (len > 0)
        memcpy(held->bytes, bytes, len);
    *ws->held_end = held;
    ws->held_end = &held->next;
}

static void note_close(struct ws *ws, const struct wslay_event_on_msg_recv_arg *message)
{
    /* The first two bytes are the code, in the network's order. */
    size_t len = message->msg_length > 2 ? message->msg_length - 2 : 0;
    ws->close_cut = message->msg_length == 1;
    if (len >= sizeof(ws->close_reason))
        len = sizeof(ws->close_reason) - 1;
    ws->close_code = message->status_code != 0 ? message->status_code : 1005;
    if (len > 0)
        memcpy(ws->close_reason, message->msg + 2, len);
    ws->close_reason[len] = '\0';
}

static void on_wslay_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *message,
                             void *arg)
{
    struct ws *ws = arg;
    (void)wslay;
    if (message->opcode == WSLAY_CONNECTION_CLOSE)
        note_close(ws, message);
    if (wslay_is_ctrl_frame(message->opcode) || ws->state != WS_OPEN || ws->pieces > PIECES_MAX)
        return;
    enum ws_kind kind = message->opcode == WSLAY_TEXT_FRAME ? WS_TEXT : WS_BINARY;
    const void *bytes = message->msg_length > 0 ? message->msg : (const uint8_t *)"";
    /* wslay reads ahead, so a few messages may come out of it after the user paused. */
    if (ws->paused || ws->held != NULL)
        hold(ws, kind, bytes, message->msg_length);
    else
        ws->ops->on_message(ws->arg, kind, bytes, message->msg_length);
}

static void deliver_held(struct ws *ws)
{
    while (ws->held != NULL && !ws->paused && ws->state == WS_OPEN) {
        struct ws_held *first = ws->held;
        ws->held = first->next;
        if (ws->held == NULL)
            ws->held_end = &ws->held;
        ws->ops->on_message(ws->arg, first->kind, first->bytes, first->len_bytes);
        free(first);
    }
}

/* Sends what wslay has and sees whether it is done. */
static void settle(struct ws *ws)
{
    if (ws->state == WS_DEAD || ws->wslay == NULL)
        return;
    if (wslay_event_want_write(ws->wslay) && wslay_event_send(ws->wslay) != 0) {
        ws_fail(ws, -ENOMEM);
        return;
    }
    if (wslay_event_get_close_received(ws->wslay) && ws->held == NULL) {
        ws_finish(ws, &(struct ws_close){.code = ws->close_code, .reason = ws->close_reason});
    } else if (!wslay_event_want_read(ws->wslay) && !wslay_event_get_close_received(ws->wslay)) {
        /* wslay found an offence and has queued the close frame that names it. */
        int code = wslay_event_get_status_code_sent(ws->wslay);
        ws_finish(ws, &(struct ws_close){.code = code != 0 ? code : WS_PROTOCOL, .reason = "", .error = 0});
    } else if (stream_queued_bytes(ws->stream) > WS_QUEUE_MAX) {
        ws_fail(ws, -ENOBUFS);
    }
}

static void on_ping_due(void *arg)
{
    struct ws *ws = arg;
    struct wslay_event_msg ping = {.opcode = WSLAY_PING};
    int64_t silent_ms = loop_monotonic_ms() - ws->heard_ms;
    ws->busy++;
    if (!ws->paused && silent_ms > 2 * (int64_t)ws->options.ping_ms) {
        ws_fail(ws, -ETIMEDOUT);
    } else {
        if (!ws->paused && silent_ms >= (int64_t)ws->options.ping_ms / 2)
            wslay_event_queue_msg(ws->wslay, &ping);
        loop_timer_arm(ws->ping, ws->options.ping_ms);
        settle(ws);
    }
    leave(ws);
}

static void on_deliver_due(void *arg)
{
    struct ws *ws = arg;
    ws->busy++;
    deliver_held(ws);
    settle(ws);
    leave(ws);
}

int ws_become_open(struct ws *ws, bool server)
{
    struct wslay_event_callbacks callbacks = {.recv_callback = on_wslay_recv,
                                              .send_callback = on_wslay_send,
                                              .genmask_callback = on_wslay_mask,
                                              .on_frame_recv_start_callback = on_wslay_frame,
                                              .on_msg_recv_callback = on_wslay_message};
    int result = server ? wslay_event_context_server_init(&ws->wslay, &callbacks, ws)
                        : wslay_event_context_client_init(&ws->wslay, &callbacks, ws);
    if (result != 0)
        return -ENOMEM;
    wslay_event_config_set_max_recv_msg_length(ws->wslay, ws->options.message_max_bytes);
    ws->state = WS_OPEN;
    ws->heard_ms = loop_monotonic_ms();
    loop_timer_arm(ws->ping, ws->options.ping_ms);
    return 0;
}

int ws_create(struct loop *loop, const struct ws_options *options, const struct ws_ops *ops, void *arg,
              struct ws **ret_ws)
{
    struct ws *ws = calloc(1, sizeof(*ws));
    if (ws == NULL)
        return -ENOMEM;
    ws->loop = loop;
    if (options != NULL)
        ws->options = *options;
    if (ws->options.message_max_bytes == 0)
        ws->options.message_max_bytes = WS_MESSAGE_MAX;
    if (ws->options.ping_ms == 0)
        ws->options.ping_ms = WS_PING_MS;
    ws->ops = ops;
    ws->arg = arg;
    ws->held_end = &ws->held;
    int error = loop_timer_create(loop, on_ping_due, ws, &ws->ping);
    if (error == 0)
        error = loop_timer_create(loop, on_deliver_due, ws, &ws->deliver);
    if (error < 0) {
        ws_free(ws);
        return error;
    }
    *ret_ws = ws;
    return 0;
}

static void on_ready(void *arg)
{
    struct ws *ws = arg;
    stream_write(ws->stream, ws->request, strlen(ws->request));
    /* It may carry a token. */
    explicit_bzero(ws->request, strlen(ws->request));
}

/* For a frame that it cannot read, and for a close frame with half a code, wslay has a close without a code;
 * RFC 6455 7.4.1 has 1002. */
static void refuse_frame(struct ws *ws)
{
    bool client = ws->key[0] != '\0';
    uint8_t mask[4] = {0}, frame[8] = {0x88, client ? 0x82 : 0x02};
    size_t at = 2;
    if (client) {
        random_fill(mask, sizeof(mask));
        memcpy(frame + at, mask, sizeof(mask));
        at += sizeof(mask);
    }
    frame[at] = (uint8_t)(WS_PROTOCOL >> 8) ^ mask[0];
    frame[at + 1] = (uint8_t)(WS_PROTOCOL & 0xff) ^ mask[1];
    if (!wslay_event_get_close_sent(ws->wslay))
        stream_write(ws->stream, frame, at + 2);
    ws_finish(ws, &(struct ws_close){.code = WS_PROTOCOL, .reason = ""});
}

static void on_data(void *arg, struct evbuffer *input)
{
    struct ws *ws = arg;
    ws->busy++;
    ws->heard_ms = loop_monotonic_ms();
    if (ws->state == WS_OPENING)
        ws_take_answer(ws, input);
    if (ws->state == WS_OPEN || ws->state == WS_CLOSING) {
        ws->input = input;
        int result = wslay_event_recv(ws->wslay);
        ws->input = NULL;
        if (result == WSLAY_ERR_NOMEM)
            ws_fail(ws, -ENOMEM);
        else if ((result != 0 || ws->close_cut) && ws->state != WS_DEAD)
            refuse_frame(ws);
        settle(ws);
    }
    leave(ws);
}

static void on_drained(void *arg)
{
    struct ws *ws = arg;
    ws->busy++;
    if (ws->state == WS_OPEN && ws->ops->on_drained != NULL)
        ws->ops->on_drained(ws->arg);
    leave(ws);
}

static void on_end(void *arg, int error)
{
    struct ws *ws = arg;
    ws->busy++;
    ws_fail(ws, error < 0 ? error : -ECONNRESET);
    leave(ws);
}

const struct stream_ops ws_stream_ops = {
    .on_ready = on_ready, .on_data = on_data, .on_drained = on_drained, .on_end = on_end};

void ws_set_ops(struct ws *ws, const struct ws_ops *ops, void *arg)
{
    ws->ops = ops;
    ws->arg = arg;
}

int ws_send(struct ws *ws, enum ws_kind kind, const void *bytes, size_t len_bytes)
{
    struct wslay_event_msg message = {.opcode = kind == WS_TEXT ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
                                      .msg = bytes,
                                      .msg_length = len_bytes};
    if (ws->state != WS_OPEN || wslay_event_get_close_sent(ws->wslay))
        return -EPIPE;
    int result = wslay_event_queue_msg(ws->wslay, &message);
    if (result != 0)
        return result == WSLAY_ERR_NOMEM ? -ENOMEM : -EPIPE;
    return wslay_event_send(ws->wslay) == 0 ? 0 : -ENOMEM;
}

size_t ws_queued_bytes(const struct ws *ws)
{
    return ws->stream != NULL ? stream_queued_bytes(ws->stream) : 0;
}

void ws_pause(struct ws *ws)
{
    ws->paused = true;
    if (ws->stream != NULL)
        stream_pause(ws->stream);
}

void ws_resume(struct ws *ws)
{
    if (!ws->paused || ws->stream == NULL)
        return;
    ws->paused = false;
    ws->heard_ms = loop_monotonic_ms();
    /* In a turn of their own: a resume inside on_message must not nest. */
    if (ws->held != NULL)
        loop_timer_arm(ws->deliver, 0);
    stream_resume(ws->stream);
}

void ws_close(struct ws *ws, int code, const char *reason)
{
    if (ws == NULL || ws->state >= WS_CLOSING)
        return;
    ws->busy++;
    size_t len = reason == NULL ? 0 : strlen(reason);
    bool polite = ws->state == WS_OPEN && code != WS_ABNORMAL;
    ws->state = WS_CLOSING;
    if (!polite || wslay_event_queue_close(ws->wslay, (uint16_t)code, (const uint8_t *)reason,
                                           len < 123 ? len : 123) != 0) {
        ws_fail(ws, -ECANCELED);
    } else {
        loop_timer_disarm(ws->ping);
        stream_set_deadline(ws->stream, CLOSE_WAIT_MS);
        ws_resume(ws);
        settle(ws);
    }
    leave(ws);
}

int ws_peer_fingerprint(const struct ws *ws, uint8_t ret_fingerprint[TLS_FINGERPRINT_BYTES])
{
    return ws->stream != NULL ? stream_peer_fingerprint(ws->stream, ret_fingerprint) : -ENOENT;
}

int ws_code_passed_on(int code)
{
    bool standard = code >= 1000 && code <= 1011 && (code < 1004 || code > 1006);
    return standard || (code >= 3000 && code <= 4999) ? code : WS_GOING_AWAY;
}
