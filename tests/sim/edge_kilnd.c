/*
 * kiln-edge in the simulator: its connection to kilnd, as src/edge/kilnd.c keeps it, and its own life.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/json.h"
#include "protocol/link.h"
#include "src/io/loop.h"
#include "src/io/rpc.h"
#include "tests/sim/edge_private.h"
#include "tests/sim/false_loop.h"
#include "tests/sim/false_net.h"
#include "tests/sim/false_socket.h"

enum { CALL_MS = 20000, RECONNECT_US = 300000 };

static void connect_soon(void);

/* ---- kilnd's words ---- */

static void handle_link_data(struct rpc_request *request, const struct json *params, void *arg)
{
    static uint8_t record[LINK_RECORD_MAX];
    struct json_reader reader = json_reader_init(params);
    const struct link *link = edge_link_find((uint64_t)json_read_int(&reader, "link", 0, INT64_MAX));
    size_t len = json_read_base64(&reader, "data", record, sizeof record);
    (void)arg;
    if (link && json_reader_end(&reader) == 0)
        false_net_send(link->wire, record, len);
    rpc_reply(request, "{}");
}

static void handle_link_close(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    struct link *link = edge_link_find((uint64_t)json_read_int(&reader, "link", 0, INT64_MAX));
    (void)arg;
    if (link) {
        false_net_close(link->wire);
        edge_link_drop(link);
    }
    rpc_reply(request, "{}");
}

static void handle_relay_close(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    uint8_t id[16];
    json_read_uuid(&reader, "vm", id);
    const char *kind = json_read_text(&reader, "kind");
    bool all = strcmp(kind, "all") == 0;
    (void)arg;
    if (json_reader_end(&reader) == 0)
        edge_relays_drop(id, all || strcmp(kind, "channel") == 0, all || strcmp(kind, "bridge") == 0);
    rpc_reply(request, "{}");
}

static const struct rpc_method methods[] = {
    {"link.data", handle_link_data},
    {"link.close", handle_link_close},
    {"relay.close", handle_relay_close},
    {NULL, NULL},
};

/* ---- the connection ---- */

static void greeted(void *arg, const struct rpc_answer *answer)
{
    (void)arg;
    edge.greeted = answer->error == 0 && answer->code == 0;
}

static void emit(void *arg, const char *text, size_t len)
{
    (void)arg;
    false_socket_send(text, len);
}

static void say_hello(void)
{
    const uint8_t certificate[32] = {7};
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "version", "sim");
    json_write_hex(&params, "certificate", certificate, sizeof certificate);
    json_write_array_begin(&params, "relays");
    for (size_t i = 0; i < edge.nrelays; i++) {
        json_write_object_begin(&params, NULL);
        edge_relay_write(&params, &edge.relays[i]);
        json_write_object_end(&params);
    }
    json_write_array_end(&params);
    json_write_object_end(&params);
    if (json_writer_end(&params) || rpc_call(edge.peer, "edge.hello", params.text, CALL_MS, greeted, NULL))
        abort();
    json_writer_finish(&params);
}

static void connect(void *arg)
{
    const struct rpc_options options = {
        .methods = methods, .message_max_bytes = RPC_EDGE_MESSAGE_MAX, .emit = emit};
    (void)arg;
    if (edge.peer)
        return;
    if (!false_socket_connect()) {
        connect_soon();
        return;
    }
    if (rpc_peer_create(edge.loop, &options, &edge.peer))
        abort();
    /* A new kilnd knows no links; guests that come again are as good as new. */
    edge_links_close();
    say_hello();
}

static void connect_soon(void)
{
    clock_after(chance_delay_us(CHANCE_NET, RECONNECT_US), connect, NULL, loop_owner(edge.loop));
}

void edge_hear(const char *text, size_t len)
{
    if (edge.peer)
        rpc_peer_feed(edge.peer, text, len);
}

static void peer_end(void)
{
    struct rpc_peer *peer = edge.peer;
    edge.peer = NULL;
    edge.greeted = false;
    rpc_peer_destroy(peer);
}

void edge_hung_up(void)
{
    peer_end();
    connect_soon();
}

/* ---- its life ---- */

static void start(void *arg)
{
    (void)arg;
    if (loop_create(&edge.loop))
        abort();
    edge.last_link = edge.last_relay = 0;
    connect_soon();
}

static void stop(void)
{
    edge.greeted = false;
    false_socket_close();
    edge_links_close();
    edge_relays_drop(NULL, true, true);
    if (edge.peer)
        peer_end();
    loop_destroy(edge.loop);
    edge.loop = NULL;
}

void edge_crash(int64_t down_us)
{
    if (!edge.loop)
        return;
    stop();
    clock_after(down_us, start, NULL, NULL);
}

void edge_begin(void)
{
    edge = (struct edge){0};
    start(NULL);
}

void edge_end(void)
{
    if (edge.loop)
        stop();
}
