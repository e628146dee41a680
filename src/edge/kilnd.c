/*
 * Kilnd: see kilnd.h.
 */
#include "src/edge/kilnd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json.h"
#include "src/edge/bridges.h"
#include "src/edge/edge.h"
#include "src/edge/events.h"
#include "src/edge/links.h"
#include "src/edge/relays.h"
#include "src/io/log.h"
#include "src/io/rpc_socket.h"

struct kilnd {
    struct edge *edge;         /* borrowed */
    struct rpc_client *client; /* owned */
    bool greeted;              /* kilnd has answered edge.hello */
};

static void handle_link_data(struct rpc_request *request, const struct json *params, void *arg)
{
    struct kilnd *kilnd = arg;
    struct json_reader reader = json_reader_init(params);
    unsigned char record[LINK_RECORD_MAX];
    uint64_t link = (uint64_t)json_read_int(&reader, "link", 0, INT64_MAX);
    size_t len = json_read_base64(&reader, "data", record, sizeof(record));
    if (json_reader_end(&reader) == 0)
        links_send(kilnd->edge->links, link, record, len);
    rpc_reply(request, "{}");
}

static void handle_link_close(struct rpc_request *request, const struct json *params, void *arg)
{
    struct kilnd *kilnd = arg;
    struct json_reader reader = json_reader_init(params);
    uint64_t link = (uint64_t)json_read_int(&reader, "link", 0, INT64_MAX);
    if (json_reader_end(&reader) == 0)
        links_close(kilnd->edge->links, link);
    rpc_reply(request, "{}");
}

static void handle_events_data(struct rpc_request *request, const struct json *params, void *arg)
{
    struct kilnd *kilnd = arg;
    struct json_reader reader = json_reader_init(params);
    uint64_t subscription = (uint64_t)json_read_int(&reader, "subscription", 0, INT64_MAX);
    const char *text = json_read_text(&reader, "data");
    if (json_reader_end(&reader) == 0)
        events_send(kilnd->edge->events, subscription, text);
    rpc_reply(request, "{}");
}

static void handle_events_close(struct rpc_request *request, const struct json *params, void *arg)
{
    struct kilnd *kilnd = arg;
    struct json_reader reader = json_reader_init(params);
    uint64_t subscription = (uint64_t)json_read_int(&reader, "subscription", 0, INT64_MAX);
    if (json_reader_end(&reader) == 0)
        events_close(kilnd->edge->events, subscription);
    rpc_reply(request, "{}");
}

static void handle_relay_close(struct rpc_request *request, const struct json *params, void *arg)
{
    struct kilnd *kilnd = arg;
    struct json_reader reader = json_reader_init(params);
    uint8_t uuid[UUID_BYTES];
    char vm[UUID_TEXT_BYTES];
    json_read_uuid(&reader, "vm", uuid);
    const char *kind = json_read_text(&reader, "kind");
    if (json_reader_end(&reader) == 0) {
        uuid_format(uuid, vm);
        bool all = strcmp(kind, "all") == 0;
        if (all || strcmp(kind, "channel") == 0)
            relays_close_vm(kilnd->edge->relays, vm);
        if (all || strcmp(kind, "bridge") == 0)
            bridges_close_vm(kilnd->edge->bridges, vm);
    }
    rpc_reply(request, "{}");
}

static const struct rpc_method methods[] = {
    {"link.data", handle_link_data},     {"link.close", handle_link_close},
    {"events.data", handle_events_data}, {"events.close", handle_events_close},
    {"relay.close", handle_relay_close}, {NULL, NULL},
};

static void on_greeted(void *arg, const struct rpc_answer *answer)
{
    struct kilnd *kilnd = arg;
    if (answer->error < 0 || answer->code != 0) {
        log_error("kilnd", "kilnd does not take this edge", "error=%d code=%d", -answer->error, answer->code);
        return;
    }
    kilnd->greeted = true;
    struct json_reader reader = json_reader_init(answer->result);
    log_info("kilnd", "kilnd is there", "version=%s", json_read_text_or(&reader, "version", ""));
}

static void greet(struct kilnd *kilnd, struct rpc_peer *peer)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "version", KILN_VERSION);
    json_write_hex(&params, "certificate", kilnd->edge->fingerprint, sizeof(kilnd->edge->fingerprint));
    json_write_int(&params, "certificate_expires", tls_server_expires_ms(kilnd->edge->tls));
    json_write_array_begin(&params, "relays");
    bridges_write(kilnd->edge->bridges, &params);
    relays_write(kilnd->edge->relays, &params);
    json_write_array_end(&params);
    json_write_object_end(&params);
    /* Without a limit: a kilnd that starts has its store to read first. */
    if (json_writer_end(&params) < 0 || rpc_call(peer, "edge.hello", params.text, 0, on_greeted, kilnd) < 0)
        log_error("kilnd", "cannot greet kilnd", "bytes=%zu", params.len);
    json_writer_finish(&params);
}

static void on_up(struct rpc_peer *peer, void *arg)
{
    struct kilnd *kilnd = arg;
    /* A new kilnd knows neither links nor readers of events; guests and owners who come again are as good as
     * new. */
    links_close_all(kilnd->edge->links);
    events_close_all(kilnd->edge->events);
    greet(kilnd, peer);
}

void kilnd_greet(struct kilnd *kilnd)
{
    struct rpc_peer *peer = rpc_client_peer(kilnd->client);
    if (peer != NULL)
        greet(kilnd, peer);
}

static void on_down(int error, void *arg)
{
    struct kilnd *kilnd = arg;
    if (kilnd->greeted)
        log_warning("kilnd", "kilnd is away; relays run on", "error=%d", -error);
    kilnd->greeted = false;
}

int kilnd_open(struct edge *edge, const char *path, struct kilnd **ret_kilnd)
{
    struct kilnd *kilnd = calloc(1, sizeof(*kilnd));
    if (kilnd == NULL)
        return -ENOMEM;
    struct rpc_client_options options = {.methods = methods,
                                         .message_max_bytes = RPC_EDGE_MESSAGE_MAX,
                                         .reconnect = true,
                                         .on_up = on_up,
                                         .on_down = on_down,
                                         .arg = kilnd};
    kilnd->edge = edge;
    int error = rpc_client_open(edge->loop, path, &options, &kilnd->client);
    if (error < 0) {
        free(kilnd);
        return error;
    }
    *ret_kilnd = kilnd;
    return 0;
}

void kilnd_close(struct kilnd *kilnd)
{
    if (kilnd == NULL)
        return;
    kilnd->greeted = false;
    rpc_client_close(kilnd->client);
    free(kilnd);
}

bool kilnd_is_up(const struct kilnd *kilnd)
{
    return kilnd != NULL && kilnd->greeted;
}

size_t kilnd_queued_bytes(const struct kilnd *kilnd)
{
    return kilnd != NULL ? rpc_client_queued_bytes(kilnd->client) : 0;
}

int kilnd_call(struct kilnd *kilnd, const char *method, struct json_writer *params, rpc_answered *fn,
               void *arg)
{
    int error = kilnd_is_up(kilnd) ? json_writer_end(params) : -ENOTCONN;
    /* The socket itself gives up a peer that lets much more wait, and every link and reader with it. */
    if (error == 0 && kilnd_queued_bytes(kilnd) > KILND_QUEUE_HIGH)
        error = -EAGAIN;
    if (error == 0)
        error =
            rpc_call(rpc_client_peer(kilnd->client), method, params->text, KILND_CALL_TIMEOUT_MS, fn, arg);
    json_writer_finish_wiped(params);
    return error;
}

void kilnd_notify(struct kilnd *kilnd, const char *method, struct json_writer *params)
{
    int error = kilnd_is_up(kilnd) ? json_writer_end(params) : -ENOTCONN;
    if (error == 0)
        error = rpc_notify(rpc_client_peer(kilnd->client), method, params->text);
    /* What kilnd misses while it is away it learns from the next hello. */
    if (error < 0 && error != -ENOTCONN)
        log_error("kilnd", "a notification is lost", "method=%s error=%d", method, -error);
    json_writer_finish_wiped(params);
}
