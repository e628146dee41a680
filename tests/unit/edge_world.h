/*
 * An edge on ports of loopback, with a scripted kilnd on its edge.sock, for the tests of src/edge.
 */
#ifndef KILN_TESTS_UNIT_EDGE_WORLD_H
#define KILN_TESTS_UNIT_EDGE_WORLD_H

#include "tests/unit/io_fixture.h"

#include "protocol/json.h"
#include "src/edge/bridges.h"
#include "src/edge/edge.h"
#include "src/edge/kilnd.h"
#include "src/edge/relays.h"
#include "src/io/http_client.h"
#include "src/io/http_server.h"
#include "src/io/log.h"
#include "src/io/rpc_socket.h"
#include "src/io/ws.h"

#define VM "6d0f2a4e-1b3c-4d5e-8f90-a1b2c3d4e5f6"
#define TOKEN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define BRIDGE_NUMBER 77

struct world {
    struct fixture fixture;
    struct config config;
    struct edge edge;
    struct rpc_server *kilnd; /* the double */
    struct rpc_link *link;    /* the edge's connection to it */
    char socket[160], web[96], release[96], state[96];
    /* What the double heard. */
    unsigned hellos, requests, opened, closed, links_opened, links_closed, events_ended;
    size_t hello_relays;
    uint64_t last_link, last_subscription;
    char last_path[256], last_body[256], last_token[80], last_data[256], last_kind[16];
    uint16_t ssh_port;           /* where the double sends bridges */
    bool silent;                 /* owner.request is not answered */
    struct rpc_request *pending; /* that one */
};

static inline struct world *world_of(void *link)
{
    return rpc_link_server_arg(link);
}

static inline void kilnd_hello(struct rpc_request *request, const struct json *params, void *link)
{
    struct world *world = world_of(link);
    world->hellos++;
    world->hello_relays = json_count(json_member(params, "relays"));
    rpc_reply(request, "{\"version\":\"double\"}");
}

static inline void kilnd_owner_request(struct rpc_request *request, const struct json *params, void *link)
{
    struct world *world = world_of(link);
    struct json_reader reader = json_reader_init(params);
    world->requests++;
    size_t len = json_read_base64_or_empty(&reader, "body", world->last_body, sizeof(world->last_body) - 1);
    world->last_body[len] = '\0';
    snprintf(world->last_path, sizeof(world->last_path), "%s", json_read_text(&reader, "path"));
    snprintf(world->last_token, sizeof(world->last_token), "%s", json_read_text_or(&reader, "token", ""));
    if (world->silent)
        world->pending = request;
    else
        rpc_reply(request, "{\"status\":201,\"body\":\"{\\\"id\\\":7}\"}");
}

static inline void kilnd_register(struct rpc_request *request, const struct json *params, void *link)
{
    struct json_reader reader = json_reader_init(params);
    (void)link;
    assert_string_equal(json_read_text(&reader, "peer"), "127.0.0.1");
    if (strcmp(json_read_text(&reader, "uuid"), VM) == 0)
        rpc_reply(request, "{\"settings\":\"{}\",\"proof\":\"ab\"}");
    else
        rpc_fail_code(request, CODE_PROOF_WRONG, NULL);
}

static inline bool good_token(const struct json *params)
{
    struct json_reader reader = json_reader_init(params);
    return strcmp(json_read_text(&reader, "token"), TOKEN) == 0;
}

static inline void kilnd_token(struct rpc_request *request, const struct json *params, void *link)
{
    (void)link;
    if (good_token(params))
        rpc_reply(request, "{}");
    else
        rpc_fail_code(request, CODE_PROOF_WRONG, NULL);
}

static inline void kilnd_channel(struct rpc_request *request, const struct json *params, void *link)
{
    (void)link;
    if (good_token(params))
        rpc_reply(request, "{\"vm\":\"" VM "\"}");
    else
        rpc_fail_code(request, CODE_SESSION_EXPIRED, NULL);
}

static inline void kilnd_events(struct rpc_request *request, const struct json *params, void *link)
{
    struct world *world = world_of(link);
    struct json_reader reader = json_reader_init(params);
    world->last_subscription = (uint64_t)json_read_int(&reader, "subscription", 0, INT64_MAX);
    if (good_token(params))
        rpc_reply(request, "{\"seq\":1}");
    else
        rpc_fail_code(request, CODE_SESSION_EXPIRED, NULL);
}

static inline void kilnd_events_end(struct rpc_request *request, const struct json *params, void *link)
{
    (void)request;
    (void)params;
    world_of(link)->events_ended++;
}

static inline void kilnd_link_open(struct rpc_request *request, const struct json *params, void *link)
{
    struct json_reader reader = json_reader_init(params);
    (void)request;
    world_of(link)->links_opened++;
    world_of(link)->last_link = (uint64_t)json_read_int(&reader, "link", 0, INT64_MAX);
}

static inline void kilnd_link_data(struct rpc_request *request, const struct json *params, void *link)
{
    struct world *world = world_of(link);
    struct json_reader reader = json_reader_init(params);
    (void)request;
    size_t len = json_read_base64(&reader, "data", world->last_data, sizeof(world->last_data) - 1);
    world->last_data[len] = '\0';
}

static inline void kilnd_link_close(struct rpc_request *request, const struct json *params, void *link)
{
    (void)request;
    (void)params;
    world_of(link)->links_closed++;
}

static inline void kilnd_redeem(struct rpc_request *request, const struct json *params, void *link)
{
    struct json_reader reader = json_reader_init(params);
    char result[200];
    if (strcmp(json_read_text(&reader, "ticket"), TOKEN) != 0) {
        rpc_fail_code(request, CODE_TICKET_WRONG, NULL);
        return;
    }
    snprintf(result, sizeof(result), "{\"bridge\":%d,\"vm\":\"%s\",\"host\":\"127.0.0.1\",\"port\":%u}",
             BRIDGE_NUMBER, VM, (unsigned)world_of(link)->ssh_port);
    rpc_reply(request, result);
}

static inline void kilnd_relay_opened(struct rpc_request *request, const struct json *params, void *link)
{
    struct json_reader reader = json_reader_init(params);
    (void)request;
    world_of(link)->opened++;
    snprintf(world_of(link)->last_kind, 16, "%s", json_read_text(&reader, "kind"));
}

static inline void kilnd_relay_closed(struct rpc_request *request, const struct json *params, void *link)
{
    (void)request;
    (void)params;
    world_of(link)->closed++;
}

static inline bool kilnd_on_open(struct rpc_link *link, void *arg)
{
    ((struct world *)arg)->link = link;
    return true;
}

static inline void kilnd_on_close(struct rpc_link *link, void *arg)
{
    (void)link;
    ((struct world *)arg)->link = NULL;
}

static const struct rpc_method kilnd_methods[] = {
    {"edge.hello", kilnd_hello},          {"owner.request", kilnd_owner_request},
    {"guest.register", kilnd_register},   {"guest.token", kilnd_token},
    {"owner.channel", kilnd_channel},     {"owner.events", kilnd_events},
    {"events.end", kilnd_events_end},     {"link.open", kilnd_link_open},
    {"link.data", kilnd_link_data},       {"link.close", kilnd_link_close},
    {"bridge.redeem", kilnd_redeem},      {"relay.opened", kilnd_relay_opened},
    {"relay.closed", kilnd_relay_closed}, {NULL, NULL},
};

static inline void world_start_kilnd(struct world *world)
{
    struct rpc_server_options options = {.methods = kilnd_methods,
                                         .message_max_bytes = RPC_EDGE_MESSAGE_MAX,
                                         .mode = 0600,
                                         .on_open = kilnd_on_open,
                                         .on_close = kilnd_on_close,
                                         .arg = world};
    unsigned hellos = world->hellos;
    assert_int_equal(rpc_server_open(world->fixture.loop, world->socket, &options, &world->kilnd), 0);
    FIXTURE_RUN_UNTIL(&world->fixture, world->hellos > hellos && kilnd_is_up(world->edge.kilnd));
}

static inline void world_stop_kilnd(struct world *world)
{
    rpc_server_close(world->kilnd);
    world->kilnd = NULL;
    FIXTURE_RUN_UNTIL(&world->fixture, !kilnd_is_up(world->edge.kilnd));
}

static inline void world_write(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline void world_configure(struct world *world)
{
    char text[1024], error[CONFIG_ERROR_MAX];
    const char *folder = world->fixture.folder;
    snprintf(world->socket, sizeof(world->socket), "%s/edge.sock", folder);
    snprintf(world->web, sizeof(world->web), "%s/web", folder);
    snprintf(world->release, sizeof(world->release), "%s/release", folder);
    snprintf(world->state, sizeof(world->state), "%s/state", folder);
    mkdir(world->web, 0755);
    mkdir(world->release, 0755);
    mkdir(world->state, 0700);
    snprintf(text, sizeof(text),
             "{\"run_dir\":\"%s\",\"web_dir\":\"%s\",\"release_dir\":\"%s\",\"edge_state_dir\":\"%s\","
             "\"guest_listen\":\"127.0.0.1:0\",\"owner_listen\":\"127.0.0.1:0\",\"bridge_listen\":\"127.0.0."
             "1:0\"}",
             folder, world->web, world->release, world->state);
    assert_int_equal(config_parse("test", text, strlen(text), &world->config, error), 0);
}

static inline void world_init(struct world *world)
{
    memset(world, 0, sizeof(*world));
    log_set_level(LOG_LEVEL_ERROR);
    fixture_init(&world->fixture);
    world_configure(world);
    assert_int_equal(edge_open(&world->edge, world->fixture.loop, &world->config), 0);
    /* The edge made a certificate of its own. */
    tls_client_destroy(world->fixture.client_tls);
    assert_int_equal(tls_client_create(world->edge.fingerprint, &world->fixture.client_tls), 0);
    world_start_kilnd(world);
}

static inline void world_finish(struct world *world)
{
    char command[160];
    edge_close(&world->edge);
    rpc_server_close(world->kilnd);
    config_finish(&world->config);
    snprintf(command, sizeof(command), "rm -rf '%s'", world->fixture.folder);
    char folder[64];
    strcpy(folder, world->fixture.folder);
    fixture_finish(&world->fixture);
    assert_int_equal(system(command), 0);
}

static inline uint16_t owner_port(const struct world *world)
{
    return http_server_port(world->edge.owner_server);
}

static inline uint16_t guest_port(const struct world *world)
{
    return http_server_port(world->edge.guest_server);
}

/* One HTTPS call, kept for the test to look at. */
struct reply {
    bool done;
    int error, status;
    char body[4096], retry_after[16], policy[512];
};

static inline void on_reply(void *arg, const struct http_answer *answer)
{
    struct reply *reply = arg;
    reply->done = true;
    reply->error = answer->error;
    reply->status = answer->status;
    snprintf(reply->body, sizeof(reply->body), "%s", answer->body);
    if (answer->error < 0)
        return;
    const char *field = http_head_field(answer->head, "Retry-After");
    snprintf(reply->retry_after, sizeof(reply->retry_after), "%s", field != NULL ? field : "");
    field = http_head_field(answer->head, "Content-Security-Policy");
    snprintf(reply->policy, sizeof(reply->policy), "%s", field != NULL ? field : "");
}

static inline struct reply call(struct world *world, uint16_t port, const char *method, const char *target,
                                const char *body)
{
    struct reply reply = {0};
    struct http_client_request request = {.method = method,
                                          .host = "127.0.0.1",
                                          .port = port,
                                          .target = target,
                                          .headers = "Authorization: Bearer " TOKEN "\r\n",
                                          .body = body,
                                          .body_bytes = body != NULL ? strlen(body) : 0};
    assert_int_equal(
        http_client_call(world->fixture.loop, world->fixture.client_tls, &request, on_reply, &reply, NULL),
        0);
    FIXTURE_RUN_UNTIL(&world->fixture, reply.done);
    return reply;
}

/* One WebSocket of the test's. */
struct side {
    struct ws *ws;
    bool open, closed;
    int code, status;
    size_t messages, bytes;
    char last[256], reason[128], refusal[512];
    bool pausing;
};

static inline void side_on_open(void *arg)
{
    ((struct side *)arg)->open = true;
}

static inline void side_on_message(void *arg, enum ws_kind kind, const void *bytes, size_t len)
{
    struct side *side = arg;
    (void)kind;
    side->messages++;
    side->bytes += len;
    size_t kept = len < sizeof(side->last) - 1 ? len : sizeof(side->last) - 1;
    memcpy(side->last, bytes, kept);
    side->last[kept] = '\0';
}

static inline void side_on_close(void *arg, const struct ws_close *close)
{
    struct side *side = arg;
    side->closed = true;
    side->code = close->code;
    side->status = close->http_status;
    snprintf(side->reason, sizeof(side->reason), "%s", close->reason);
    snprintf(side->refusal, sizeof(side->refusal), "%s", close->http_body != NULL ? close->http_body : "");
    side->ws = NULL;
}

static const struct ws_ops side_ops = {
    .on_open = side_on_open, .on_message = side_on_message, .on_close = side_on_close};

static inline void dial(struct world *world, struct side *side, uint16_t port, const char *path,
                        const char *headers)
{
    struct ws_target target = {.host = "127.0.0.1", .port = port, .target = path, .headers = headers};
    *side = (struct side){0};
    assert_int_equal(
        ws_connect(world->fixture.loop, world->fixture.client_tls, &target, NULL, &side_ops, side, &side->ws),
        0);
    FIXTURE_RUN_UNTIL(&world->fixture, side->open || side->closed);
}

#define GUEST_HEADERS "Kiln-VM: " VM "\r\nAuthorization: Bearer " TOKEN "\r\n"
#define OWNER_HEADERS "Sec-WebSocket-Protocol: kiln.v1, kiln.token." TOKEN "\r\n"

static inline void hang_up(struct side *side)
{
    ws_close(side->ws, WS_ABNORMAL, NULL);
    side->ws = NULL;
}

#endif
