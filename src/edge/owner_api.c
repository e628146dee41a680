/*
 * Owner API: see owner_api.h.
 */
#include "src/edge/owner_api.h"

#include <stdio.h>
#include <string.h>

#include "protocol/api_path.h"
#include "protocol/json.h"
#include "protocol/login.h"
#include "src/edge/edge.h"
#include "src/edge/events.h"
#include "src/edge/failure.h"
#include "src/edge/hold.h"
#include "src/edge/limits.h"
#include "src/edge/relays.h"
#include "src/edge/token.h"
#include "src/io/http_parse.h"
#include "src/io/http_server.h"
#include "src/io/page.h"
#include "src/io/rpc.h"
#include "src/io/ws.h"

#define BODY_MAX 65536 /* README 1.7 */

const char owner_headers[] = PAGE_HEADERS_TLS;

static bool has_token(const struct http_request *request)
{
    char token[LOGIN_TOKEN_TEXT];
    token_read(request, token);
    bool has = token[0] != '\0';
    explicit_bzero(token, sizeof(token));
    return has;
}

/* Whether the address asks too often, of those that show no session; it is then refused. COUNTED: now, and
 * not when it is known whether its token is good. */
static bool refuse_stranger(struct edge *edge, struct http_request *request, bool counted)
{
    return !http_request_is_trusted(request) && limits_refuse_rate(edge->strangers, request, counted);
}

static void judge_stranger(const struct hold *hold, int status)
{
    if (!has_token(hold->request))
        return;
    if (status != 401)
        http_request_trust(hold->request);
    else
        limits_rate(hold->edge->strangers, hold->request, true);
}

static void send_answer(struct hold *hold, const struct rpc_answer *answer)
{
    struct json_reader reader = json_reader_init(answer->result);
    char seconds[24];
    int status = (int)json_read_int(&reader, "status", 200, 599);
    const char *body = json_read_text(&reader, "body");
    int64_t retry_after_s = json_read_int_or(&reader, "retry_after", 1, 86400, 0);
    if (json_reader_end(&reader) < 0) {
        failure_answer(hold->request, CODE_UNAVAILABLE, NULL);
        return;
    }
    judge_stranger(hold, status);
    if (retry_after_s > 0) {
        snprintf(seconds, sizeof(seconds), "%lld", (long long)retry_after_s);
        http_request_add_header(hold->request, "Retry-After", seconds);
    }
    http_request_add_header(hold->request, "Cache-Control", "no-store");
    http_answer(hold->request, status, "application/json", body, strlen(body));
}

/* Whether a page of somebody else's sent it, which is then refused. */
static bool refuse_foreign(struct http_request *request)
{
    if (!page_is_foreign(http_request_head(request), "https"))
        return false;
    failure_answer(request, CODE_NOT_ALLOWED, "Origin");
    return true;
}

static void handle_request(struct http_request *request, void *arg)
{
    char token[LOGIN_TOKEN_TEXT];
    size_t len;
    const struct http_head *head = http_request_head(request);
    const char *body = http_request_body(request, &len);
    const char *signature = http_head_field(head, "Kiln-Signature");
    struct json_writer params = json_writer_init(0);
    if (refuse_foreign(request) || refuse_stranger(arg, request, !has_token(request)))
        return;
    token_read(request, token);
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "peer", http_request_peer(request));
    json_write_text(&params, "method", head->method);
    json_write_text(&params, "path", head->target);
    if (token[0] != '\0')
        json_write_text(&params, "token", token);
    if (signature != NULL)
        json_write_text(&params, "signature", signature);
    if (len > 0)
        json_write_base64(&params, "body", body, len);
    json_write_object_end(&params);
    explicit_bzero(token, sizeof(token));
    hold_call(arg, request, "owner.request", &params, send_answer);
}

/* Whom the page came from (README 8.6). */
static void handle_origin(struct http_request *request, void *arg)
{
    static const char body[] =
        "{\"served_by\":\"kiln-edge\",\"version\":\"" KILN_VERSION "\",\"edge\":\"\",\"identity\":\"\"}";
    (void)arg;
    http_request_add_header(request, "Cache-Control", "no-store");
    http_answer(request, 200, "application/json", body, sizeof(body) - 1);
}

static void handle_events(struct http_request *request, void *arg)
{
    struct edge *edge = arg;
    if (refuse_foreign(request) || refuse_stranger(edge, request, true))
        return;
    if (ws_is_upgrade(request))
        events_ask(edge->events, request);
    else
        failure_answer_upgrade(request);
}

static void join_channel(struct hold *hold, const struct rpc_answer *answer)
{
    struct json_reader reader = json_reader_init(answer->result);
    char vm[UUID_TEXT_BYTES];
    uint8_t uuid[UUID_BYTES];
    json_read_uuid(&reader, "vm", uuid);
    if (json_reader_end(&reader) < 0) {
        failure_answer(hold->request, CODE_UNAVAILABLE, NULL);
        return;
    }
    uuid_format(uuid, vm);
    relays_accept_owner(hold->edge->relays, hold->request, vm);
}

static void ask_channel(struct edge *edge, struct http_request *request, const char *vm)
{
    char token[LOGIN_TOKEN_TEXT];
    struct json_writer params = json_writer_init(0);
    token_read(request, token);
    if (token[0] == '\0') {
        failure_answer(request, CODE_SESSION_EXPIRED, NULL);
        return;
    }
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "token", token);
    json_write_text(&params, "vm", vm);
    json_write_object_end(&params);
    explicit_bzero(token, sizeof(token));
    hold_call(edge, request, "owner.channel", &params, join_channel);
}

/* /v1/vms/<id>/channel is ours; everything else below /v1/vms/ is kilnd's. */
static void handle_vm(struct http_request *request, void *arg)
{
    const struct http_head *head = http_request_head(request);
    const char *stars[API_STARS_MAX];
    struct api_path path;
    if (strcmp(head->method, "GET") != 0 || api_path_parse(head->target, &path) < 0 ||
        !api_path_fits(&path, "/v1/vms/*/channel", stars))
        handle_request(request, arg);
    else if (!ws_is_upgrade(request))
        failure_answer_upgrade(request);
    else if (!refuse_foreign(request) && !refuse_stranger(arg, request, true))
        ask_channel(arg, request, stars[0]);
}

static void handle_page(struct http_request *request, void *arg)
{
    const struct edge *edge = arg;
    char file[API_FILE_BYTES];
    if (api_file_parse(http_request_head(request)->target, file) < 0 ||
        page_answer(request, edge->web_fd, file) < 0)
        failure_answer(request, CODE_NOT_FOUND, NULL);
}

const struct http_route owner_routes_http[] = {
    {"GET", "/v1/events", 0, handle_events},
    {"GET", "/v1/origin", 0, handle_origin},
    {NULL, "/v1/vms/*", BODY_MAX, handle_vm},
    {NULL, "/v1/*", BODY_MAX, handle_request},
    {"GET", "/*", 0, handle_page},
};

const size_t nowner_routes_http = sizeof(owner_routes_http) / sizeof(owner_routes_http[0]);
