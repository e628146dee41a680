/*
 * HTTP request: see http_request.h. evhttp reads more kindly than we want; what it lets through and could
 * mean two things to two readers is refused here, before any handler sees it.
 */
#include "src/io/http_request.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "protocol/code.h"
#include "src/io/known.h"
#include "src/io/loop.h"
#include "src/io/stream.h"

void http_request_finish(struct http_request *request)
{
    http_head_finish(&request->head);
    *request = (struct http_request){.connection = request->connection};
}

static const struct code_info *refusal(int status)
{
    enum kiln_code code = CODE_BAD_PARAMETER;
    if (status == 413 || status == 414 || status == 431)
        code = CODE_MESSAGE_TOO_LARGE;
    else if (status == 404)
        code = CODE_NOT_FOUND;
    else if (status == 405)
        code = CODE_METHOD_NOT_ALLOWED;
    else if (status >= 500)
        code = CODE_UNAVAILABLE;
    return code_info(code);
}

void http_connection_refuse(struct http_connection *connection, int status, bool with_body)
{
    char head[512], body[256];
    const struct code_info *info = refusal(status);
    const char *common = connection->list->config->common_headers;
    int len =
        snprintf(body, sizeof(body), "{\"error\":{\"code\":\"%s\",\"message\":\"%s\",\"detail\":\"%s\"}}",
                 info->name, info->words, http_reason(status));
    int head_len =
        snprintf(head, sizeof(head),
                 "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: "
                 "close\r\n",
                 status, http_reason(status), len);
    struct evbuffer *out = evbuffer_new();
    if (out == NULL || evbuffer_add(out, head, (size_t)head_len) < 0 ||
        (common != NULL && evbuffer_add(out, common, strlen(common)) < 0) ||
        evbuffer_add(out, "\r\n", 2) < 0 || (with_body && evbuffer_add(out, body, (size_t)len) < 0) ||
        stream_move(connection->stream, out) < 0)
        http_connection_abort(connection);
    else
        http_connection_close(connection);
    if (out != NULL)
        evbuffer_free(out);
}

/* NULL for what nobody has a route for. A CONNECT is among it: evhttp never closes after one. */
static const char *method_of(const struct evhttp_request *evhttp)
{
    switch (evhttp_request_get_command(evhttp)) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    case EVHTTP_REQ_OPTIONS:
        return "OPTIONS";
    default:
        return NULL;
    }
}

static size_t count_fields(const struct http_head *head, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < head->nfields; i++)
        count += strcasecmp(head->fields[i].name, name) == 0;
    return count;
}

/* What a reader may take once only, or two readers take differently. */
static bool is_unambiguous(const struct http_head *head)
{
    /* evhttp does not read the body of a HEAD, but would take it for the next request. */
    if (strcmp(head->method, "HEAD") == 0 && head->content_length > 0)
        return false;
    return count_fields(head, "Host") == 1 && count_fields(head, "Authorization") <= 1 &&
           count_fields(head, "Sec-WebSocket-Key") <= 1 && count_fields(head, "Sec-WebSocket-Version") <= 1;
}

static int status_of(int error)
{
    switch (error) {
    case 0:
        return 0;
    case -ENOTSUP:
        return 501;
    case -E2BIG:
        return 431;
    case -ENOMEM:
        return 503;
    default:
        return 400;
    }
}

/* The status to refuse with, or 0. */
static int read_head(struct http_head *head, struct evhttp_request *evhttp)
{
    const struct evkeyval *field;
    int error = 0;
    head->method = method_of(evhttp);
    if (head->method == NULL)
        return 501;
    if (evhttp->major != 1 || (evhttp->minor != 0 && evhttp->minor != 1))
        return 505;
    TAILQ_FOREACH(field, evhttp_request_get_input_headers(evhttp), next)
    {
        if (error == 0)
            error = http_head_add_field(head, field->key, field->value);
    }
    if (error == 0)
        error = http_head_read_length(head);
    if (error == 0)
        error = http_head_set_target(head, evhttp_request_get_uri(evhttp));
    if (error < 0)
        return status_of(error);
    head->minor = evhttp->minor == 1;
    http_head_read_keep_alive(head, head->minor);
    return is_unambiguous(head) ? 0 : 400;
}

static int read_body(struct http_request *request)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(request->evhttp);
    if (evbuffer_add(input, "", 1) < 0)
        return 503;
    request->body_bytes = evbuffer_get_length(input) - 1;
    request->body = (const char *)evbuffer_pullup(input, -1);
    return request->body == NULL ? 503 : 0;
}

static bool route_fits(const struct http_route *route, const char *path)
{
    size_t len = strlen(route->path);
    if (len > 0 && route->path[len - 1] == '*')
        return strncmp(route->path, path, len - 1) == 0;
    return strcmp(route->path, path) == 0;
}

static bool method_fits(const struct http_route *route, const char *method)
{
    return route->method == NULL || strcmp(route->method, method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* The status to refuse with, or 0 and the route. */
static int find_route(const struct http_server_config *config, const struct http_request *request,
                      const struct http_route **ret_route)
{
    int status = 404;
    for (size_t i = 0; i < config->nroutes; i++) {
        const struct http_route *route = &config->routes[i];
        if (!route_fits(route, request->head.path))
            continue;
        if (method_fits(route, request->head.method)) {
            *ret_route = route;
            return request->body_bytes > route->body_max_bytes ? 413 : 0;
        }
        status = 405;
    }
    return status;
}

void http_request_on_whole(struct evhttp_request *evhttp, void *list)
{
    struct bufferevent *bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(evhttp));
    struct http_connection *connection = http_connection_find(list, bev);
    const struct http_server_config *config = connection->list->config;
    struct http_request *request = &connection->request;
    const struct http_route *route = NULL;
    http_connection_hold(connection);
    request->evhttp = evhttp;
    int status = read_head(&request->head, evhttp);
    if (status == 0)
        status = read_body(request);
    if (status == 0)
        status = find_route(config, request, &route);
    if (status != 0) {
        http_connection_refuse(connection, status, evhttp_request_get_command(evhttp) != EVHTTP_REQ_HEAD);
        return;
    }
    connection->last = !request->head.keep_alive;
    route->handler(request, config->arg);
}

const struct http_head *http_request_head(const struct http_request *request)
{
    return &request->head;
}

const char *http_request_body(const struct http_request *request, size_t *ret_len_bytes)
{
    *ret_len_bytes = request->body_bytes;
    return request->body;
}

struct loop *http_request_loop(const struct http_request *request)
{
    return request->connection->list->loop;
}

const char *http_request_peer(const struct http_request *request)
{
    return request->connection->peer;
}

void http_request_trust(struct http_request *request)
{
    struct http_connection *connection = request->connection;
    struct known *known = connection->list->config->known;
    connection->trusted = true;
    if (known != NULL)
        known_add(known, connection->network, loop_monotonic_ms());
}

bool http_request_is_trusted(const struct http_request *request)
{
    return request->connection->trusted;
}

void http_request_on_gone(struct http_request *request, void (*fn)(void *arg), void *arg)
{
    request->on_gone = fn;
    request->gone_arg = arg;
}

int http_request_add_header(struct http_request *request, const char *name, const char *value)
{
    return evhttp_add_header(evhttp_request_get_output_headers(request->evhttp), name, value) < 0 ? -ENOMEM
                                                                                                  : 0;
}

struct stream *http_request_take_stream(struct http_request *request)
{
    return http_connection_take_stream(request->connection);
}
