/*
 * Bridges: see bridges.h. A bridge reads its ticket's line, asks kilnd, connects, and leaves the rest to a
 * pump.
 */
#include "src/edge/bridges.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/bridge_line.h"
#include "protocol/json.h"
#include "src/edge/edge.h"
#include "src/edge/failure.h"
#include "src/edge/kilnd.h"
#include "src/edge/limits.h"
#include "src/edge/pump.h"
#include "src/io/listener.h"
#include "src/io/log.h"
#include "src/io/loop.h"

#define REFUSED_READS_MAX 16     /* of what somebody still says who is refused */
#define CONNECT_TIMEOUT_MS 10000 /* to a port in a VM on this machine */

enum bridge_phase { BRIDGE_LINE, BRIDGE_ASKING, BRIDGE_CONNECTING, BRIDGE_OPEN };

struct bridge {
    struct bridges *bridges; /* borrowed */
    struct bridge *previous, *next;
    struct loop_watch *watch; /* owned: of `near` for the line, of `far` while connecting */
    struct loop_timer *timer; /* owned */
    struct pump *pump;        /* owned; when open */
    enum bridge_phase phase;
    int near, far;   /* owned */
    bool held;       /* one of what the limits count */
    uint64_t number; /* kilnd's; 0 before it gave one */
    size_t line_bytes;
    char line[BRIDGE_LINE_BYTES];
    char vm[UUID_TEXT_BYTES];
    char peer[LIMIT_ADDRESS_MAX], network[LIMIT_ADDRESS_MAX]; /* the limit counts networks */
};

struct bridges {
    struct edge *edge;         /* borrowed */
    struct listener *listener; /* owned */
    struct bridge *first;      /* owned; the newest */
    size_t held;
};

static void tell(const struct bridge *bridge, const char *method)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_int(&params, "relay", (int64_t)bridge->number);
    json_write_text(&params, "vm", bridge->vm);
    json_write_text(&params, "kind", "bridge");
    if (bridge->pump != NULL) {
        json_write_int(&params, "up", (int64_t)pump_up_bytes(bridge->pump));
        json_write_int(&params, "down", (int64_t)pump_down_bytes(bridge->pump));
    }
    json_write_object_end(&params);
    kilnd_notify(bridge->bridges->edge->kilnd, method, &params);
}

static void free_bridge(struct bridge *bridge)
{
    struct bridges *bridges = bridge->bridges;
    if (bridge->previous != NULL)
        bridge->previous->next = bridge->next;
    else
        bridges->first = bridge->next;
    if (bridge->next != NULL)
        bridge->next->previous = bridge->previous;
    if (bridge->held) {
        bridges->held--;
        limits_give_back(bridges->edge->limits, bridge->peer);
    }
    pump_destroy(bridge->pump);
    loop_watch_destroy(bridge->watch);
    loop_timer_destroy(bridge->timer);
    if (bridge->near >= 0)
        close(bridge->near);
    if (bridge->far >= 0)
        close(bridge->far);
    explicit_bzero(bridge->line, sizeof(bridge->line));
    free(bridge);
}

static void end_bridge(struct bridge *bridge)
{
    if (bridge->number > 0)
        tell(bridge, "relay.closed");
    free_bridge(bridge);
}

static void refuse(struct bridge *bridge, enum kiln_code code)
{
    char answer[BRIDGE_ANSWER_MAX], unread[4096];
    size_t len = bridge_answer_format(code, answer);
    log_info("bridge", "refused", "peer=%s code=%s", bridge->peer, code_info(code)->name);
    /* The first bytes on this socket: there is room, or nobody to read them. */
    if (send(bridge->near, answer, len, MSG_NOSIGNAL) < 0)
        log_debug("bridge", "refusal not sent", "error=%d", errno);
    /* What came and is not read would make of the end a reset, which may overtake the answer. */
    shutdown(bridge->near, SHUT_WR);
    for (int i = 0; i < REFUSED_READS_MAX; i++)
        if (recv(bridge->near, unread, sizeof(unread), 0) <= 0)
            break;
    end_bridge(bridge);
}

static void on_pump_end(void *arg, int error)
{
    struct bridge *bridge = arg;
    log_info("bridge", "closed", "bridge=%llu vm=%s up=%llu down=%llu error=%d",
             (unsigned long long)bridge->number, bridge->vm, (unsigned long long)pump_up_bytes(bridge->pump),
             (unsigned long long)pump_down_bytes(bridge->pump), -error);
    end_bridge(bridge);
}

static void start_pump(struct bridge *bridge)
{
    char answer[BRIDGE_ANSWER_MAX];
    size_t len = bridge_answer_format(CODE_NONE, answer);
    struct loop *loop = bridge->bridges->edge->loop;
    loop_timer_disarm(bridge->timer);
    loop_watch_destroy(bridge->watch);
    bridge->watch = NULL;
    if (send(bridge->near, answer, len, MSG_NOSIGNAL) != (ssize_t)len ||
        pump_create(loop, bridge->near, bridge->far, on_pump_end, bridge, &bridge->pump) < 0) {
        end_bridge(bridge);
        return;
    }
    bridge->phase = BRIDGE_OPEN;
    log_info("bridge", "open", "bridge=%llu vm=%s peer=%s", (unsigned long long)bridge->number, bridge->vm,
             bridge->peer);
    tell(bridge, "relay.opened");
}

static void on_connected(int ready, void *arg)
{
    struct bridge *bridge = arg;
    int failure = 0, one = 1;
    socklen_t size = sizeof(failure);
    (void)ready;
    getsockopt(bridge->far, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) {
        log_warning("bridge", "the VM's port does not answer", "vm=%s error=%d", bridge->vm, failure);
        refuse(bridge, CODE_UNAVAILABLE);
        return;
    }
    setsockopt(bridge->far, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(bridge->far, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    start_pump(bridge);
}

static int connect_far(struct bridge *bridge, const char *host, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        return -EINVAL;
    bridge->far = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bridge->far < 0)
        return -errno;
    if (connect(bridge->far, (struct sockaddr *)&address, sizeof(address)) < 0 && errno != EINPROGRESS)
        return -errno;
    loop_watch_destroy(bridge->watch);
    bridge->watch = NULL;
    return loop_watch_create(bridge->bridges->edge->loop, bridge->far, on_connected, bridge, &bridge->watch);
}

/* Not before there is a good ticket: what strangers do takes no place from those who have one. */
static bool take_place(struct bridge *bridge)
{
    struct bridges *bridges = bridge->bridges;
    bridge->held = bridges->held < BRIDGES_MAX && limits_take(bridges->edge->limits, bridge->peer);
    bridges->held += bridge->held;
    return bridge->held;
}

static void on_redeemed(void *arg, const struct rpc_answer *answer)
{
    struct bridge *bridge = arg;
    if (answer->error < 0 || answer->code != 0) {
        refuse(bridge, failure_code(answer));
        return;
    }
    struct json_reader reader = json_reader_init(answer->result);
    uint8_t uuid[UUID_BYTES];
    bridge->number = (uint64_t)json_read_int(&reader, "bridge", 1, INT64_MAX);
    json_read_uuid(&reader, "vm", uuid);
    const char *host = json_read_text(&reader, "host");
    uint16_t port = (uint16_t)json_read_int(&reader, "port", 1, UINT16_MAX);
    uuid_format(uuid, bridge->vm);
    bool read = json_reader_end(&reader) == 0;
    if (!read || !take_place(bridge) || connect_far(bridge, host, port) < 0) {
        refuse(bridge, read && !bridge->held ? CODE_LIMIT_REACHED : CODE_UNAVAILABLE);
        return;
    }
    bridge->phase = BRIDGE_CONNECTING;
    loop_timer_arm(bridge->timer, CONNECT_TIMEOUT_MS);
    loop_watch_set(bridge->watch, LOOP_WRITE);
}

static void ask(struct bridge *bridge, const uint8_t ticket[BRIDGE_TICKET_BYTES])
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "peer", bridge->peer);
    json_write_hex(&params, "ticket", ticket, BRIDGE_TICKET_BYTES);
    json_write_object_end(&params);
    bridge->phase = BRIDGE_ASKING;
    loop_timer_disarm(bridge->timer);
    loop_watch_set(bridge->watch, 0);
    if (kilnd_call(bridge->bridges->edge->kilnd, "bridge.redeem", &params, on_redeemed, bridge) < 0)
        refuse(bridge, CODE_UNAVAILABLE);
}

/* Reads the line and not a byte more: what follows is the kernel's to carry. */
static void on_line(int ready, void *arg)
{
    struct bridge *bridge = arg;
    uint8_t ticket[BRIDGE_TICKET_BYTES];
    (void)ready;
    ssize_t got =
        recv(bridge->near, bridge->line + bridge->line_bytes, sizeof(bridge->line) - bridge->line_bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        end_bridge(bridge);
        return;
    }
    bridge->line_bytes += (size_t)got;
    int whole = bridge_line_parse(bridge->line, bridge->line_bytes, ticket);
    if (whole < 0)
        refuse(bridge, CODE_BAD_PARAMETER);
    else if (whole > 0)
        ask(bridge, ticket);
    explicit_bzero(ticket, sizeof(ticket));
}

static void on_timeout(void *arg)
{
    struct bridge *bridge = arg;
    refuse(bridge, bridge->phase == BRIDGE_LINE ? CODE_TICKET_WRONG : CODE_UNAVAILABLE);
}

/* Whether one more of PEER's network may open. Of those that have shown nothing yet, the oldest makes room.
 */
static bool may_open(const struct bridges *bridges, const char *peer)
{
    char network[LIMIT_ADDRESS_MAX];
    size_t own = 0, opening = 0;
    struct bridge *oldest = NULL;
    listener_name_network(peer, network);
    for (struct bridge *at = bridges->first; at != NULL; at = at->next) {
        opening += at->phase != BRIDGE_OPEN;
        own += at->phase != BRIDGE_OPEN && strcmp(at->network, network) == 0;
        oldest = at->phase == BRIDGE_LINE ? at : oldest;
    }
    if (own >= BRIDGES_OPENING_PER_ADDRESS_MAX || (opening >= BRIDGES_OPENING_MAX && oldest == NULL))
        return false;
    if (opening >= BRIDGES_OPENING_MAX)
        end_bridge(oldest);
    return true;
}

static void on_accept(void *arg, int fd, const char *peer)
{
    struct bridges *bridges = arg;
    int one = 1;
    if (!may_open(bridges, peer)) {
        close(fd);
        return;
    }
    struct bridge *bridge = calloc(1, sizeof(*bridge));
    if (bridge == NULL) {
        close(fd);
        return;
    }
    *bridge = (struct bridge){.bridges = bridges, .near = fd, .far = -1, .next = bridges->first};
    snprintf(bridge->peer, sizeof(bridge->peer), "%s", peer);
    listener_name_network(peer, bridge->network);
    if (bridges->first != NULL)
        bridges->first->previous = bridge;
    bridges->first = bridge;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    if (loop_watch_create(bridges->edge->loop, fd, on_line, bridge, &bridge->watch) < 0 ||
        loop_timer_create(bridges->edge->loop, on_timeout, bridge, &bridge->timer) < 0) {
        free_bridge(bridge);
        return;
    }
    loop_timer_arm(bridge->timer, BRIDGE_TIMEOUT_MS);
    loop_watch_set(bridge->watch, LOOP_READ);
}

int bridges_open(struct edge *edge, const char *address, struct bridges **ret_bridges)
{
    struct bridges *bridges = calloc(1, sizeof(*bridges));
    if (bridges == NULL)
        return -ENOMEM;
    bridges->edge = edge;
    int error = listener_open(edge->loop, address, on_accept, bridges, &bridges->listener);
    if (error < 0) {
        free(bridges);
        return error;
    }
    *ret_bridges = bridges;
    return 0;
}

void bridges_close(struct bridges *bridges)
{
    if (bridges == NULL)
        return;
    while (bridges->first != NULL)
        free_bridge(bridges->first);
    listener_close(bridges->listener);
    free(bridges);
}

uint16_t bridges_port(const struct bridges *bridges)
{
    return listener_port(bridges->listener);
}

void bridges_close_vm(struct bridges *bridges, const char *vm)
{
    for (struct bridge *bridge = bridges->first, *next; bridge != NULL; bridge = next) {
        next = bridge->next;
        if (bridge->phase >= BRIDGE_CONNECTING && strcmp(bridge->vm, vm) == 0)
            end_bridge(bridge);
    }
}

void bridges_write(const struct bridges *bridges, struct json_writer *out)
{
    for (const struct bridge *bridge = bridges->first; bridge != NULL; bridge = bridge->next) {
        if (bridge->phase != BRIDGE_OPEN)
            continue;
        json_write_object_begin(out, NULL);
        json_write_int(out, "relay", (int64_t)bridge->number);
        json_write_text(out, "vm", bridge->vm);
        json_write_text(out, "kind", "bridge");
        json_write_object_end(out);
    }
}
