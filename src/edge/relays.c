/*
 * Relays: see relays.h.
 */
#include "src/edge/relays.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json_write.h"
#include "protocol/text.h"
#include "src/edge/edge.h"
#include "src/edge/failure.h"
#include "src/edge/kilnd.h"
#include "src/edge/limits.h"
#include "src/edge/token.h"
#include "src/io/http_server.h"
#include "src/io/log.h"
#include "src/io/ws.h"

/* One WebSocket; waits (relay NULL, in the list of waiting ones) or is joined. */
struct end {
    struct relays *relays; /* borrowed */
    struct relay *relay;   /* borrowed; NULL: waits */
    struct end *next;      /* in the list of waiting ones, newest first */
    struct ws *ws;         /* owned */
    uint64_t bytes;        /* received */
    char vm[UUID_TEXT_BYTES];
    char peer[LIMIT_ADDRESS_MAX];
};

struct relay {
    struct relay *previous, *next;
    struct end *owner, *guest; /* owned */
    uint64_t number;
};

struct relays {
    struct edge *edge;    /* borrowed */
    struct end *waiting;  /* owned */
    struct relay *joined; /* owned */
    uint64_t last_number;
};

/* Gives an end back; its ws is closed or was. */
static void free_end(struct end *end)
{
    limits_give_back(end->relays->edge->limits, end->peer);
    free(end);
}

static void stop_waiting(struct end *end)
{
    struct end **at = &end->relays->waiting;
    while (*at != NULL && *at != end)
        at = &(*at)->next;
    if (*at == end)
        *at = end->next;
}

static void tell(const struct relay *relay, const char *method, bool closed)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_int(&params, "relay", (int64_t)relay->number);
    json_write_text(&params, "vm", relay->guest->vm);
    json_write_text(&params, "kind", "channel");
    if (closed) {
        json_write_int(&params, "up", (int64_t)relay->owner->bytes);
        json_write_int(&params, "down", (int64_t)relay->guest->bytes);
    }
    json_write_object_end(&params);
    kilnd_notify(relay->guest->relays->edge->kilnd, method, &params);
}

static void free_relay(struct relay *relay)
{
    struct relays *relays = relay->guest->relays;
    if (relay->previous != NULL)
        relay->previous->next = relay->next;
    else
        relays->joined = relay->next;
    if (relay->next != NULL)
        relay->next->previous = relay->previous;
    tell(relay, "relay.closed", true);
    log_info("relay", "channel closed", "relay=%llu vm=%s up=%llu down=%llu",
             (unsigned long long)relay->number, relay->guest->vm, (unsigned long long)relay->owner->bytes,
             (unsigned long long)relay->guest->bytes);
    free_end(relay->owner);
    free_end(relay->guest);
    free(relay);
}

static struct end *sister(const struct end *end)
{
    return end == end->relay->owner ? end->relay->guest : end->relay->owner;
}

static void on_message(void *arg, enum ws_kind kind, const void *bytes, size_t len_bytes)
{
    struct end *end = arg;
    /* The owner speaks first (README 7.1); a guest that speaks to nobody, or in text, does not keep to it. */
    if (end->relay == NULL || kind != WS_BINARY) {
        if (kind != WS_BINARY)
            ws_close(end->ws, WS_UNSUPPORTED, "binary messages only");
        else
            ws_close(end->ws, WS_POLICY, "the owner speaks first");
        if (end->relay == NULL) {
            stop_waiting(end);
            free_end(end);
            return;
        }
        ws_close(sister(end)->ws, WS_GOING_AWAY, NULL);
        free_relay(end->relay);
        return;
    }
    struct end *other = sister(end);
    end->bytes += len_bytes;
    ws_send(other->ws, WS_BINARY, bytes, len_bytes);
    if (ws_queued_bytes(other->ws) > RELAY_BUFFER_BYTES)
        ws_pause(end->ws);
}

static void on_drained(void *arg)
{
    struct end *end = arg;
    if (end->relay != NULL)
        ws_resume(sister(end)->ws);
}

static void on_close(void *arg, const struct ws_close *close)
{
    struct end *end = arg;
    if (end->relay == NULL) {
        stop_waiting(end);
        free_end(end);
        return;
    }
    ws_close(sister(end)->ws, ws_code_passed_on(close->code), close->reason);
    free_relay(end->relay);
}

static const struct ws_ops end_ops = {
    .on_message = on_message, .on_drained = on_drained, .on_close = on_close};

int relays_create(struct edge *edge, struct relays **ret_relays)
{
    struct relays *relays = calloc(1, sizeof(*relays));
    if (relays == NULL)
        return -ENOMEM;
    relays->edge = edge;
    *ret_relays = relays;
    return 0;
}

static void close_waiting(struct end *end, int code, const char *reason)
{
    stop_waiting(end);
    ws_close(end->ws, code, reason);
    free_end(end);
}

static void close_relay(struct relay *relay, int code, const char *reason)
{
    ws_close(relay->owner->ws, code, reason);
    ws_close(relay->guest->ws, code, reason);
    free_relay(relay);
}

void relays_destroy(struct relays *relays)
{
    if (relays == NULL)
        return;
    while (relays->waiting != NULL)
        close_waiting(relays->waiting, WS_ABNORMAL, NULL);
    while (relays->joined != NULL)
        close_relay(relays->joined, WS_ABNORMAL, NULL);
    free(relays);
}

/* Makes the upgrade an end. NULL: the request was answered with a failure. */
static struct end *accept_end(struct relays *relays, struct http_request *request, const char *vm)
{
    const struct ws_options options = {.message_max_bytes = RELAY_MESSAGE_MAX,
                                       .protocol = token_protocol(request)};
    if (!limits_take(relays->edge->limits, http_request_peer(request))) {
        failure_answer(request, CODE_LIMIT_REACHED, NULL);
        return NULL;
    }
    struct end *end = calloc(1, sizeof(*end));
    if (end == NULL) {
        limits_give_back(relays->edge->limits, http_request_peer(request));
        failure_answer(request, CODE_UNAVAILABLE, NULL);
        return NULL;
    }
    end->relays = relays;
    snprintf(end->vm, sizeof(end->vm), "%s", vm);
    snprintf(end->peer, sizeof(end->peer), "%s", http_request_peer(request));
    if (ws_accept(request, &options, &end_ops, end, &end->ws) < 0) {
        free_end(end);
        failure_answer(request, CODE_BAD_PARAMETER, "Sec-WebSocket-Key");
        return NULL;
    }
    return end;
}

/* The newest or the oldest end that waits for VM, or NULL. */
static struct end *find_waiting(struct relays *relays, const char *vm, bool oldest, size_t *ret_count)
{
    struct end *found = NULL;
    *ret_count = 0;
    for (struct end *end = relays->waiting; end != NULL; end = end->next) {
        if (strcmp(end->vm, vm) != 0)
            continue;
        ++*ret_count;
        if (found == NULL || oldest)
            found = end;
    }
    return found;
}

void relays_accept_guest(struct relays *relays, struct http_request *request, const char *vm)
{
    size_t count;
    struct end *oldest = find_waiting(relays, vm, true, &count);
    if (count >= RELAY_WAITING_PER_VM_MAX)
        close_waiting(oldest, WS_GOING_AWAY, "newer ones wait");
    struct end *end = accept_end(relays, request, vm);
    if (end == NULL)
        return;
    end->next = relays->waiting;
    relays->waiting = end;
}

static void join(struct relays *relays, struct relay *relay, struct end *owner, struct end *guest)
{
    stop_waiting(guest);
    *relay = (struct relay){.owner = owner, .guest = guest, .number = ++relays->last_number};
    owner->relay = guest->relay = relay;
    relay->next = relays->joined;
    if (relays->joined != NULL)
        relays->joined->previous = relay;
    relays->joined = relay;
    log_info("relay", "channel joined", "relay=%llu vm=%s owner=%s", (unsigned long long)relay->number,
             guest->vm, owner->peer);
    tell(relay, "relay.opened", false);
}

void relays_accept_owner(struct relays *relays, struct http_request *request, const char *vm)
{
    size_t count;
    struct end *guest = find_waiting(relays, vm, false, &count);
    if (guest == NULL) {
        failure_answer(request, CODE_NO_CHANNEL, NULL);
        return;
    }
    struct relay *relay = calloc(1, sizeof(*relay));
    if (relay == NULL) {
        failure_answer(request, CODE_UNAVAILABLE, NULL);
        return;
    }
    struct end *owner = accept_end(relays, request, vm);
    if (owner == NULL)
        free(relay);
    else
        join(relays, relay, owner, guest);
}

void relays_close_vm(struct relays *relays, const char *vm)
{
    size_t count;
    for (struct relay *relay = relays->joined, *next; relay != NULL; relay = next) {
        next = relay->next;
        if (strcmp(relay->guest->vm, vm) == 0)
            close_relay(relay, WS_GOING_AWAY, "closed by kilnd");
    }
    for (struct end *end; (end = find_waiting(relays, vm, false, &count)) != NULL;)
        close_waiting(end, WS_GOING_AWAY, "closed by kilnd");
}

void relays_write(const struct relays *relays, struct json_writer *out)
{
    for (const struct relay *relay = relays->joined; relay != NULL; relay = relay->next) {
        json_write_object_begin(out, NULL);
        json_write_int(out, "relay", (int64_t)relay->number);
        json_write_text(out, "vm", relay->guest->vm);
        json_write_text(out, "kind", "channel");
        json_write_object_end(out);
    }
}

size_t relays_waiting(const struct relays *relays)
{
    size_t count = 0;
    for (const struct end *end = relays->waiting; end != NULL; end = end->next)
        count++;
    return count;
}
