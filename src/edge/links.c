/*
 * Links: see links.h.
 */
#include "src/edge/links.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/json_write.h"
#include "protocol/text.h"
#include "src/edge/edge.h"
#include "src/edge/failure.h"
#include "src/edge/kilnd.h"
#include "src/edge/limits.h"
#include "src/io/http_server.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/ws.h"

struct link {
    struct links *links; /* borrowed */
    struct link *previous, *next;
    struct ws *ws;           /* owned */
    struct loop_timer *tick; /* owned: armed while the guest waits */
    uint64_t number;
    unsigned burst; /* records since the last tick */
    int64_t burst_since_ms;
    char vm[UUID_TEXT_BYTES];
    char peer[LIMIT_ADDRESS_MAX];
};

struct links {
    struct edge *edge; /* borrowed */
    struct link *first;
    uint64_t last_number;
};

static void free_link(struct link *link)
{
    struct links *links = link->links;
    if (link->previous != NULL)
        link->previous->next = link->next;
    else
        links->first = link->next;
    if (link->next != NULL)
        link->next->previous = link->previous;
    limits_give_back(links->edge->limits, link->peer);
    loop_timer_destroy(link->tick);
    free(link);
}

static struct json_writer begin(const struct link *link)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_int(&params, "link", (int64_t)link->number);
    return params;
}

static void notify(const struct link *link, const char *method, struct json_writer *params)
{
    json_write_object_end(params);
    kilnd_notify(link->links->edge->kilnd, method, params);
}

/* Whether the guest must wait: it sends faster than is of any use, or kilnd does not keep up. */
static bool must_wait(struct link *link)
{
    int64_t now = loop_monotonic_ms();
    if (now - link->burst_since_ms >= LINK_TICK_MS) {
        link->burst_since_ms = now;
        link->burst = 0;
    }
    return ++link->burst > LINK_BURST || kilnd_queued_bytes(link->links->edge->kilnd) > KILND_QUEUE_HIGH;
}

static void on_tick(void *arg)
{
    struct link *link = arg;
    if (must_wait(link))
        loop_timer_arm(link->tick, LINK_TICK_MS);
    else
        ws_resume(link->ws);
}

static void turn_away(struct link *link, int code, const char *reason)
{
    struct json_writer params = begin(link);
    notify(link, "link.close", &params);
    ws_close(link->ws, code, reason);
    free_link(link);
}

static void on_message(void *arg, enum ws_kind kind, const void *bytes, size_t len_bytes)
{
    struct link *link = arg;
    if (kind != WS_BINARY) {
        turn_away(link, WS_UNSUPPORTED, "binary messages only");
        return;
    }
    /* Many guests that each send a little too much at once must not cost all the others their link. */
    if (kilnd_queued_bytes(link->links->edge->kilnd) > KILND_QUEUE_FULL) {
        turn_away(link, WS_TRY_LATER, "kilnd is busy");
        return;
    }
    struct json_writer params = begin(link);
    json_write_base64(&params, "data", bytes, len_bytes);
    notify(link, "link.data", &params);
    if (must_wait(link)) {
        ws_pause(link->ws);
        loop_timer_arm(link->tick, LINK_TICK_MS);
    }
}

static void on_close(void *arg, const struct ws_close *close)
{
    struct link *link = arg;
    struct json_writer params = begin(link);
    log_debug("link", "link closed", "vm=%s link=%llu code=%d", link->vm, (unsigned long long)link->number,
              close->code);
    notify(link, "link.close", &params);
    free_link(link);
}

static const struct ws_ops link_ops = {.on_message = on_message, .on_close = on_close};

int links_create(struct edge *edge, struct links **ret_links)
{
    struct links *links = calloc(1, sizeof(*links));
    if (links == NULL)
        return -ENOMEM;
    links->edge = edge;
    *ret_links = links;
    return 0;
}

void links_destroy(struct links *links)
{
    if (links == NULL)
        return;
    while (links->first != NULL) {
        ws_close(links->first->ws, WS_ABNORMAL, NULL);
        free_link(links->first);
    }
    free(links);
}

static struct link *make_link(struct links *links, const char *vm, const char *peer)
{
    struct link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return NULL;
    link->links = links;
    if (loop_timer_create(links->edge->loop, on_tick, link, &link->tick) < 0) {
        free(link);
        return NULL;
    }
    snprintf(link->vm, sizeof(link->vm), "%s", vm);
    snprintf(link->peer, sizeof(link->peer), "%s", peer);
    link->number = ++links->last_number;
    link->next = links->first;
    if (links->first != NULL)
        links->first->previous = link;
    links->first = link;
    return link;
}

void links_accept(struct links *links, struct http_request *request, const char *vm)
{
    const struct ws_options options = {.message_max_bytes = LINK_RECORD_MAX};
    uint8_t uuid[UUID_BYTES];
    if (!limits_take(links->edge->limits, http_request_peer(request))) {
        failure_answer(request, CODE_LIMIT_REACHED, NULL);
        return;
    }
    struct link *link = make_link(links, vm, http_request_peer(request));
    if (link == NULL) {
        limits_give_back(links->edge->limits, http_request_peer(request));
        failure_answer(request, CODE_UNAVAILABLE, NULL);
        return;
    }
    if (uuid_parse(vm, uuid) < 0 || ws_accept(request, &options, &link_ops, link, &link->ws) < 0) {
        free_link(link);
        failure_answer(request, CODE_BAD_PARAMETER, "Sec-WebSocket-Key");
        return;
    }
    struct json_writer params = begin(link);
    json_write_uuid(&params, "uuid", uuid);
    notify(link, "link.open", &params);
}

static struct link *find(struct links *links, uint64_t number)
{
    struct link *link = links->first;
    while (link != NULL && link->number != number)
        link = link->next;
    return link;
}

void links_send(struct links *links, uint64_t number, const void *record, size_t len_bytes)
{
    struct link *link = find(links, number);
    if (link == NULL)
        return;
    if (ws_queued_bytes(link->ws) > LINK_QUEUE_MAX) {
        log_warning("link", "guest reads too slowly", "vm=%s", link->vm);
        struct json_writer params = begin(link);
        notify(link, "link.close", &params);
        links_close(links, number);
        return;
    }
    ws_send(link->ws, WS_BINARY, record, len_bytes);
}

static void close_link(struct link *link, int code, const char *reason)
{
    ws_close(link->ws, code, reason);
    free_link(link);
}

void links_close(struct links *links, uint64_t number)
{
    struct link *link = find(links, number);
    if (link != NULL)
        close_link(link, WS_POLICY, "closed by kilnd");
}

void links_close_all(struct links *links)
{
    while (links->first != NULL)
        close_link(links->first, WS_TRY_LATER, "kilnd was away");
}
