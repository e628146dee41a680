/*
 * HTTP client: see http_client.h. One stream a call; the call frees itself when it has told its end.
 */
#include "src/io/http_client.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/io/loop.h"
#include "src/io/stream.h"

#define TIMEOUT_MS 30000

struct http_call {
    struct stream *stream;     /* owned; NULL when it could not be made */
    struct loop_timer *failed; /* owned: brings the error of a call that could not start */
    struct evbuffer *request;  /* owned: head and body, until connected */
    struct http_head head;     /* of the answer */
    bool has_head;
    struct evbuffer *body; /* owned: of the answer */
    size_t body_bytes;     /* of it, wherever it went */
    size_t answer_max_bytes;
    int body_fd;       /* borrowed; 0: none */
    int error;         /* of `failed` */
    bool without_body; /* the answer to HEAD */
    void (*fn)(void *arg, const struct http_answer *answer);
    void *arg;
};

static void free_call(struct http_call *call)
{
    stream_abort(call->stream);
    loop_timer_destroy(call->failed);
    if (call->request != NULL)
        evbuffer_free(call->request);
    if (call->body != NULL)
        evbuffer_free(call->body);
    if (call->has_head)
        http_head_finish(&call->head);
    free(call);
}

static void finish(struct http_call *call, const struct http_answer *answer)
{
    call->fn(call->arg, answer);
    free_call(call);
}

static void fail(struct http_call *call, int error)
{
    finish(call, &(struct http_answer){.error = error, .body = ""});
}

static void succeed(struct http_call *call)
{
    struct http_answer answer = {.status = call->head.status, .head = &call->head, .body = ""};
    if (evbuffer_add(call->body, "", 1) < 0) {
        fail(call, -ENOMEM);
        return;
    }
    answer.body_bytes = evbuffer_get_length(call->body) - 1;
    answer.body = (const char *)evbuffer_pullup(call->body, -1);
    if (answer.body == NULL) {
        fail(call, -ENOMEM);
        return;
    }
    /* A plain stream has none, which leaves zeros. */
    stream_peer_fingerprint(call->stream, answer.fingerprint);
    finish(call, &answer);
}

static bool goes_to_file(const struct http_call *call)
{
    return call->body_fd > 0 && call->head.status >= 200 && call->head.status < 300;
}

static int write_to_file(const struct http_call *call, struct evbuffer *input)
{
    while (evbuffer_get_length(input) > 0) {
        if (evbuffer_write(input, call->body_fd) < 0 && errno != EINTR)
            return -errno;
    }
    return 0;
}

/* Takes what has come of the body. 0, or why the call fails. */
static int take_body(struct http_call *call, struct evbuffer *input)
{
    size_t len = evbuffer_get_length(input);
    int64_t stated = call->head.content_length;
    if (stated >= 0 && call->body_bytes + len > (size_t)stated)
        return -EPROTO;
    if (call->body_bytes + len > call->answer_max_bytes || stated > (int64_t)call->answer_max_bytes)
        return -EFBIG;
    call->body_bytes += len;
    if (goes_to_file(call))
        return write_to_file(call, input);
    return evbuffer_add_buffer(call->body, input) < 0 ? -ENOMEM : 0;
}

static bool is_whole(const struct http_call *call)
{
    if (call->without_body || call->head.status == 204 || call->head.status == 304)
        return true;
    return call->head.content_length >= 0 && call->body_bytes == (size_t)call->head.content_length;
}

/* 0 the head is there, -EAGAIN not yet, or why the call fails. */
static int take_head(struct http_call *call, struct evbuffer *input)
{
    size_t len = evbuffer_get_length(input);
    size_t seen = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX;
    const char *text = (const char *)evbuffer_pullup(input, (ssize_t)seen);
    size_t head_bytes = text == NULL ? 0 : http_head_length(text, seen);
    if (head_bytes == 0)
        return seen == HTTP_HEAD_MAX ? -EPROTO : -EAGAIN;
    int error = http_parse_answer(text, head_bytes, &call->head);
    if (error < 0)
        return error == -ENOMEM ? error : -EPROTO;
    evbuffer_drain(input, head_bytes);
    /* 100 Continue and its like precede the answer. */
    if (call->head.status < 200) {
        http_head_finish(&call->head);
        return take_head(call, input);
    }
    call->has_head = true;
    return 0;
}

static void on_ready(void *arg)
{
    struct http_call *call = arg;
    stream_move(call->stream, call->request);
}

static void on_data(void *arg, struct evbuffer *input)
{
    struct http_call *call = arg;
    int error = call->has_head ? 0 : take_head(call, input);
    if (error == -EAGAIN)
        return;
    if (error == 0 && !call->without_body)
        error = take_body(call, input);
    if (error < 0)
        fail(call, error);
    else if (is_whole(call))
        succeed(call);
}

static void on_end(void *arg, int error)
{
    struct http_call *call = arg;
    /* An answer without a length ends with the connection, if that ends properly. */
    if (error == 0 && call->has_head && call->head.content_length < 0)
        succeed(call);
    else
        fail(call, error == 0 ? -ECONNRESET : error);
}

static const struct stream_ops call_ops = {.on_ready = on_ready, .on_data = on_data, .on_end = on_end};

static void on_failed(void *arg)
{
    struct http_call *call = arg;
    fail(call, call->error);
}

static int write_request(struct evbuffer *out, const struct http_client_request *request)
{
    bool v6 = strchr(request->host, ':') != NULL;
    int added = evbuffer_add_printf(out, "%s %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nConnection: close\r\n",
                                    request->method, request->target, v6 ? "[" : "", request->host,
                                    v6 ? "]" : "", (unsigned)request->port);
    if (added >= 0 && (request->body_bytes > 0 || strcmp(request->method, "GET") != 0))
        added = evbuffer_add_printf(out, "Content-Length: %zu\r\n", request->body_bytes);
    if (added >= 0 && request->headers != NULL)
        added = evbuffer_add(out, request->headers, strlen(request->headers));
    if (added >= 0)
        added = evbuffer_add(out, "\r\n", 2);
    if (added >= 0 && request->body_bytes > 0)
        added = evbuffer_add(out, request->body, request->body_bytes);
    return added < 0 ? -ENOMEM : 0;
}

static int start(struct loop *loop, struct tls_client *tls, const struct http_client_request *request,
                 struct http_call *call)
{
    call->request = evbuffer_new();
    call->body = evbuffer_new();
    if (call->request == NULL || call->body == NULL)
        return -ENOMEM;
    int error = loop_timer_create(loop, on_failed, call, &call->failed);
    if (error == 0)
        error = write_request(call->request, request);
    if (error < 0)
        return error;
    error = stream_connect(loop, request->host, request->port, tls, &call_ops, call, &call->stream);
    if (error < 0) {
        call->error = error;
        loop_timer_arm(call->failed, 0);
        return 0;
    }
    stream_set_deadline(call->stream, request->timeout_ms > 0 ? request->timeout_ms : TIMEOUT_MS);
    return 0;
}

int http_client_call(struct loop *loop, struct tls_client *tls, const struct http_client_request *request,
                     void (*fn)(void *arg, const struct http_answer *answer), void *arg,
                     struct http_call **ret_call)
{
    struct http_call *call = calloc(1, sizeof(*call));
    if (call == NULL)
        return -ENOMEM;
    call->fn = fn;
    call->arg = arg;
    call->body_fd = request->body_fd;
    call->without_body = strcmp(request->method, "HEAD") == 0;
    call->answer_max_bytes = request->answer_max_bytes > 0 ? request->answer_max_bytes : HTTP_CLIENT_BODY_MAX;
    int error = start(loop, tls, request, call);
    if (error < 0) {
        free_call(call);
        return error;
    }
    if (ret_call != NULL)
        *ret_call = call;
    return 0;
}

void http_call_cancel(struct http_call *call)
{
    if (call != NULL)
        free_call(call);
}
