/*
 * The servers of src/io/rpc_socket.h without sockets: see false_socket.h. control.sock is there, and nobody
 * comes.
 */
#include "tests/sim/false_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/io/rpc_socket.h"
#include "tests/sim/edge.h"
#include "tests/sim/false_loop.h"
#include "tests/sim/host.h"

enum { PASS_US = 200 };

struct rpc_server {
    struct loop *loop; /* borrowed */
    struct rpc_server_options options;
    struct rpc_link *link; /* owned; NULL: nobody is connected */
};

struct rpc_link {
    struct rpc_server *server; /* borrowed */
    struct rpc_peer *peer;     /* owned */
    void *data;
    bool closing;
};

struct passed {
    unsigned epoch;
    bool hangs_up;
    size_t len;
    char text[];
};

static struct {
    struct rpc_server *server; /* of edge.sock */
    unsigned epoch;            /* of the connection */
    int64_t to_edge_us, to_kilnd_us;
} sock;

void false_socket_begin(void)
{
    sock.to_edge_us = sock.to_kilnd_us = 0;
}

static void pass(const char *text, size_t len, bool hangs_up, int64_t *at_us, void (*fn)(void *),
                 struct loop *loop)
{
    struct passed *passed = loop ? malloc(sizeof *passed + len + 1) : NULL;
    if (!passed)
        return;
    *passed = (struct passed){.epoch = sock.epoch, .hangs_up = hangs_up, .len = len};
    memcpy(passed->text, text, len);
    passed->text[len] = 0;
    int64_t then_us = clock_us() + chance_delay_us(CHANCE_NET, PASS_US);
    *at_us = then_us > *at_us ? then_us : *at_us;
    clock_after_freed(*at_us - clock_us(), fn, passed, loop_owner(loop));
}

/* ---- kilnd's side ---- */

static void to_edge(void *arg)
{
    const struct passed *passed = arg;
    if (passed->epoch != sock.epoch)
        return;
    if (passed->hangs_up)
        edge_hung_up();
    else
        edge_hear(passed->text, passed->len);
}

static void emit(void *arg, const char *text, size_t len)
{
    (void)arg;
    if (host_dying())
        return;
    pass(text, len, false, &sock.to_edge_us, to_edge, edge_loop());
    host_point("a message to the edge");
}

static void link_end(struct rpc_link *link)
{
    struct rpc_server *server = link->server;
    server->link = NULL;
    if (server->options.on_close)
        server->options.on_close(link, server->options.arg);
    rpc_peer_destroy(link->peer);
    free(link);
    pass("", 0, true, &sock.to_edge_us, to_edge, edge_loop());
}

int rpc_server_open(struct loop *loop, const char *path, const struct rpc_server_options *options,
                    struct rpc_server **ret_server)
{
    struct rpc_server *server = calloc(1, sizeof *server);
    if (!server)
        return -ENOMEM;
    server->loop = loop;
    server->options = *options;
    if (strstr(path, "/edge.sock"))
        sock.server = server;
    *ret_server = server;
    return 0;
}

/* Nobody is connected before the host serves. */
void rpc_server_resume(struct rpc_server *server)
{
    (void)server;
}

size_t rpc_server_held_links(const struct rpc_server *server)
{
    (void)server;
    return 0;
}

void rpc_server_close(struct rpc_server *server)
{
    if (!server)
        return;
    if (server->link)
        link_end(server->link);
    if (sock.server == server)
        sock.server = NULL;
    free(server);
}

struct rpc_peer *rpc_link_peer(struct rpc_link *link)
{
    return link->peer;
}

void *rpc_link_server_arg(const struct rpc_link *link)
{
    return link->server->options.arg;
}

uid_t rpc_link_uid(const struct rpc_link *link)
{
    (void)link;
    return 0;
}

gid_t rpc_link_gid(const struct rpc_link *link)
{
    (void)link;
    return 0;
}

pid_t rpc_link_pid(const struct rpc_link *link)
{
    (void)link;
    return 1;
}

void rpc_link_set_data(struct rpc_link *link, void *data)
{
    link->data = data;
}

void *rpc_link_data(const struct rpc_link *link)
{
    return link->data;
}

size_t rpc_link_queued_bytes(const struct rpc_link *link)
{
    (void)link;
    return 0;
}

static void close_now(void *arg)
{
    link_end(arg);
}

void rpc_link_close(struct rpc_link *link)
{
    if (link->closing)
        return;
    link->closing = true;
    clock_after(1, close_now, link, loop_owner(link->server->loop));
}

/* ---- the edge's side ---- */

static void to_kilnd(void *arg)
{
    const struct passed *passed = arg;
    struct rpc_link *link = sock.server ? sock.server->link : NULL;
    if (!link || passed->epoch != sock.epoch || link->closing)
        return;
    if (passed->hangs_up || rpc_peer_feed(link->peer, passed->text, passed->len))
        link_end(link);
}

bool false_socket_connect(void)
{
    struct rpc_server *server = sock.server;
    if (!server || server->link)
        return false;
    struct rpc_link *link = calloc(1, sizeof *link);
    const struct rpc_options options = {.methods = server->options.methods,
                                        .message_max_bytes = server->options.message_max_bytes,
                                        .emit = emit,
                                        .fallback = server->options.fallback,
                                        .waits = server->options.waits,
                                        .arg = link};
    if (!link || rpc_peer_create(server->loop, &options, &link->peer))
        abort();
    link->server = server;
    server->link = link;
    sock.epoch++;
    if (!server->options.on_open || server->options.on_open(link, server->options.arg))
        return true;
    link_end(link);
    return false;
}

void false_socket_send(const char *text, size_t len)
{
    if (sock.server)
        pass(text, len, false, &sock.to_kilnd_us, to_kilnd, sock.server->loop);
}

void false_socket_close(void)
{
    if (sock.server && sock.server->link)
        pass("", 0, true, &sock.to_kilnd_us, to_kilnd, sock.server->loop);
}
