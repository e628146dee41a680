/*
 * Events: see events.h.
 */
#include "src/edge/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/api_path.h"
#include "protocol/json_write.h"
#include "protocol/login.h"
#include "src/edge/edge.h"
#include "src/edge/failure.h"
#include "src/edge/hold.h"
#include "src/edge/kilnd.h"
#include "src/edge/limits.h"
#include "src/edge/token.h"
#include "src/io/http_parse.h"
#include "src/io/http_server.h"
#include "src/io/log.h"
#include "src/io/ws.h"

#define READER_MESSAGE_MAX 1024 /* bytes; a reader has nothing to say */

struct reader {
    struct events *events; /* borrowed */
    struct reader *previous, *next;
    struct ws *ws; /* owned */
    uint64_t subscription;
    char peer[LIMIT_ADDRESS_MAX];
};

struct events {
    struct edge *edge; /* borrowed */
    struct reader *first;
    uint64_t last_subscription;
};

static void free_reader(struct reader *reader)
{
    struct events *events = reader->events;
    if (reader->previous != NULL)
        reader->previous->next = reader->next;
    else
        events->first = reader->next;
    if (reader->next != NULL)
        reader->next->previous = reader->previous;
    limits_give_back(events->edge->limits, reader->peer);
    free(reader);
}

static void tell_end(struct edge *edge, uint64_t subscription)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_int(&params, "subscription", (int64_t)subscription);
    json_write_object_end(&params);
    kilnd_notify(edge->kilnd, "events.end", &params);
}

static void end_reader(struct reader *reader, int code, const char *reason)
{
    tell_end(reader->events->edge, reader->subscription);
    ws_close(reader->ws, code, reason);
    free_reader(reader);
}

static void on_message(void *arg, enum ws_kind kind, const void *bytes, size_t len_bytes)
{
    (void)kind;
    (void)bytes;
    (void)len_bytes;
    end_reader(arg, WS_POLICY, "events are only read");
}

static void on_close(void *arg, const struct ws_close *close)
{
    struct reader *reader = arg;
    (void)close;
    tell_end(reader->events->edge, reader->subscription);
    free_reader(reader);
}

static const struct ws_ops reader_ops = {.on_message = on_message, .on_close = on_close};

int events_create(struct edge *edge, struct events **ret_events)
{
    struct events *events = calloc(1, sizeof(*events));
    if (events == NULL)
        return -ENOMEM;
    events->edge = edge;
    *ret_events = events;
    return 0;
}

void events_destroy(struct events *events)
{
    if (events == NULL)
        return;
    while (events->first != NULL) {
        ws_close(events->first->ws, WS_ABNORMAL, NULL);
        free_reader(events->first);
    }
    free(events);
}

static struct reader *make_reader(struct events *events, const char *peer, uint64_t subscription)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        return NULL;
    reader->events = events;
    reader->subscription = subscription;
    snprintf(reader->peer, sizeof(reader->peer), "%s", peer);
    reader->next = events->first;
    if (events->first != NULL)
        events->first->previous = reader;
    events->first = reader;
    return reader;
}

static void on_allowed(struct hold *hold, const struct rpc_answer *answer)
{
    struct edge *edge = hold->edge;
    struct http_request *request = hold->request;
    struct ws_options options = {.message_max_bytes = READER_MESSAGE_MAX,
                                 .protocol = token_protocol(request)};
    (void)answer;
    struct reader *reader = NULL;
    enum kiln_code code = CODE_LIMIT_REACHED;
    if (limits_take(edge->limits, http_request_peer(request))) {
        reader = make_reader(edge->events, http_request_peer(request), hold->number);
        if (reader == NULL)
            limits_give_back(edge->limits, http_request_peer(request));
        code = CODE_UNAVAILABLE;
    }
    if (reader != NULL && ws_accept(request, &options, &reader_ops, reader, &reader->ws) == 0)
        return;
    if (reader != NULL)
        free_reader(reader);
    tell_end(edge, hold->number);
    failure_answer(request, code, NULL);
}

static void on_asker_gone(struct hold *hold)
{
    tell_end(hold->edge, hold->number);
}

void events_ask(struct events *events, struct http_request *request)
{
    char token[LOGIN_TOKEN_TEXT];
    struct api_path path;
    if (api_path_parse(http_request_head(request)->target, &path) < 0 || *path.after) {
        failure_answer(request, CODE_BAD_PARAMETER, "since");
        return;
    }
    token_read(request, token);
    if (token[0] == '\0') {
        failure_answer(request, CODE_SESSION_EXPIRED, NULL);
        return;
    }
    uint64_t subscription = ++events->last_subscription;
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "token", token);
    json_write_int(&params, "subscription", (int64_t)subscription);
    if (path.since >= 0)
        json_write_int(&params, "since", path.since);
    json_write_object_end(&params);
    explicit_bzero(token, sizeof(token));
    struct hold *hold = hold_call(events->edge, request, "owner.events", &params, on_allowed);
    if (hold == NULL)
        return;
    hold->number = subscription;
    hold->gone = on_asker_gone;
}

static struct reader *find(struct events *events, uint64_t subscription)
{
    struct reader *reader = events->first;
    while (reader != NULL && reader->subscription != subscription)
        reader = reader->next;
    return reader;
}

void events_send(struct events *events, uint64_t subscription, const char *text)
{
    struct reader *reader = find(events, subscription);
    if (reader == NULL)
        return;
    if (ws_queued_bytes(reader->ws) > EVENTS_QUEUE_MAX) {
        log_info("events", "reader is too slow", "peer=%s", reader->peer);
        end_reader(reader, WS_TRY_LATER, "too slow: come again with since");
        return;
    }
    ws_send(reader->ws, WS_TEXT, text, strlen(text));
}

void events_close(struct events *events, uint64_t subscription)
{
    struct reader *reader = find(events, subscription);
    if (reader == NULL)
        return;
    ws_close(reader->ws, WS_TRY_LATER, "closed by kilnd");
    free_reader(reader);
}

void events_close_all(struct events *events)
{
    while (events->first != NULL) {
        ws_close(events->first->ws, WS_TRY_LATER, "kilnd was away");
        free_reader(events->first);
    }
}
