/*
 * WebSocket, opening: the upgrade in both roles. What happens on an open one is in ws.c; see ws.h.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/io/http_parse.h"
#include "src/io/http_server.h"
#include "src/io/stream.h"
#include "src/io/ws_private.h"

#define OPEN_TIMEOUT_MS 30000  /* a client's connect, TLS and upgrade, unless it says otherwise */
#define REFUSAL_BODY_MAX 65536 /* bytes of an answer that refuses the upgrade */

/* The whole answer that refused the upgrade, body included, goes to the user. */
static void refused(struct ws *ws, struct evbuffer *input, const struct http_head *head)
{
    char *body = NULL;
    size_t len = head->content_length > 0 ? (size_t)head->content_length : 0;
    if (len > REFUSAL_BODY_MAX || evbuffer_get_length(input) < len || (body = malloc(len + 1)) == NULL) {
        ws_fail(ws, -EPROTO);
        return;
    }
    evbuffer_remove(input, body, len);
    body[len] = '\0';
    ws_finish(ws, &(struct ws_close){.code = WS_ABNORMAL,
                                     .reason = "",
                                     .error = -ECONNREFUSED,
                                     .http_status = head->status,
                                     .http_body = body});
    free(body);
}

static bool body_is_whole(const struct http_head *head, const struct evbuffer *input, size_t head_bytes)
{
    return head->status == 101 || head->content_length <= 0 || head->content_length > REFUSAL_BODY_MAX ||
           evbuffer_get_length(input) - head_bytes >= (size_t)head->content_length;
}

void ws_take_answer(struct ws *ws, struct evbuffer *input)
{
    struct http_head head;
    size_t len = evbuffer_get_length(input);
    size_t seen = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX;
    const char *text = (const char *)evbuffer_pullup(input, (ssize_t)seen);
    size_t head_bytes = text == NULL ? 0 : http_head_length(text, seen);
    if (head_bytes == 0) {
        if (seen == HTTP_HEAD_MAX)
            ws_fail(ws, -EPROTO);
        return;
    }
    if (http_parse_answer(text, head_bytes, &head) < 0) {
        ws_fail(ws, -EPROTO);
        return;
    }
    if (body_is_whole(&head, input, head_bytes)) {
        evbuffer_drain(input, head_bytes);
        bool accepted = ws_handshake_accepts(&head, ws->key);
        /* It switches, and to something else (RFC 6455 4.1); it has no body, whatever it says. */
        if (!accepted && head.status == 101) {
            ws_fail(ws, -EPROTO);
        } else if (!accepted) {
            refused(ws, input, &head);
        } else if (ws_become_open(ws, false) < 0) {
            ws_fail(ws, -ENOMEM);
        } else {
            stream_set_deadline(ws->stream, 0);
            if (ws->ops->on_open != NULL)
                ws->ops->on_open(ws->arg);
        }
    }
    http_head_finish(&head);
}

bool ws_is_upgrade(const struct http_request *request)
{
    return ws_handshake_asks(http_request_head(request));
}

int ws_accept(struct http_request *request, const struct ws_options *options, const struct ws_ops *ops,
              void *arg, struct ws **ret_ws)
{
    char answer[512], accept[WS_ACCEPT_BYTES];
    struct ws *ws;
    const char *protocol = options != NULL ? options->protocol : NULL;
    if (!ws_is_upgrade(request))
        return -EBADMSG;
    int error = ws_create(http_request_loop(request), options, ops, arg, &ws);
    if (error < 0)
        return error;
    error = ws_become_open(ws, true);
    if (error < 0) {
        ws_free(ws);
        return error;
    }
    ws_handshake_accept(http_head_field(http_request_head(request), "Sec-WebSocket-Key"), accept);
    int len = snprintf(answer, sizeof(answer),
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Accept: %s\r\n%s%s%s\r\n",
                       accept, protocol != NULL ? "Sec-WebSocket-Protocol: " : "",
                       protocol != NULL ? protocol : "", protocol != NULL ? "\r\n" : "");
    ws->stream = http_request_take_stream(request);
    stream_write(ws->stream, answer, (size_t)len);
    stream_set_ops(ws->stream, &ws_stream_ops, ws);
    *ret_ws = ws;
    return 0;
}

static int write_request(struct ws *ws, const struct ws_target *target)
{
    const char *protocol = ws->options.protocol;
    bool v6 = strchr(target->host, ':') != NULL;
    ws_handshake_key(ws->key);
    int len =
        asprintf(&ws->request,
                 "GET %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s%s%s%s\r\n",
                 target->target, v6 ? "[" : "", target->host, v6 ? "]" : "", (unsigned)target->port, ws->key,
                 protocol != NULL ? "Sec-WebSocket-Protocol: " : "", protocol != NULL ? protocol : "",
                 protocol != NULL ? "\r\n" : "", target->headers != NULL ? target->headers : "");
    return len < 0 ? -ENOMEM : 0;
}

int ws_connect(struct loop *loop, struct tls_client *tls, const struct ws_target *target,
               const struct ws_options *options, const struct ws_ops *ops, void *arg, struct ws **ret_ws)
{
    struct ws *ws;
    int error = ws_create(loop, options, ops, arg, &ws);
    if (error < 0)
        return error;
    error = write_request(ws, target);
    if (error == 0)
        error = stream_connect(loop, target->host, target->port, tls, &ws_stream_ops, ws, &ws->stream);
    if (error < 0) {
        ws_free(ws);
        return error;
    }
    stream_set_deadline(ws->stream, target->timeout_ms > 0 ? target->timeout_ms : OPEN_TIMEOUT_MS);
    *ret_ws = ws;
    return 0;
}
