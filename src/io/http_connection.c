/*
 * HTTP connection: see http_connection.h, and http_server.h for what a request can do.
 * The next request is read when the answer to the last one has left, so a peer that reads nothing queues
 * nothing.
 */
#include "src/io/http_connection.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/code.h"
#include "src/io/http_parse.h"
#include "src/io/stream.h"

#define FILE_CHUNK_BYTES 65536

enum http_phase {
    HTTP_HEAD,     /* waits for a head, or for the rest of it */
    HTTP_BODY,     /* waits for the rest of the body */
    HTTP_HANDLING, /* a handler has the request */
    HTTP_ANSWERING /* the answer is on its way */
};

struct http_request {
    struct http_connection *connection; /* borrowed */
    const struct http_route *route;     /* borrowed */
    struct http_head head;              /* owned */
    char *body;                         /* owned */
    size_t body_bytes;
    struct evbuffer *headers; /* owned: added to the answer */
    void (*on_gone)(void *arg);
    void *gone_arg;
};

struct http_connection {
    struct http_connection_list *list; /* borrowed */
    struct http_connection *previous, *next;
    struct stream *stream;        /* owned */
    struct http_request *request; /* owned; NULL between requests */
    enum http_phase phase;
    bool begun;      /* the first byte of a request was seen */
    bool last;       /* close after this answer */
    int file_fd;     /* owned; what is being sent, or -1 */
    off_t file_left; /* bytes */
    char peer[HTTP_PEER_MAX];
};

static const struct stream_ops connection_ops;

static void free_request(struct http_request *request)
{
    if (request == NULL)
        return;
    request->connection->request = NULL;
    http_head_finish(&request->head);
    free(request->body);
    evbuffer_free(request->headers);
    free(request);
}

/* Takes the connection out of its list and frees it; its stream is somebody else's by now. */
static void free_connection(struct http_connection *connection)
{
    struct http_connection_list *list = connection->list;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        list->first = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    list->count--;
    free_request(connection->request);
    if (connection->file_fd >= 0)
        close(connection->file_fd);
    free(connection);
    list->on_gone(list->arg);
}

static void abort_connection(struct http_connection *connection)
{
    struct http_request *request = connection->request;
    if (connection->phase == HTTP_HANDLING && request != NULL && request->on_gone != NULL)
        request->on_gone(request->gone_arg);
    stream_abort(connection->stream);
    free_connection(connection);
}

static void close_connection(struct http_connection *connection)
{
    stream_close(connection->stream);
    free_connection(connection);
}

static int add_line(struct evbuffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int add_line(struct evbuffer *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int added = evbuffer_add_vprintf(out, format, list);
    va_end(list);
    return added < 0 ? -ENOMEM : 0;
}

static void send_head(struct http_connection *connection, int status, const char *type, long long length)
{
    struct evbuffer *out = evbuffer_new();
    const char *common = connection->list->config->common_headers;
    if (out == NULL)
        return;
    add_line(out, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
    if (common != NULL)
        evbuffer_add(out, common, strlen(common));
    if (type != NULL)
        add_line(out, "Content-Type: %s\r\n", type);
    add_line(out, "Content-Length: %lld\r\n", length);
    if (connection->last)
        add_line(out, "Connection: close\r\n");
    if (connection->request != NULL)
        evbuffer_add_buffer(out, connection->request->headers);
    evbuffer_add(out, "\r\n", 2);
    stream_move(connection->stream, out);
    evbuffer_free(out);
}

static bool is_head_request(const struct http_connection *connection)
{
    return connection->request != NULL && strcmp(connection->request->head.method, "HEAD") == 0;
}

/* The answer's head is queued. What follows is on_drained's. */
static void begin_answering(struct http_connection *connection)
{
    connection->phase = HTTP_ANSWERING;
    free_request(connection->request);
    stream_set_deadline(connection->stream, connection->list->config->request_timeout_ms);
}

static void answer(struct http_connection *connection, int status, const char *type, const void *body,
                   size_t len_bytes)
{
    bool without_body = is_head_request(connection);
    send_head(connection, status, type, (long long)len_bytes);
    if (!without_body && len_bytes > 0)
        stream_write(connection->stream, body, len_bytes);
    begin_answering(connection);
    if (connection->last)
        close_connection(connection);
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

/* Refuses what cannot be read on from: the connection ends with the answer, a failure of protocol/README 1.8.
 */
static void refuse(struct http_connection *connection, int status)
{
    char body[256];
    const struct code_info *info = refusal(status);
    connection->last = true;
    int len =
        snprintf(body, sizeof(body), "{\"error\":{\"code\":\"%s\",\"message\":\"%s\",\"detail\":\"%s\"}}",
                 info->name, info->words, http_reason(status));
    answer(connection, status, "application/json", body, (size_t)len);
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
static int find_route(const struct http_connection *connection, const struct http_head *head,
                      const struct http_route **ret_route)
{
    const struct http_server_config *config = connection->list->config;
    int status = 404;
    for (size_t i = 0; i < config->nroutes; i++) {
        const struct http_route *route = &config->routes[i];
        if (!route_fits(route, head->path))
            continue;
        if (method_fits(route, head->method)) {
            *ret_route = route;
            return head->content_length > (int64_t)route->body_max_bytes ? 413 : 0;
        }
        status = 405;
    }
    return status;
}

static int parse_status(int error)
{
    switch (error) {
    case -ENOTSUP:
        return 501;
    case -EPROTONOSUPPORT:
        return 505;
    case -E2BIG:
        return 431;
    case -ENOMEM:
        return 503;
    default:
        return 400;
    }
}

static struct http_request *make_request(struct http_connection *connection, struct http_head *head)
{
    struct http_request *request = calloc(1, sizeof(*request));
    if (request == NULL)
        return NULL;
    request->headers = evbuffer_new();
    if (request->headers == NULL) {
        free(request);
        return NULL;
    }
    request->connection = connection;
    request->head = *head;
    connection->request = request;
    return request;
}

/* Takes the head at the front of INPUT. 0 taken, -EAGAIN not whole yet, or the HTTP status to refuse with. */
static int take_head(struct http_connection *connection, struct evbuffer *input)
{
    struct http_head head;
    size_t len = evbuffer_get_length(input);
    size_t seen = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX;
    const char *text = (const char *)evbuffer_pullup(input, (ssize_t)seen);
    size_t head_bytes = text == NULL ? 0 : http_head_length(text, seen);
    if (head_bytes == 0)
        return seen == HTTP_HEAD_MAX ? 431 : -EAGAIN;
    int error = http_parse_request(text, head_bytes, &head);
    if (error < 0)
        return parse_status(error);
    evbuffer_drain(input, head_bytes);
    struct http_request *request = make_request(connection, &head);
    if (request == NULL) {
        http_head_finish(&head);
        return 503;
    }
    connection->last = !head.keep_alive;
    if (http_head_field(&head, "Host") == NULL)
        return 400;
    return find_route(connection, &head, &request->route);
}

static void handle(struct http_connection *connection)
{
    struct http_request *request = connection->request;
    connection->phase = HTTP_HANDLING;
    stream_set_deadline(connection->stream, 0);
    request->route->handler(request, connection->list->config->arg);
}

/* Takes the body when it is all there. */
static void take_body(struct http_connection *connection, struct evbuffer *input)
{
    struct http_request *request = connection->request;
    size_t want = request->head.content_length > 0 ? (size_t)request->head.content_length : 0;
    if (evbuffer_get_length(input) < want)
        return;
    request->body = malloc(want + 1);
    if (request->body == NULL) {
        refuse(connection, 503);
        return;
    }
    evbuffer_remove(input, request->body, want);
    request->body[want] = '\0';
    request->body_bytes = want;
    handle(connection);
}

static void read_head(struct http_connection *connection, struct evbuffer *input)
{
    if (!connection->begun) {
        connection->begun = true;
        stream_set_deadline(connection->stream, connection->list->config->request_timeout_ms);
    }
    int status = take_head(connection, input);
    if (status == -EAGAIN)
        return;
    if (status != 0) {
        refuse(connection, status);
        return;
    }
    connection->phase = HTTP_BODY;
    if (http_head_has_token(&connection->request->head, "Expect", "100-continue"))
        stream_write(connection->stream, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    take_body(connection, input);
}

static void on_data(void *arg, struct evbuffer *input)
{
    struct http_connection *connection = arg;
    if (connection->phase == HTTP_HEAD)
        read_head(connection, input);
    else if (connection->phase == HTTP_BODY)
        take_body(connection, input);
}

/* Sends the next piece of the file. False when it came short: the length we stated cannot be kept. */
static bool send_file_piece(struct http_connection *connection)
{
    char piece[FILE_CHUNK_BYTES];
    size_t want =
        connection->file_left < (off_t)sizeof(piece) ? (size_t)connection->file_left : sizeof(piece);
    ssize_t got = read(connection->file_fd, piece, want);
    if (got <= 0)
        return false;
    connection->file_left -= got;
    return stream_write(connection->stream, piece, (size_t)got) == 0;
}

static void next_request(struct http_connection *connection)
{
    connection->phase = HTTP_HEAD;
    connection->begun = false;
    stream_set_deadline(connection->stream, connection->list->config->idle_timeout_ms);
    /* What was read ahead comes again. */
    stream_resume(connection->stream);
}

static void on_drained(void *arg)
{
    struct http_connection *connection = arg;
    if (connection->phase != HTTP_ANSWERING)
        return;
    if (connection->file_left > 0) {
        stream_set_deadline(connection->stream, connection->list->config->request_timeout_ms);
        if (!send_file_piece(connection))
            abort_connection(connection);
        return;
    }
    if (connection->file_fd >= 0)
        close(connection->file_fd);
    connection->file_fd = -1;
    if (connection->last)
        close_connection(connection);
    else
        next_request(connection);
}

static void on_ready(void *arg)
{
    struct http_connection *connection = arg;
    stream_set_deadline(connection->stream, connection->list->config->request_timeout_ms);
}

static void on_end(void *arg, int error)
{
    struct http_connection *connection = arg;
    /* Who only said that it sends no more gets its answer. */
    if (error == 0 && connection->phase >= HTTP_HANDLING)
        connection->last = true;
    else
        abort_connection(connection);
}

static const struct stream_ops connection_ops = {
    .on_ready = on_ready, .on_data = on_data, .on_drained = on_drained, .on_end = on_end};

int http_connection_create(struct http_connection_list *list, int fd, const char *peer)
{
    struct http_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        return -ENOMEM;
    connection->list = list;
    connection->file_fd = -1;
    snprintf(connection->peer, sizeof(connection->peer), "%s", peer);
    int error =
        stream_accept(list->loop, fd, list->config->tls, &connection_ops, connection, &connection->stream);
    if (error < 0) {
        free(connection);
        return error;
    }
    stream_set_deadline(connection->stream, list->config->tls != NULL ? list->config->handshake_timeout_ms
                                                                      : list->config->request_timeout_ms);
    connection->next = list->first;
    if (list->first != NULL)
        list->first->previous = connection;
    list->first = connection;
    list->count++;
    return 0;
}

size_t http_connection_count_peer(const struct http_connection_list *list, const char *peer)
{
    size_t count = 0;
    for (const struct http_connection *at = list->first; at != NULL; at = at->next)
        count += strcmp(at->peer, peer) == 0;
    return count;
}

void http_connection_list_finish(struct http_connection_list *list)
{
    while (list->first != NULL)
        abort_connection(list->first);
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

void http_request_on_gone(struct http_request *request, void (*fn)(void *arg), void *arg)
{
    request->on_gone = fn;
    request->gone_arg = arg;
}

int http_request_add_header(struct http_request *request, const char *name, const char *value)
{
    return add_line(request->headers, "%s: %s\r\n", name, value);
}

void http_answer(struct http_request *request, int status, const char *type, const void *body,
                 size_t len_bytes)
{
    answer(request->connection, status, type, body, len_bytes);
}

void http_answer_file(struct http_request *request, const char *type, int fd)
{
    struct http_connection *connection = request->connection;
    struct stat info;
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        refuse(connection, 404);
        return;
    }
    bool without_body = is_head_request(connection);
    send_head(connection, 200, type, (long long)info.st_size);
    connection->file_fd = fd;
    connection->file_left = without_body ? 0 : info.st_size;
    begin_answering(connection);
}

struct stream *http_request_take_stream(struct http_request *request)
{
    struct http_connection *connection = request->connection;
    struct stream *stream = connection->stream;
    stream_set_deadline(stream, 0);
    free_connection(connection);
    return stream;
}
