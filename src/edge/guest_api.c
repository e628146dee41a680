/*
 * Guest API: see guest_api.h.
 */
#include "src/edge/guest_api.h"

#include <stdio.h>
#include <string.h>

#include "protocol/api_path.h"
#include "protocol/json.h"
#include "protocol/login.h"
#include "src/edge/edge.h"
#include "src/edge/failure.h"
#include "src/edge/files.h"
#include "src/edge/hold.h"
#include "src/edge/kilnd.h"
#include "src/edge/limits.h"
#include "src/edge/links.h"
#include "src/edge/relays.h"
#include "src/edge/token.h"
#include "src/io/http_parse.h"
#include "src/io/http_server.h"
#include "src/io/rpc.h"
#include "src/io/ws.h"

#define V1 "/v1/"

/* A guest's files, registrations, and tokens that kilnd refuses have one rate: it would otherwise keep the
 * edge and kilnd as busy as it likes. */
static void count_refused(const struct hold *hold)
{
    limits_rate(hold->edge->guests, hold->request, true);
}

static void answer_release(struct edge *edge, struct http_request *request, const char *name)
{
    if (!limits_refuse_rate(edge->guests, request, true))
        files_answer(request, edge->release_fd, name);
}

/* Files of the release folder (protocol/README 10.4). */
static void handle_manifest(struct http_request *request, void *arg)
{
    answer_release(arg, request, "manifest.json");
}

static void handle_config(struct http_request *request, void *arg)
{
    answer_release(arg, request, "config");
}

static void handle_controller(struct http_request *request, void *arg)
{
    char name[sizeof("controller-") + API_PART_BYTES];
    const char *stars[API_STARS_MAX];
    struct api_path path;
    if (api_path_parse(http_request_head(request)->target, &path) < 0 ||
        !api_path_fits(&path, V1 "controller/*", stars)) {
        failure_answer(request, CODE_NOT_FOUND, NULL);
        return;
    }
    snprintf(name, sizeof(name), "controller-%s", stars[0]);
    answer_release(arg, request, name);
}

static void send_result(struct hold *hold, const struct rpc_answer *answer)
{
    struct json_writer body = json_writer_init(0);
    json_write_value(&body, NULL, answer->result);
    if (json_writer_end(&body) == 0)
        http_answer(hold->request, 200, "application/json", body.text, body.len);
    else
        failure_answer(hold->request, CODE_UNAVAILABLE, NULL);
    json_writer_finish_wiped(&body);
}

/* What kilnd gets is written anew here: it parses no byte that a guest has sent. */
static void handle_register(struct http_request *request, void *arg)
{
    struct edge *edge = arg;
    struct json *tree = NULL;
    size_t len;
    const char *body = http_request_body(request, &len);
    if (limits_refuse_rate(edge->guests, request, true))
        return;
    if (json_parse(body, len, NULL, &tree) < 0 || json_kind(tree) != JSON_OBJECT) {
        json_destroy(tree);
        failure_answer(request, CODE_BAD_PARAMETER, "body");
        return;
    }
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "peer", http_request_peer(request));
    for (size_t i = 0; i < json_count(tree); i++) {
        if (strcmp(json_key_at(tree, i), "peer") != 0)
            json_write_value(&params, json_key_at(tree, i), json_at(tree, i));
    }
    json_write_object_end(&params);
    json_destroy(tree);
    hold_call(edge, request, "guest.register", &params, send_result);
}

static void open_link(struct hold *hold, const struct rpc_answer *answer)
{
    (void)answer;
    if (!limits_refuse_rate(hold->edge->relinks, hold->request, true))
        links_accept(hold->edge->links, hold->request, hold->vm);
}

static void open_channel(struct hold *hold, const struct rpc_answer *answer)
{
    (void)answer;
    relays_accept_guest(hold->edge->relays, hold->request, hold->vm);
}

/* Asks kilnd whether the token is that of the VM it names, then FN. */
static void ask_token(struct edge *edge, struct http_request *request,
                      void (*fn)(struct hold *hold, const struct rpc_answer *answer))
{
    char token[LOGIN_TOKEN_TEXT];
    uint8_t uuid[UUID_BYTES];
    const char *vm = http_head_field(http_request_head(request), "Kiln-VM");
    if (!ws_is_upgrade(request) || vm == NULL || uuid_parse(vm, uuid) < 0) {
        if (vm == NULL)
            failure_answer(request, CODE_BAD_PARAMETER, "Kiln-VM");
        else
            failure_answer_upgrade(request);
        return;
    }
    if (limits_refuse_rate(edge->guests, request, false))
        return;
    struct json_writer params = json_writer_init(0);
    token_read(request, token);
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "peer", http_request_peer(request));
    json_write_text(&params, "uuid", vm);
    json_write_text(&params, "token", token);
    json_write_object_end(&params);
    explicit_bzero(token, sizeof(token));
    struct hold *hold = hold_call(edge, request, "guest.token", &params, fn);
    if (hold == NULL)
        return;
    strcpy(hold->vm, vm);
    hold->refused = count_refused;
}

static void handle_link(struct http_request *request, void *arg)
{
    ask_token(arg, request, open_link);
}

static void handle_channel(struct http_request *request, void *arg)
{
    ask_token(arg, request, open_channel);
}

#define REGISTER_BODY_MAX 16384 /* bytes: a 4096 bit key, 8 addresses and hashes take less than 4 KiB */

const struct http_route guest_routes[] = {
    {"GET", V1 "manifest", 0, handle_manifest},
    {"GET", V1 "config", 0, handle_config},
    {"GET", V1 "controller/*", 0, handle_controller},
    {"POST", V1 "register", REGISTER_BODY_MAX, handle_register},
    {"GET", V1 "link", 0, handle_link},
    {"GET", V1 "channel", 0, handle_channel},
};

const size_t nguest_routes = sizeof(guest_routes) / sizeof(guest_routes[0]);
