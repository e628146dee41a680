/*
 * HTTP answer: what a handler says, given to evhttp. See http_server.h.
 * In: a request and its answer. Out: bytes of evhttp's, through http_connection_send. Kept: the file that is
 * being sent, in its connection.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/io/http_request.h"
#include "src/io/stream.h"

#define FILE_CHUNK_BYTES 65536

/* Complete lines, "Name: value\r\n". */
static int add_lines(struct evkeyvalq *headers, const char *lines)
{
    char *copy = strdup(lines), *rest = NULL;
    int error = copy == NULL ? -ENOMEM : 0;
    for (char *line = copy == NULL ? NULL : strtok_r(copy, "\r\n", &rest); line != NULL && error == 0;
         line = strtok_r(NULL, "\r\n", &rest)) {
        char *value = line + strcspn(line, ":");
        *value++ = '\0';
        if (evhttp_add_header(headers, line, value + strspn(value, " ")) < 0)
            error = -ENOMEM;
    }
    free(copy);
    return error;
}

static int add_headers(struct http_request *request, const char *type, long long length)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request->evhttp);
    const char *common = request->connection->list->config->common_headers;
    char number[24];
    int error = common != NULL ? add_lines(headers, common) : 0;
    snprintf(number, sizeof(number), "%lld", length);
    if (evhttp_add_header(headers, "Content-Length", number) < 0 ||
        (type != NULL && evhttp_add_header(headers, "Content-Type", type) < 0) ||
        (request->connection->last && evhttp_add_header(headers, "Connection", "close") < 0))
        error = -ENOMEM;
    return error;
}

static bool is_head_request(const struct http_request *request)
{
    return evhttp_request_get_command(request->evhttp) == EVHTTP_REQ_HEAD;
}

static void on_complete(struct evhttp_request *evhttp, void *arg)
{
    struct http_connection *connection = arg;
    (void)evhttp;
    connection->answered = true;
}

static void begin_answering(struct http_connection *connection)
{
    connection->phase = HTTP_ANSWERING;
    http_request_on_gone(&connection->request, NULL, NULL);
    stream_set_deadline(connection->stream, connection->list->config->request_timeout_ms);
    evhttp_request_set_on_complete_cb(connection->request.evhttp, on_complete, connection);
}

static int add_body(const struct http_request *request, struct evbuffer *buffer, const void *body, size_t len)
{
    return len == 0 || is_head_request(request) ? 0 : evbuffer_add(buffer, body, len);
}

void http_answer(struct http_request *request, int status, const char *type, const void *body,
                 size_t len_bytes)
{
    struct http_connection *connection = request->connection;
    struct evhttp_request *evhttp = request->evhttp;
    struct evbuffer *buffer = evbuffer_new();
    begin_answering(connection);
    if (buffer == NULL || add_body(request, buffer, body, len_bytes) < 0 ||
        add_headers(request, type, (long long)len_bytes) < 0) {
        http_connection_abort(connection);
    } else {
        http_request_finish(request);
        evhttp_send_reply(evhttp, status, http_reason(status), buffer);
        http_connection_send(connection);
    }
    if (buffer != NULL)
        evbuffer_free(buffer);
}

static void on_piece_sent(struct evhttp_connection *evcon, void *arg);

/* Gives evhttp the next piece of the file. -EIO when it comes short: the length we stated cannot be kept. */
static int send_piece(struct http_connection *connection)
{
    char piece[FILE_CHUNK_BYTES];
    size_t want =
        connection->file_left < (off_t)sizeof(piece) ? (size_t)connection->file_left : sizeof(piece);
    ssize_t got = read(connection->file_fd, piece, want);
    if (got <= 0)
        return -EIO;
    struct evbuffer *buffer = evbuffer_new();
    int error = buffer == NULL || evbuffer_add(buffer, piece, (size_t)got) < 0 ? -ENOMEM : 0;
    if (error == 0) {
        connection->file_left -= got;
        stream_set_deadline(connection->stream, connection->list->config->request_timeout_ms);
        evhttp_send_reply_chunk_with_cb(connection->request.evhttp, buffer, on_piece_sent, connection);
        http_connection_send(connection);
    }
    if (buffer != NULL)
        evbuffer_free(buffer);
    return error;
}

static void end_file(struct http_connection *connection)
{
    struct evhttp_request *evhttp = connection->request.evhttp;
    close(connection->file_fd);
    connection->file_fd = -1;
    http_request_finish(&connection->request);
    /* All of it has left, so evhttp is done within the call. */
    evhttp_send_reply_end(evhttp);
}

static void on_piece_sent(struct evhttp_connection *evcon, void *arg)
{
    struct http_connection *connection = arg;
    (void)evcon;
    if (connection->file_left == 0)
        end_file(connection);
    else if (send_piece(connection) < 0)
        http_connection_abort(connection);
}

void http_answer_file(struct http_request *request, const char *type, int fd)
{
    struct http_connection *connection = request->connection;
    struct stat info;
    http_request_on_gone(request, NULL, NULL);
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        http_connection_refuse(connection, 404, !is_head_request(request));
        return;
    }
    begin_answering(connection);
    connection->file_fd = fd;
    connection->file_left = info.st_size;
    if (add_headers(request, type, (long long)info.st_size) < 0) {
        http_connection_abort(connection);
        return;
    }
    if (is_head_request(request) || info.st_size == 0) {
        struct evhttp_request *evhttp = request->evhttp;
        http_request_finish(request);
        evhttp_send_reply(evhttp, 200, http_reason(200), NULL);
        http_connection_send(connection);
        return;
    }
    evhttp_send_reply_start(request->evhttp, 200, http_reason(200));
    if (send_piece(connection) < 0)
        http_connection_abort(connection);
}
