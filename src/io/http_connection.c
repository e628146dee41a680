/*
 * HTTP connection: see http_connection.h.
 *
 * evhttp runs only inside the three calls of ours that tell its bufferevent what a socket would have: bytes
 * came, all is written, it is over. It closes a connection by freeing its side of the bufferevent, which is
 * seen after each of these calls. The socket itself is the stream's from the start: evhttp holds a
 * placeholder under its number, so that its shutdown and close cannot cut off what the stream still has to
 * send.
 */
#include "src/io/http_connection.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/io/http_request.h"
#include "src/io/known.h"
#include "src/io/listener.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/rates.h"
#include "src/io/stream.h"

static void free_memory(struct http_connection *connection)
{
    if (connection->take != NULL)
        event_free(connection->take);
    if (connection->bev != NULL)
        bufferevent_decref(connection->bev);
    free(connection);
}

/* bufferevent_free, by which evhttp lets go, takes its callbacks off first. */
static bool evhttp_has_let_go(const struct http_connection *connection)
{
    bufferevent_event_cb on_event;
    bufferevent_getcb(connection->bev, NULL, NULL, &on_event, NULL);
    return on_event == NULL;
}

static void unlink_connection(struct http_connection *connection)
{
    struct http_connection_list *list = connection->list;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        list->first = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    list->count--;
}

/* Takes the connection away from evhttp and out of its list; its stream is somebody else's by now. */
static void finish(struct http_connection *connection)
{
    struct http_connection_list *list = connection->list;
    struct evhttp_request *request = connection->request.evhttp;
    connection->dead = true;
    http_request_finish(&connection->request);
    if (!evhttp_has_let_go(connection)) {
        bufferevent_trigger_event(connection->bev, BEV_EVENT_READING | BEV_EVENT_ERROR, 0);
        /* One that waits for an answer evhttp leaves to us. */
        if (request != NULL)
            evhttp_request_free(request);
    }
    if (connection->file_fd >= 0)
        close(connection->file_fd);
    unlink_connection(connection);
    if (connection->busy == 0)
        free_memory(connection);
    list->on_gone(list->arg);
}

static void enter(struct http_connection *connection)
{
    connection->busy++;
}

static void leave(struct http_connection *connection)
{
    if (--connection->busy == 0 && connection->dead)
        free_memory(connection);
}

void http_connection_abort(struct http_connection *connection)
{
    struct http_request *request = &connection->request;
    if (connection->phase == HTTP_HANDLING && request->on_gone != NULL)
        request->on_gone(request->gone_arg);
    stream_abort(connection->stream);
    finish(connection);
}

void http_connection_close(struct http_connection *connection)
{
    stream_close(connection->stream);
    finish(connection);
}

struct stream *http_connection_take_stream(struct http_connection *connection)
{
    struct stream *stream = connection->stream;
    stream_set_deadline(stream, 0);
    finish(connection);
    return stream;
}

void http_connection_hold(struct http_connection *connection)
{
    connection->phase = HTTP_HANDLING;
    stream_set_deadline(connection->stream, 0);
    stream_unread(connection->stream, bufferevent_get_input(connection->bev));
}

void http_connection_send(struct http_connection *connection)
{
    struct evbuffer *output = bufferevent_get_output(connection->bev);
    if (evbuffer_get_length(output) == 0)
        return;
    evbuffer_unfreeze(output, 1);
    connection->writing = true;
    stream_move(connection->stream, output);
}

/* What evhttp writes unasked is a 100 Continue, or a page in HTML that refuses a request it cannot read. The
 * page is thrown away for a failure of ours. */
static void take_unasked(struct http_connection *connection)
{
    char line[32] = "";
    int major = 0, minor = 0, status = 0;
    struct evbuffer *output = bufferevent_get_output(connection->bev);
    if (evbuffer_copyout(output, line, sizeof(line) - 1) <= 0)
        return;
    sscanf(line, "HTTP/%d.%d %d", &major, &minor, &status);
    /* It says the version that it was asked in, whichever that was. */
    if (status == 100 && major == 1 && (minor == 0 || minor == 1))
        http_connection_send(connection);
    else if (status == 100)
        http_connection_refuse(connection, 505, true);
    else
        http_connection_refuse(connection, status >= 400 ? status : 400, true);
}

/* Gives evhttp as much as a request may need. More that it cannot use is a line without an end. */
static void feed(struct http_connection *connection, struct evbuffer *input)
{
    struct evbuffer *buffer = bufferevent_get_input(connection->bev);
    size_t held = evbuffer_get_length(buffer);
    size_t max = connection->list->unread_max_bytes;
    if (held >= max) {
        http_connection_refuse(connection, 413, true);
        return;
    }
    evbuffer_unfreeze(buffer, 0);
    if (evbuffer_remove_buffer(input, buffer, max - held) <= 0) {
        http_connection_abort(connection);
        return;
    }
    bufferevent_trigger(connection->bev, EV_READ, 0);
    if (connection->dead)
        return;
    if (evhttp_has_let_go(connection))
        http_connection_close(connection);
    else if (connection->phase == HTTP_READING)
        take_unasked(connection);
}

static void on_data(void *arg, struct evbuffer *input)
{
    struct http_connection *connection = arg;
    enter(connection);
    if (connection->phase == HTTP_READING && !connection->begun) {
        connection->begun = true;
        stream_set_deadline(connection->stream, connection->list->config->request_timeout_ms);
    }
    while (!connection->dead && connection->phase == HTTP_READING && evbuffer_get_length(input) > 0)
        feed(connection, input);
    leave(connection);
}

static void next_request(struct http_connection *connection)
{
    connection->phase = HTTP_READING;
    connection->begun = false;
    connection->answered = false;
    stream_set_deadline(connection->stream, connection->list->config->idle_timeout_ms);
    /* What was read ahead comes again. */
    stream_resume(connection->stream);
}

static void on_drained(void *arg)
{
    struct http_connection *connection = arg;
    if (!connection->writing)
        return;
    enter(connection);
    connection->writing = false;
    bufferevent_trigger(connection->bev, EV_WRITE, 0);
    if (!connection->dead) {
        if (evhttp_has_let_go(connection) || (connection->answered && connection->last))
            http_connection_close(connection);
        else if (connection->answered)
            next_request(connection);
    }
    leave(connection);
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
        http_connection_abort(connection);
}

static const struct stream_ops connection_ops = {
    .on_ready = on_ready, .on_data = on_data, .on_drained = on_drained, .on_end = on_end};

static size_t count_network(const struct http_connection_list *list, const char *network)
{
    size_t count = 0;
    for (const struct http_connection *at = list->first; at != NULL; at = at->next)
        count += strcmp(at->network, network) == 0;
    return count;
}

/* Moves the socket behind FD to a number of our own. -EMFILE and the like. */
static int take_descriptor(const struct http_connection_list *list, int fd)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return -errno;
    if (dup3(list->placeholder_fd, fd, O_CLOEXEC) < 0) {
        int error = -errno;
        close(own);
        return error;
    }
    return own;
}

/* Before TLS has cost anything. What strangers take together must leave something for those that are known.
 */
static bool is_admitted(struct http_connection *connection, const char *network)
{
    const struct http_server_config *config = connection->list->config;
    int64_t now_ms = loop_monotonic_ms();
    connection->trusted = config->known != NULL && known_has(config->known, network, now_ms);
    if (count_network(connection->list, network) >= config->connections_per_address_max)
        return false;
    if (config->address_rate != NULL &&
        rates_take(config->address_rate, network, strlen(network), now_ms) > 0)
        return false;
    return connection->trusted || config->strangers_rate == NULL ||
           rates_take(config->strangers_rate, "", 0, now_ms) == 0;
}

static int take_socket(struct http_connection *connection)
{
    const struct http_server_config *config = connection->list->config;
    char peer[HTTP_PEER_MAX], network[HTTP_PEER_MAX];
    int fd = bufferevent_getfd(connection->bev);
    if (fd < 0)
        bufferevent_decref(connection->bev); /* evhttp had no memory to take its reference */
    else
        bufferevent_setfd(connection->bev, -1);
    if (evhttp_has_let_go(connection))
        return -ENOMEM;
    int error = listener_name_peer(fd, peer);
    if (error < 0)
        return error;
    listener_name_network(peer, network);
    if (!is_admitted(connection, network))
        return -EUSERS;
    memcpy(connection->peer, peer, sizeof(peer));
    memcpy(connection->network, network, sizeof(network));
    fd = take_descriptor(connection->list, fd);
    if (fd < 0)
        return fd;
    error = stream_accept(connection->list->loop, fd, config->tls, &connection_ops, connection,
                          &connection->stream);
    if (error < 0) {
        close(fd);
        return error;
    }
    stream_set_deadline(connection->stream,
                        config->tls != NULL ? config->handshake_timeout_ms : config->request_timeout_ms);
    return 0;
}

/* Comes before the loop looks at any socket again: evhttp has read nothing from it yet. */
static void on_accepted(evutil_socket_t none, short what, void *arg)
{
    struct http_connection *connection = arg;
    (void)none;
    (void)what;
    int error = take_socket(connection);
    if (error < 0) {
        log_debug("http", "connection refused", "peer=%s error=%d", connection->peer, -error);
        finish(connection);
    }
}

int http_connection_create(struct http_connection_list *list, struct http_connection **ret_connection)
{
    struct http_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        return -ENOMEM;
    connection->list = list;
    connection->file_fd = -1;
    connection->request.connection = connection;
    connection->bev = bufferevent_socket_new(loop_base(list->loop), -1, 0);
    connection->take = event_new(loop_base(list->loop), -1, 0, on_accepted, connection);
    if (connection->bev == NULL || connection->take == NULL) {
        free_memory(connection);
        return -ENOMEM;
    }
    *ret_connection = connection;
    return 0;
}

void http_connection_destroy(struct http_connection *connection)
{
    if (connection != NULL)
        free_memory(connection);
}

struct bufferevent *http_connection_begin(struct http_connection *connection)
{
    struct http_connection_list *list = connection->list;
    connection->next = list->first;
    if (list->first != NULL)
        list->first->previous = connection;
    list->first = connection;
    list->count++;
    bufferevent_incref(connection->bev);
    event_active(connection->take, 0, 0);
    return connection->bev;
}

struct http_connection *http_connection_find(const struct http_connection_list *list,
                                             const struct bufferevent *bev)
{
    struct http_connection *at = list->first;
    while (at != NULL && at->bev != bev)
        at = at->next;
    return at;
}

bool http_connection_list_make_room(struct http_connection_list *list)
{
    struct http_connection *oldest = NULL;
    /* The newest is first. One without a stream is being accepted. Who reads its answer slowly holds its
     * place as well as who says nothing, so that it goes too, after these. */
    for (struct http_connection *at = list->first; at != NULL; at = at->next)
        if (!at->trusted && at->stream != NULL && at->busy == 0 &&
            (oldest == NULL || at->phase == HTTP_READING || oldest->phase != HTTP_READING))
            oldest = at;
    if (oldest == NULL)
        return false;
    log_debug("http", "connection ends to make room", "peer=%s", oldest->peer);
    http_connection_abort(oldest);
    return true;
}

void http_connection_list_finish(struct http_connection_list *list)
{
    while (list->first != NULL)
        http_connection_abort(list->first);
}
