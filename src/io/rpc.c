/*
 * RPC peer: see rpc.h. Texts are read and written by protocol/rpc_message.h; here are dispatch, ids and time.
 * Trees and texts are wiped when they go: a message may carry a token or a drive's key.
 */
#include "src/io/rpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json.h"
#include "protocol/rpc_message.h"
#include "src/io/loop.h"

struct rpc_waiting {
    struct rpc_peer *peer; /* borrowed */
    struct rpc_waiting *next;
    struct loop_timer *timer; /* owned; NULL: for ever */
    int64_t id;
    rpc_answered *fn;
    void *arg;
};

struct rpc_request {
    struct rpc_peer *peer; /* borrowed; NULL when it has gone */
    struct rpc_request *previous, *next;
    char id[RPC_MESSAGE_ID_BYTES];
};

struct rpc_peer {
    struct loop *loop; /* borrowed */
    struct rpc_options options;
    struct json_limits limits;
    struct rpc_waiting *waiting;  /* owned, in no order */
    struct rpc_request *requests; /* borrowed: those not answered yet */
    size_t nwaiting, nrequests;
    int64_t next_id;
    unsigned busy; /* calls of ours on the stack */
    bool gone;     /* destroyed; freed when busy is 0 */
};

int rpc_peer_create(struct loop *loop, const struct rpc_options *options, struct rpc_peer **ret_peer)
{
    struct rpc_peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL)
        return -ENOMEM;
    peer->loop = loop;
    peer->options = *options;
    if (peer->options.emit_arg == NULL)
        peer->options.emit_arg = options->arg;
    size_t max = options->message_max_bytes > 0 ? options->message_max_bytes : RPC_MESSAGE_MAX;
    peer->limits = max > RPC_MESSAGE_MAX ? json_limits_channel : json_limits_message;
    peer->limits.text_max_bytes = max;
    peer->limits.depth_max = RPC_DEPTH_MAX;
    peer->next_id = 1;
    *ret_peer = peer;
    return 0;
}

static void leave(struct rpc_peer *peer)
{
    if (--peer->busy == 0 && peer->gone)
        free(peer);
}

/* What a call hears that no answer came to. */
static struct rpc_answer unanswered(int error)
{
    return (struct rpc_answer){.error = error, .name = "", .detail = ""};
}

/* Takes WAITING out of the list, which holds it. */
static void unlink_waiting(struct rpc_waiting *waiting)
{
    struct rpc_waiting **at = &waiting->peer->waiting;
    while (*at != waiting)
        at = &(*at)->next;
    *at = waiting->next;
    waiting->peer->nwaiting--;
}

static void finish_waiting(struct rpc_waiting *waiting, const struct rpc_answer *answer)
{
    unlink_waiting(waiting);
    loop_timer_destroy(waiting->timer);
    if (answer != NULL)
        waiting->fn(waiting->arg, answer);
    free(waiting);
}

void rpc_peer_destroy(struct rpc_peer *peer)
{
    if (peer == NULL || peer->gone)
        return;
    struct rpc_answer answer = unanswered(-ECONNRESET);
    peer->busy++;
    peer->gone = true;
    for (struct rpc_request *request = peer->requests; request != NULL; request = request->next)
        request->peer = NULL;
    while (peer->waiting != NULL)
        finish_waiting(peer->waiting, &answer);
    leave(peer);
}

/* Sends what WRITER holds and finishes it. The writer's own error. */
static int emit(struct rpc_peer *peer, struct json_writer *writer)
{
    int error = json_writer_end(writer);
    if (error == 0)
        peer->options.emit(peer->options.emit_arg, writer->text, writer->len);
    json_writer_finish_wiped(writer);
    return error;
}

static void emit_error(struct rpc_peer *peer, const char *id, enum rpc_code code, const char *words)
{
    struct json_writer writer = json_writer_init(0);
    rpc_message_write_error(&writer, id, code, words, NULL);
    emit(peer, &writer);
}

static struct rpc_request *open_request(struct rpc_peer *peer, const char *id)
{
    struct rpc_request *request = calloc(1, sizeof(*request));
    if (request == NULL)
        return NULL;
    request->peer = peer;
    memcpy(request->id, id, sizeof(request->id));
    request->next = peer->requests;
    if (peer->requests != NULL)
        peer->requests->previous = request;
    peer->requests = request;
    peer->nrequests++;
    return request;
}

static void close_request(struct rpc_request *request)
{
    struct rpc_peer *peer = request->peer;
    if (peer != NULL) {
        if (request->previous != NULL)
            request->previous->next = request->next;
        else
            peer->requests = request->next;
        if (request->next != NULL)
            request->next->previous = request->previous;
        peer->nrequests--;
    }
    free(request);
}

static rpc_handler *find_handler(const struct rpc_peer *peer, const char *name)
{
    for (const struct rpc_method *method = peer->options.methods; method != NULL && method->name != NULL;
         method++) {
        if (strcmp(method->name, name) == 0)
            return method->handler;
    }
    return NULL;
}

static int dispatch(struct rpc_peer *peer, const struct rpc_message *message)
{
    struct rpc_request *request = NULL;
    void *arg = peer->options.arg;
    if (peer->options.waits != NULL && peer->options.waits(message->method, arg))
        return -EAGAIN;
    if (message->kind == RPC_MESSAGE_REQUEST) {
        request = open_request(peer, message->id);
        if (request == NULL)
            return -ENOMEM;
    }
    rpc_handler *handler = find_handler(peer, message->method);
    if (handler != NULL) {
        handler(request, message->params, arg);
        return 0;
    }
    if (peer->options.fallback != NULL &&
        peer->options.fallback(request, message->method, message->params, arg))
        return 0;
    if (request != NULL) {
        emit_error(peer, request->id, RPC_UNKNOWN_METHOD, "there is no such method");
        close_request(request);
    }
    return 0;
}

static void take_answer(struct rpc_peer *peer, const struct rpc_message *message)
{
    struct rpc_waiting *waiting = peer->waiting;
    while (waiting != NULL && waiting->id != message->id_number)
        waiting = waiting->next;
    /* Too late, or to nothing we asked: nobody waits for it. */
    if (waiting == NULL)
        return;
    struct rpc_answer answer = {.result = message->result, .name = "", .detail = ""};
    if (message->kind == RPC_MESSAGE_ERROR) {
        answer = (struct rpc_answer){.code = message->code == 0 ? RPC_INTERNAL : (int)message->code,
                                     .message = message->words,
                                     .name = message->name,
                                     .detail = message->detail,
                                     .data = message->data};
    }
    finish_waiting(waiting, &answer);
}

void rpc_peer_tell_too_large(struct rpc_peer *peer)
{
    struct json_writer writer = json_writer_init(0);
    rpc_message_write_failure(&writer, "null", CODE_MESSAGE_TOO_LARGE, NULL);
    emit(peer, &writer);
}

int rpc_peer_feed(struct rpc_peer *peer, const char *text, size_t len_bytes)
{
    struct rpc_message message;
    char id[RPC_MESSAGE_ID_BYTES] = "null";
    if (peer->gone)
        return -ECONNRESET;
    peer->busy++;
    int error = rpc_message_decode(text, len_bytes, &peer->limits, &message, id);
    if (error == -EINVAL) {
        emit_error(peer, id, RPC_INVALID_REQUEST, "not a JSON-RPC 2.0 message");
        error = 0;
    } else if (error < 0 && error != -ENOMEM) {
        if (error == -EMSGSIZE)
            rpc_peer_tell_too_large(peer);
        else
            emit_error(peer, "null", RPC_MALFORMED, "malformed text");
        error = -EBADMSG;
    } else if (error == 0) {
        if (message.kind == RPC_MESSAGE_REQUEST || message.kind == RPC_MESSAGE_NOTIFICATION)
            error = dispatch(peer, &message);
        else
            take_answer(peer, &message);
        rpc_message_finish_wiped(&message);
    }
    leave(peer);
    return error;
}

static void on_timeout(void *arg)
{
    struct rpc_waiting *waiting = arg;
    struct rpc_peer *peer = waiting->peer;
    struct rpc_answer answer = unanswered(-ETIMEDOUT);
    peer->busy++;
    finish_waiting(waiting, &answer);
    leave(peer);
}

/* The message around them is one object more: deeper ones would make the other end close the link. */
static int check_params(const char *params)
{
    struct json_limits limits = json_limits_channel;
    struct json *tree;
    if (params == NULL)
        return 0;
    limits.depth_max = RPC_DEPTH_MAX - 1;
    int error = json_parse(params, strlen(params), &limits, &tree);
    if (error < 0)
        return -EINVAL;
    enum json_kind kind = json_kind(tree);
    json_destroy_wiped(tree);
    return kind == JSON_OBJECT || kind == JSON_ARRAY ? 0 : -EINVAL;
}

static struct rpc_waiting *add_waiting(struct rpc_peer *peer, uint32_t timeout_ms, rpc_answered *fn,
                                       void *arg)
{
    struct rpc_waiting *waiting = calloc(1, sizeof(*waiting));
    if (waiting == NULL)
        return NULL;
    *waiting = (struct rpc_waiting){.peer = peer, .id = peer->next_id, .fn = fn, .arg = arg};
    if (timeout_ms > 0 && loop_timer_create(peer->loop, on_timeout, waiting, &waiting->timer) < 0) {
        free(waiting);
        return NULL;
    }
    if (timeout_ms > 0)
        loop_timer_arm(waiting->timer, timeout_ms);
    waiting->next = peer->waiting;
    peer->waiting = waiting;
    peer->nwaiting++;
    peer->next_id++;
    return waiting;
}

int rpc_call(struct rpc_peer *peer, const char *method, const char *params, uint32_t timeout_ms,
             rpc_answered *fn, void *arg)
{
    if (peer->gone)
        return -ECONNRESET;
    if (peer->nwaiting == RPC_WAITING_MAX)
        return -EAGAIN;
    int error = check_params(params);
    if (error < 0)
        return error;
    struct rpc_waiting *waiting = add_waiting(peer, timeout_ms, fn, arg);
    if (waiting == NULL)
        return -ENOMEM;
    struct json_writer writer = json_writer_init(peer->limits.text_max_bytes);
    rpc_message_write_request(&writer, waiting->id, method, params);
    error = emit(peer, &writer);
    if (error < 0)
        finish_waiting(waiting, NULL);
    return error;
}

int rpc_notify(struct rpc_peer *peer, const char *method, const char *params)
{
    if (peer->gone)
        return -ECONNRESET;
    int error = check_params(params);
    if (error < 0)
        return error;
    struct json_writer writer = json_writer_init(peer->limits.text_max_bytes);
    rpc_message_write_notification(&writer, method, params);
    return emit(peer, &writer);
}

/* cppcheck-suppress constParameter; what is compared with is a callback and its argument */
void rpc_forget(struct rpc_peer *peer, rpc_answered *fn, void *arg)
{
    struct rpc_waiting *waiting = peer->waiting;
    while (waiting != NULL) {
        struct rpc_waiting *next = waiting->next;
        if (waiting->fn == fn && waiting->arg == arg)
            finish_waiting(waiting, NULL);
        waiting = next;
    }
}

/* An answer that cannot be written (too large, no memory) must still end the peer's waiting. */
static void answer_with(struct rpc_request *request, struct json_writer *writer)
{
    char id[RPC_MESSAGE_ID_BYTES];
    struct rpc_peer *peer = request->peer;
    memcpy(id, request->id, sizeof(id));
    close_request(request);
    if (peer == NULL) {
        json_writer_finish_wiped(writer);
        return;
    }
    peer->busy++;
    if (emit(peer, writer) < 0)
        emit_error(peer, id, RPC_INTERNAL, "the answer cannot be written");
    leave(peer);
}

void rpc_reply(struct rpc_request *request, const char *result)
{
    if (request == NULL)
        return;
    struct json_writer writer = json_writer_init(0);
    rpc_message_write_result(&writer, request->id, result);
    answer_with(request, &writer);
}

void rpc_reply_json(struct rpc_request *request, struct json_writer *result)
{
    if (json_writer_end(result) == 0)
        rpc_reply(request, result->text);
    else
        rpc_fail_code(request, CODE_INTERNAL, NULL);
    json_writer_finish_wiped(result);
}

void rpc_fail_code(struct rpc_request *request, enum kiln_code code, const char *detail)
{
    if (request == NULL)
        return;
    struct json_writer writer = json_writer_init(0);
    rpc_message_write_failure(&writer, request->id, code, detail);
    answer_with(request, &writer);
}

void rpc_fail(struct rpc_request *request, int code, const char *message, const char *data)
{
    if (request == NULL)
        return;
    struct json_writer writer = json_writer_init(0);
    rpc_message_write_error(&writer, request->id, code, message, data);
    answer_with(request, &writer);
}

void rpc_fail_parameter(struct rpc_request *request, const char *parameter)
{
    if (request == NULL)
        return;
    struct json_writer data = json_writer_init(0);
    rpc_message_write_failure_data(&data, CODE_BAD_PARAMETER, parameter);
    rpc_fail(request, RPC_INVALID_PARAMS, "a parameter is missing or wrong",
             json_writer_end(&data) == 0 ? data.text : NULL);
    json_writer_finish(&data);
}

struct rpc_peer *rpc_request_peer(const struct rpc_request *request)
{
    return request->peer;
}

size_t rpc_peer_open_requests(const struct rpc_peer *peer)
{
    return peer->nrequests;
}
