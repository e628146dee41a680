/*
 * The network between guests and the edge: see false_net.h.
 */
#include "tests/sim/false_net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/text.h"
#include "src/io/http_client.h"
#include "src/io/loop.h"
#include "src/io/ws.h"
#include "tests/sim/edge.h"
#include "tests/sim/false_loop.h"

enum { PASS_US = 1500, REFUSED_US = 3000, SILENT_US = 20000000 };

/* A WebSocket of a guest's, or a request of its. `loop` is the guest's; it names whose it is. */
struct ws {
    uint64_t number;
    struct loop *loop;
    const struct ws_ops *ops;
    void *arg;
    char uuid[UUID_TEXT_BYTES], token[TEXT_HEX_BYTES(32)];
    enum false_net_fault fault;
    int64_t to_edge_us, to_guest_us;
    struct ws *next;
};

struct http_call {
    uint64_t number;
    struct loop *loop;
    void (*fn)(void *arg, const struct http_answer *answer);
    void *arg;
    struct loop_timer *timeout;
    struct http_call *next;
};

/* What is on its way. */
struct message {
    uint64_t number;
    int status; /* of a refusal or an answer; 0: none came */
    size_t len;
    uint8_t bytes[];
};

static struct {
    struct ws *wires;        /* newest first */
    struct http_call *calls; /* newest first */
    uint64_t last;
    bool abrupt; /* nobody closes what is closed now */
} net;

void false_net_begin(void)
{
    net.last = 0;
    net.abrupt = false;
}

void false_net_end(void)
{
    while (net.wires) {
        struct ws *ws = net.wires;
        net.wires = ws->next;
        free(ws);
    }
}

static struct ws *wire_find(uint64_t number)
{
    struct ws *ws = net.wires;
    while (ws && ws->number != number)
        ws = ws->next;
    return ws;
}

static void wire_free(struct ws *ws)
{
    struct ws **at = &net.wires;
    while (*at != ws)
        at = &(*at)->next;
    *at = ws->next;
    free(ws);
}

static struct message *message_make(uint64_t number, int status, const void *bytes, size_t len)
{
    struct message *message = malloc(sizeof *message + len + 1);
    if (!message)
        abort();
    *message = (struct message){.number = number, .status = status, .len = len};
    if (len)
        memcpy(message->bytes, bytes, len);
    message->bytes[len] = 0;
    return message;
}

static int64_t delay_us(int64_t *at_us)
{
    int64_t then_us = clock_us() + chance_delay_us(CHANCE_NET, PASS_US);
    *at_us = then_us > *at_us ? then_us : *at_us;
    return *at_us - clock_us();
}

/* To the edge, if it lives that long. */
static void to_edge(struct message *message, int64_t in_us, void (*fn)(void *))
{
    if (edge_loop())
        clock_after_freed(in_us, fn, message, loop_owner(edge_loop()));
    else
        free(message);
}

/* ---- to the guest ---- */

static void hang_up(uint64_t number, int error, int http_status, const char *body)
{
    struct ws *ws = wire_find(number);
    const struct ws_close close = {
        .code = WS_ABNORMAL, .reason = "", .error = error, .http_status = http_status, .http_body = body};
    if (!ws)
        return;
    const struct ws_ops *ops = ws->ops;
    void *arg = ws->arg;
    wire_free(ws);
    ops->on_close(arg, &close);
}

static void guest_hears_close(void *arg)
{
    const struct message *message = arg;
    hang_up(message->number, message->status ? 0 : -ECONNRESET, message->status,
            message->status ? (const char *)message->bytes : NULL);
}

static void guest_hears_open(void *arg)
{
    struct ws *ws = wire_find(((struct message *)arg)->number);
    if (ws)
        ws->ops->on_open(ws->arg);
}

static void guest_hears(void *arg)
{
    const struct message *message = arg;
    struct ws *ws = wire_find(message->number);
    if (ws)
        ws->ops->on_message(ws->arg, WS_BINARY, message->bytes, message->len);
}

static void to_guest(uint64_t number, int status, const void *bytes, size_t len, void (*fn)(void *))
{
    struct ws *ws = wire_find(number);
    if (ws)
        clock_after_freed(delay_us(&ws->to_guest_us), fn, message_make(number, status, bytes, len),
                          loop_owner(ws->loop));
}

void false_net_accept(uint64_t wire)
{
    to_guest(wire, 0, NULL, 0, guest_hears_open);
}

void false_net_refuse(uint64_t wire, enum kiln_code code)
{
    char body[96];
    int len = snprintf(body, sizeof body, "{\"error\":{\"code\":\"%s\"}}", code_info(code)->name);
    to_guest(wire, code_info(code)->http_status, body, (size_t)len, guest_hears_close);
}

void false_net_send(uint64_t wire, const void *bytes, size_t len)
{
    to_guest(wire, 0, bytes, len, guest_hears);
}

void false_net_close(uint64_t wire)
{
    to_guest(wire, 0, NULL, 0, guest_hears_close);
}

/* ---- to the edge ---- */

static void edge_sees_connect(void *arg)
{
    const struct message *message = arg;
    struct ws *ws = wire_find(message->number);
    if (ws)
        edge_wire_connect(ws->number, ws->uuid, ws->token);
}

static void edge_sees_data(void *arg)
{
    const struct message *message = arg;
    edge_wire_data(message->number, message->bytes, message->len);
}

static void edge_sees_close(void *arg)
{
    edge_wire_closed(((struct message *)arg)->number);
}

static void headers_read(struct ws *ws, const char *headers)
{
    if (sscanf(headers, "Kiln-VM: %36s\r\nAuthorization: Bearer %64s", ws->uuid, ws->token) != 2)
        abort();
}

int ws_connect(struct loop *loop, struct tls_client *tls, const struct ws_target *target,
               const struct ws_options *options, const struct ws_ops *ops, void *arg, struct ws **ret_ws)
{
    struct ws *ws = calloc(1, sizeof *ws);
    (void)tls;
    (void)options;
    if (!ws)
        return -ENOMEM;
    *ws = (struct ws){.number = ++net.last, .loop = loop, .ops = ops, .arg = arg, .next = net.wires};
    headers_read(ws, target->headers);
    net.wires = ws;
    if (edge_up())
        to_edge(message_make(ws->number, 0, NULL, 0), delay_us(&ws->to_edge_us), edge_sees_connect);
    else
        clock_after_freed(chance_delay_us(CHANCE_NET, REFUSED_US), guest_hears_close,
                          message_make(ws->number, 0, NULL, 0), loop_owner(loop));
    *ret_ws = ws;
    return 0;
}

int ws_send(struct ws *ws, enum ws_kind kind, const void *bytes, size_t len_bytes)
{
    enum false_net_fault fault = ws->fault;
    struct message *message = message_make(ws->number, 0, bytes, len_bytes);
    (void)kind;
    ws->fault = NET_GOOD;
    if (fault == NET_BENT && len_bytes)
        message->bytes[chance(CHANCE_NET, len_bytes)] ^= 1;
    if (fault == NET_TWICE)
        to_edge(message_make(ws->number, 0, bytes, len_bytes), delay_us(&ws->to_edge_us), edge_sees_data);
    if (fault == NET_LOST)
        free(message);
    else
        to_edge(message, delay_us(&ws->to_edge_us), edge_sees_data);
    return 0;
}

void ws_close(struct ws *ws, int code, const char *reason)
{
    (void)code;
    (void)reason;
    int64_t in_us = net.abrupt ? chance_delay_us(CHANCE_NET, SILENT_US) : delay_us(&ws->to_edge_us);
    to_edge(message_make(ws->number, 0, NULL, 0), in_us, edge_sees_close);
    wire_free(ws);
}

void false_net_fault(const uint8_t id[16], enum false_net_fault fault)
{
    char uuid[UUID_TEXT_BYTES];
    struct ws *ws = net.wires;
    uuid_format(id, uuid);
    while (ws && strcmp(ws->uuid, uuid) != 0)
        ws = ws->next;
    if (!ws)
        return;
    ws->fault = fault;
    if (fault < NET_CUT)
        return;
    if (fault > NET_CUT)
        edge_lie(id, fault == NET_REFUSED);
    to_edge(message_make(ws->number, 0, NULL, 0), delay_us(&ws->to_edge_us), edge_sees_close);
    to_guest(ws->number, 0, NULL, 0, guest_hears_close);
}

/* ---- requests ---- */

static void call_free(struct http_call *call)
{
    struct http_call **at = &net.calls;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    loop_timer_destroy(call->timeout);
    free(call);
}

static void call_end(uint64_t number, const struct http_answer *answer)
{
    struct http_call *call = net.calls;
    while (call && call->number != number)
        call = call->next;
    if (!call)
        return;
    void (*fn)(void *, const struct http_answer *) = call->fn;
    void *arg = call->arg;
    call_free(call);
    fn(arg, answer);
}

static void timed_out(void *arg)
{
    const struct http_answer answer = {.error = -ETIMEDOUT};
    call_end(((struct http_call *)arg)->number, &answer);
}

static void answered(void *arg)
{
    const struct message *message = arg;
    const struct http_answer answer = {.error = message->status ? 0 : -ECONNREFUSED,
                                       .status = message->status,
                                       .body = (const char *)message->bytes,
                                       .body_bytes = message->len};
    call_end(message->number, &answer);
}

static void edge_sees_register(void *arg)
{
    const struct message *message = arg;
    edge_register(message->number, (const char *)message->bytes, message->len);
}

int http_client_call(struct loop *loop, struct tls_client *tls, const struct http_client_request *request,
                     void (*fn)(void *arg, const struct http_answer *answer), void *arg,
                     struct http_call **ret_call)
{
    struct http_call *call = calloc(1, sizeof *call);
    (void)tls;
    if (!call)
        return -ENOMEM;
    *call = (struct http_call){.number = ++net.last, .loop = loop, .fn = fn, .arg = arg, .next = net.calls};
    if (loop_timer_create(loop, timed_out, call, &call->timeout)) {
        free(call);
        return -ENOMEM;
    }
    net.calls = call;
    loop_timer_arm(call->timeout, request->timeout_ms);
    int64_t in_us = chance_delay_us(CHANCE_NET, PASS_US);
    if (edge_up())
        to_edge(message_make(call->number, 0, request->body, request->body_bytes), in_us, edge_sees_register);
    else
        clock_after_freed(in_us, answered, message_make(call->number, 0, NULL, 0), loop_owner(loop));
    *ret_call = call;
    return 0;
}

void http_call_cancel(struct http_call *call)
{
    if (call)
        call_free(call);
}

void false_net_answer(uint64_t number, int http_status, const char *body, size_t len)
{
    const struct http_call *call = net.calls;
    while (call && call->number != number)
        call = call->next;
    if (call)
        clock_after_freed(chance_delay_us(CHANCE_NET, PASS_US), answered,
                          message_make(number, http_status, body, len), loop_owner(call->loop));
}

void false_net_abrupt(bool abrupt)
{
    net.abrupt = abrupt;
}
