/*
 * HTTP server: listeners and limits; see http_server.h. evhttp accepts and reads requests; how it is joined
 * to a stream is in http_connection.c.
 */
#include "src/io/http_server.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "src/io/http_request.h"
#include "src/io/listener.h"
#include "src/io/log.h"
#include "src/io/loop.h"

#define LISTENERS_MAX 4
#define RETRY_MS 200          /* out of descriptors or memory: accepting again at once would only spin */
#define ANY_METHOD UINT16_MAX /* evhttp's set of methods: every one, so that routes decide */

struct http_server {
    struct http_server *next; /* of `servers` */
    struct loop *loop;        /* borrowed */
    struct http_server_config config;
    struct evhttp *evhttp; /* owned */
    struct http_connection_list connections;
    struct http_connection *spare;                   /* owned; the next connection */
    struct evconnlistener *listeners[LISTENERS_MAX]; /* owned by `evhttp` */
    size_t nlisteners;
    struct loop_timer *retry; /* owned; armed while accepting waits for better times */
    bool closing;
};

/* All of the process: a listener's error callback is given the evhttp, and no more. */
static struct http_server *servers;

/* Full, without a spare connection, or out of descriptors: further connections wait in the kernel's backlog.
 * evhttp speaks plain text to a connection for which it is given nothing else, so none is accepted without a
 * spare. */
static void update_listeners(struct http_server *server)
{
    bool full = server->connections.count >= server->config.connections_max;
    /* Its end calls us again. */
    if (full && server->config.makes_room && http_connection_list_make_room(&server->connections))
        return;
    if (!full && server->spare == NULL && http_connection_create(&server->connections, &server->spare) < 0)
        loop_timer_arm(server->retry, RETRY_MS);
    bool open = !full && server->spare != NULL && !loop_timer_armed(server->retry);
    for (size_t i = 0; i < server->nlisteners; i++) {
        if (open)
            evconnlistener_enable(server->listeners[i]);
        else
            evconnlistener_disable(server->listeners[i]);
    }
}

static void on_retry(void *arg)
{
    update_listeners(arg);
}

static void on_connection_gone(void *arg)
{
    struct http_server *server = arg;
    if (!server->closing)
        update_listeners(server);
}

static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
    struct http_server *server = arg;
    struct http_connection *connection = server->spare;
    (void)base;
    server->spare = NULL;
    struct bufferevent *bev = http_connection_begin(connection);
    update_listeners(server);
    return bev;
}

/* cppcheck-suppress constParameter; its type is libevent's */
static void on_accept_error(struct evconnlistener *listener, void *evhttp)
{
    int error = EVUTIL_SOCKET_ERROR();
    (void)listener;
    struct http_server *server = servers;
    while (server->evhttp != evhttp)
        server = server->next;
    log_warning("http", "cannot accept", "error=%d", error);
    loop_timer_arm(server->retry, RETRY_MS);
    update_listeners(server);
}

static size_t largest_body(const struct http_server_config *config)
{
    size_t max = 0;
    for (size_t i = 0; i < config->nroutes; i++) {
        if (config->routes[i].body_max_bytes > max)
            max = config->routes[i].body_max_bytes;
    }
    return max;
}

static int set_up(struct http_server *server)
{
    size_t body_max = largest_body(&server->config);
    server->connections =
        (struct http_connection_list){.loop = server->loop,
                                      .config = &server->config,
                                      .unread_max_bytes = HTTP_HEAD_MAX + body_max,
                                      .placeholder_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                      .on_gone = on_connection_gone,
                                      .arg = server};
    if (server->connections.placeholder_fd < 0)
        return -errno;
    server->evhttp = evhttp_new(loop_base(server->loop));
    if (server->evhttp == NULL || loop_timer_create(server->loop, on_retry, server, &server->retry) < 0)
        return -ENOMEM;
    evhttp_set_bevcb(server->evhttp, on_accept, server);
    evhttp_set_gencb(server->evhttp, http_request_on_whole, &server->connections);
    evhttp_set_allowed_methods(server->evhttp, ANY_METHOD);
    evhttp_set_max_headers_size(server->evhttp, HTTP_HEAD_MAX);
    evhttp_set_max_body_size(server->evhttp, (ssize_t)body_max);
    evhttp_set_default_content_type(server->evhttp, NULL);
    return 0;
}

int http_server_create(struct loop *loop, const struct http_server_config *config,
                       struct http_server **ret_server)
{
    struct http_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return -ENOMEM;
    server->loop = loop;
    server->config = *config;
    server->next = servers;
    servers = server;
    int error = set_up(server);
    if (error < 0) {
        http_server_destroy(server);
        return error;
    }
    *ret_server = server;
    return 0;
}

static struct evconnlistener *bind_listener(struct http_server *server, int fd)
{
    struct evconnlistener *listener =
        evconnlistener_new(loop_base(server->loop), NULL, NULL,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
    if (listener == NULL) {
        close(fd);
    } else if (evhttp_bind_listener(server->evhttp, listener) == NULL) {
        evconnlistener_free(listener);
        listener = NULL;
    }
    return listener;
}

int http_server_listen_on(struct http_server *server, int fd)
{
    if (server->nlisteners == LISTENERS_MAX) {
        close(fd);
        return -EMFILE;
    }
    struct evconnlistener *listener = bind_listener(server, fd);
    if (listener == NULL)
        return -ENOMEM;
    evconnlistener_set_error_cb(listener, on_accept_error);
    server->listeners[server->nlisteners++] = listener;
    update_listeners(server);
    return 0;
}

int http_server_listen(struct http_server *server, const char *address, uint16_t *ret_port)
{
    int fd = listener_open_socket(address);
    if (fd < 0)
        return fd;
    uint16_t port = listener_socket_port(fd);
    int error = http_server_listen_on(server, fd);
    if (error == 0 && ret_port != NULL)
        *ret_port = port;
    return error;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->nlisteners > 0 ? listener_socket_port(evconnlistener_get_fd(server->listeners[0])) : 0;
}

size_t http_server_connections(const struct http_server *server)
{
    return server->connections.count;
}

static void forget(const struct http_server *server)
{
    struct http_server **at = &servers;
    while (*at != server)
        at = &(*at)->next;
    *at = server->next;
}

void http_server_destroy(struct http_server *server)
{
    if (server == NULL)
        return;
    server->closing = true;
    http_connection_list_finish(&server->connections);
    http_connection_destroy(server->spare);
    if (server->evhttp != NULL)
        evhttp_free(server->evhttp);
    loop_timer_destroy(server->retry);
    if (server->connections.placeholder_fd >= 0)
        close(server->connections.placeholder_fd);
    forget(server);
    free(server);
}
