/*
 * Edge link: edge_link.h says what the edge is believed.
 */
#include "src/core/edge_link.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/json.h"
#include "src/core/ask.h"
#include "src/core/bridges.h"
#include "src/core/guest_link.h"
#include "src/core/owner_api.h"
#include "src/core/owner_events.h"
#include "src/core/register.h"
#include "src/core/ticket.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/rpc_socket.h"

enum { SSH_PORT = 22, RELAYS_MAX = 1024, RECORD_MAX = 66 * 1024 };

#define EDGE_USER "kiln-edge"

/* Ours go on from the highest that an edge names; one that lies leaves the next edge enough of them. */
#define RELAY_NUMBER_MAX (INT64_MAX / 2)

struct edge_link {
    struct verbs *verbs;       /* borrowed */
    struct rpc_server *server; /* owned */
    struct rpc_link *link;     /* of the edge that said hello last; NULL: none */
    struct loop_timer *absent; /* owned; armed while there is none: its bridges end with it */
    uid_t user;                /* the edge's, as it was when kilnd started */
    bool user_known;
};

/* ---- to the edge ---- */

static void notify(struct edge_link *edge, const char *method, struct json_writer *params)
{
    json_write_object_end(params);
    if (edge && edge->link && json_writer_end(params) == 0)
        rpc_notify(rpc_link_peer(edge->link), method, params->text);
    json_writer_finish(params);
}

static struct json_writer begin(const char *key, uint64_t number)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_int(&params, key, (int64_t)number);
    return params;
}

void edge_send_link(struct edge_link *edge, uint64_t link, const void *record, size_t len_bytes)
{
    struct json_writer params = begin("link", link);
    json_write_base64(&params, "data", record, len_bytes);
    notify(edge, "link.data", &params);
}

void edge_close_link(struct edge_link *edge, uint64_t link)
{
    struct json_writer params = begin("link", link);
    notify(edge, "link.close", &params);
}

void edge_send_event(struct edge_link *edge, uint64_t subscription, const char *text)
{
    struct json_writer params = begin("subscription", subscription);
    json_write_text(&params, "data", text);
    notify(edge, "events.data", &params);
}

void edge_close_events(struct edge_link *edge, uint64_t subscription)
{
    struct json_writer params = begin("subscription", subscription);
    notify(edge, "events.close", &params);
}

void edge_close_relays(struct edge_link *edge, const uint8_t vm[VM_UUID_LEN], const char *kind)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_uuid(&params, "vm", vm);
    json_write_text(&params, "kind", kind);
    notify(edge, "relay.close", &params);
}

/* ---- from the edge ---- */

/* Everything but hello comes from the edge that said it. */
static struct edge_link *find_edge(struct rpc_link *link)
{
    struct edge_link *edge = rpc_link_server_arg(link);
    return edge->link == link ? edge : NULL;
}

static struct ask *take(struct rpc_request *request, struct rpc_link *link, bool http)
{
    struct edge_link *edge = find_edge(link);
    if (!request)
        return NULL;
    if (!edge) {
        rpc_fail(request, CODE_CONFLICT, "say edge.hello first", NULL);
        return NULL;
    }
    return ask_create(edge->verbs, request, http);
}

static size_t read_bridges(const struct json *relays, struct bridge_relay *bridges)
{
    size_t count = 0;
    for (size_t i = 0; i < json_count(relays) && count < RELAYS_MAX; i++) {
        struct json_reader reader = json_reader_init(json_at(relays, i));
        struct bridge_relay *bridge = &bridges[count];
        bridge->number = (uint64_t)json_read_int(&reader, "relay", 0, RELAY_NUMBER_MAX);
        json_read_uuid(&reader, "vm", bridge->vm);
        const char *kind = json_read_text(&reader, "kind");
        count += json_reader_end(&reader) == 0 && strcmp(kind, "bridge") == 0;
    }
    return count;
}

static void await_edge(struct edge_link *edge)
{
    loop_timer_arm(edge->absent, edge->verbs->core->config.edge_absent_s * UINT64_C(1000));
}

/* An edge that lives comes back much sooner and tells its relays; the sockets of one that died died with it.
 */
static void give_up(void *arg)
{
    struct edge_link *edge = arg;
    log_warning("edge", "has not come back: no bridge counts as open any more", "edge_absent_s=%u",
                (unsigned)edge->verbs->core->config.edge_absent_s);
    bridges_reconcile(edge->verbs->bridges, NULL, 0);
}

static void forget_edge(struct edge_link *edge)
{
    edge->link = NULL;
    await_edge(edge);
    edge->verbs->core->edge_up = false;
    guest_links_drop(edge->verbs->links);
    owner_events_drop(edge->verbs->owner_events);
}

static void take_up(struct edge_link *edge, struct rpc_link *link, const struct json *relays)
{
    struct bridge_relay *bridges = calloc(RELAYS_MAX, sizeof *bridges);
    struct rpc_link *before = edge->link;
    if (before && before != link) {
        forget_edge(edge);
        rpc_link_close(before);
    }
    edge->link = link;
    loop_timer_disarm(edge->absent);
    edge->verbs->core->edge_up = true;
    if (bridges)
        bridges_reconcile(edge->verbs->bridges, bridges, read_bridges(relays, bridges));
    free(bridges);
}

static void handle_hello(struct rpc_request *request, const struct json *params, void *arg)
{
    struct edge_link *edge = rpc_link_server_arg(arg);
    struct json_reader reader = json_reader_init(params);
    uint8_t certificate[RECORD_HASH_LEN];
    json_read_hex(&reader, "certificate", certificate, sizeof certificate);
    int64_t expires_ms = json_read_int_or(&reader, "certificate_expires", 0, INT64_MAX, 0);
    const struct json *relays = json_read_array_or_null(&reader, "relays");
    struct ask *ask = request ? ask_create(edge->verbs, request, false) : NULL;
    if (!ask)
        return;
    if (json_reader_end(&reader)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
        return;
    }
    core_edge_certificate_set(edge->verbs->core, certificate);
    edge->verbs->core->edge_certificate_expires_ms = expires_ms;
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "version", KILN_VERSION);
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
    log_info("edge", "the edge is there", "version=%s", json_read_text_or(&reader, "version", ""));
    take_up(edge, arg, relays);
}

static void handle_register(struct rpc_request *request, const struct json *params, void *arg)
{
    struct ask *ask = take(request, arg, false);
    if (ask)
        register_guest(ask, params);
}

static void handle_token(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    uint8_t uuid[VM_UUID_LEN], token[RECORD_HASH_LEN];
    struct ask *ask = take(request, arg, false);
    if (!ask)
        return;
    json_read_uuid(&reader, "uuid", uuid);
    json_read_hex(&reader, "token", token, sizeof token);
    if (json_reader_end(&reader)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
        return;
    }
    enum kiln_code code = register_token_check(ask->verbs->core, uuid, token);
    if (code == CODE_NONE)
        ask_send_empty(ask);
    else
        ask_refuse(ask, code, "");
}

static void handle_link_open(struct rpc_request *request, const struct json *params, void *arg)
{
    struct edge_link *edge = find_edge(arg);
    struct json_reader reader = json_reader_init(params);
    uint8_t uuid[VM_UUID_LEN];
    uint64_t link = (uint64_t)json_read_int(&reader, "link", 0, INT64_MAX);
    json_read_uuid(&reader, "uuid", uuid);
    if (edge && json_reader_end(&reader) == 0)
        guest_link_open(edge->verbs->links, link, uuid);
    rpc_reply(request, "{}");
}

static void handle_link_data(struct rpc_request *request, const struct json *params, void *arg)
{
    struct edge_link *edge = find_edge(arg);
    struct json_reader reader = json_reader_init(params);
    uint8_t *record = malloc(RECORD_MAX);
    uint64_t link = (uint64_t)json_read_int(&reader, "link", 0, INT64_MAX);
    if (record && edge && !reader.wrong) {
        size_t len = json_read_base64(&reader, "data", record, RECORD_MAX);
        guest_link_data(edge->verbs->links, link, record, len);
    }
    free(record);
    rpc_reply(request, "{}");
}

static void handle_link_close(struct rpc_request *request, const struct json *params, void *arg)
{
    struct edge_link *edge = find_edge(arg);
    struct json_reader reader = json_reader_init(params);
    uint64_t link = (uint64_t)json_read_int(&reader, "link", 0, INT64_MAX);
    if (edge && json_reader_end(&reader) == 0)
        guest_link_close(edge->verbs->links, link);
    rpc_reply(request, "{}");
}

static void handle_owner_request(struct rpc_request *request, const struct json *params, void *arg)
{
    struct ask *ask = take(request, arg, true);
    if (ask)
        owner_api_request(ask->verbs->owner_api, ask, params);
}

static void handle_owner_channel(struct rpc_request *request, const struct json *params, void *arg)
{
    struct ask *ask = take(request, arg, false);
    if (ask)
        owner_api_channel(ask, params);
}

static void handle_owner_events(struct rpc_request *request, const struct json *params, void *arg)
{
    struct ask *ask = take(request, arg, false);
    if (ask)
        owner_events_open(ask->verbs->owner_events, ask, params);
}

static void handle_events_end(struct rpc_request *request, const struct json *params, void *arg)
{
    struct edge_link *edge = find_edge(arg);
    struct json_reader reader = json_reader_init(params);
    uint64_t subscription = (uint64_t)json_read_int(&reader, "subscription", 0, INT64_MAX);
    if (edge && json_reader_end(&reader) == 0)
        owner_events_end(edge->verbs->owner_events, subscription);
    rpc_reply(request, "{}");
}

static void send_bridge(struct ask *ask, const struct vm *vm, uint64_t number)
{
    char address[16];
    struct json_writer out = begin("bridge", number);
    core_vm_address(vm, address);
    json_write_uuid(&out, "vm", vm->uuid);
    json_write_text(&out, "host", address);
    json_write_int(&out, "port", SSH_PORT);
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
}

static void redeem(struct ask *ask, const uint8_t *ticket)
{
    struct verbs *verbs = ask->verbs;
    struct ticket_grant grant;
    uint64_t number;
    if (!ticket_redeem(verbs->tickets, ticket, loop_monotonic_ms(), &grant)) {
        ask_refuse(ask, CODE_TICKET_WRONG, "");
        return;
    }
    const struct vm_slot *slot = core_vm(verbs->core, grant.vm);
    if (!slot || !vm_bridge_allowed(&slot->vm))
        ask_refuse(ask, CODE_CONFLICT, slot ? vm_state_name(slot->vm.head.state) : "");
    else if (bridge_allow(verbs->bridges, &grant, &number))
        ask_refuse(ask, CODE_INTERNAL, "");
    else
        send_bridge(ask, &slot->vm, number);
}

static void handle_redeem(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    uint8_t ticket[TICKET_BYTES];
    struct ask *ask = take(request, arg, false);
    if (!ask)
        return;
    json_read_hex(&reader, "ticket", ticket, sizeof ticket);
    if (json_reader_end(&reader))
        ask_refuse(ask, CODE_TICKET_WRONG, "");
    else
        redeem(ask, ticket);
}

static void handle_relay(struct edge_link *edge, const struct json *params,
                         void (*tell)(struct bridges *, const struct bridge_relay *))
{
    struct json_reader reader = json_reader_init(params);
    struct bridge_relay relay;
    relay.number = (uint64_t)json_read_int(&reader, "relay", 0, INT64_MAX);
    json_read_uuid(&reader, "vm", relay.vm);
    const char *kind = json_read_text(&reader, "kind");
    if (edge && json_reader_end(&reader) == 0 && strcmp(kind, "bridge") == 0)
        tell(edge->verbs->bridges, &relay);
}

static void handle_relay_opened(struct rpc_request *request, const struct json *params, void *arg)
{
    handle_relay(find_edge(arg), params, bridge_opened);
    rpc_reply(request, "{}");
}

static void handle_relay_closed(struct rpc_request *request, const struct json *params, void *arg)
{
    handle_relay(find_edge(arg), params, bridge_closed);
    rpc_reply(request, "{}");
}

static const struct rpc_method methods[] = {
    {"edge.hello", handle_hello},
    {"guest.register", handle_register},
    {"guest.token", handle_token},
    {"link.open", handle_link_open},
    {"link.data", handle_link_data},
    {"link.close", handle_link_close},
    {"owner.request", handle_owner_request},
    {"owner.channel", handle_owner_channel},
    {"owner.events", handle_owner_events},
    {"events.end", handle_events_end},
    {"bridge.redeem", handle_redeem},
    {"relay.opened", handle_relay_opened},
    {"relay.closed", handle_relay_closed},
    {NULL, NULL},
};

static bool must_wait(const char *method, void *link)
{
    const struct edge_link *edge = rpc_link_server_arg(link);
    (void)method;
    return !edge->verbs->serves;
}

/* The edge's own user; also kilnd's and root, who could take its place anyway. */
static bool on_open(struct rpc_link *link, void *arg)
{
    const struct edge_link *edge = arg;
    uid_t uid = rpc_link_uid(link);
    if (uid == 0 || uid == geteuid() || (edge->user_known && uid == edge->user))
        return true;
    log_warning("edge", "a stranger on edge.sock was turned away", "uid=%u", (unsigned)uid);
    return false;
}

static void on_close(struct rpc_link *link, void *arg)
{
    struct edge_link *edge = arg;
    if (edge->link != link)
        return;
    log_warning("edge", "the edge is gone", "pid=%d", (int)rpc_link_pid(link));
    forget_edge(edge);
}

int edge_link_create(struct verbs *verbs, const char *path, struct edge_link **ret_edge)
{
    struct edge_link *edge = calloc(1, sizeof *edge);
    if (!edge)
        return -ENOMEM;
    struct rpc_server_options options = {.methods = methods,
                                         .waits = must_wait,
                                         .message_max_bytes = RPC_EDGE_MESSAGE_MAX,
                                         .mode = 0666,
                                         .on_open = on_open,
                                         .on_close = on_close,
                                         .arg = edge};
    edge->verbs = verbs;
    const struct passwd *user = getpwnam(EDGE_USER);
    edge->user_known = user != NULL;
    edge->user = user ? user->pw_uid : 0;
    int error = loop_timer_create(verbs->core->loop, give_up, edge, &edge->absent);
    if (!error)
        error = rpc_server_open(verbs->core->loop, path, &options, &edge->server);
    if (error) {
        edge_link_destroy(edge);
        return error;
    }
    *ret_edge = edge;
    return 0;
}

void edge_link_serve(struct edge_link *edge)
{
    await_edge(edge);
    rpc_server_resume(edge->server);
}

void edge_link_destroy(struct edge_link *edge)
{
    if (!edge)
        return;
    rpc_server_close(edge->server);
    if (edge->absent)
        loop_timer_destroy(edge->absent);
    free(edge);
}
