/*
 * HTTP server: listeners and limits; see http_server.h. What happens on a connection is in http_connection.c.
 */
#include "src/io/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/http_connection.h"
#include "src/io/listener.h"
#include "src/io/log.h"
#include "src/io/loop.h"

#define LISTENERS_MAX 4

struct http_server {
    struct loop *loop; /* borrowed */
    struct http_server_config config;
    struct http_connection_list connections;
    struct listener *listeners[LISTENERS_MAX]; /* owned */
    size_t nlisteners;
    bool closing;
};

/* Full: further connections wait in the kernel's backlog until one of ours ends. */
static void update_listeners(struct http_server *server)
{
    bool full = server->connections.count >= server->config.connections_max;
    for (size_t i = 0; i < server->nlisteners; i++)
        listener_set_paused(server->listeners[i], full);
}

static void on_connection_gone(void *arg)
{
    struct http_server *server = arg;
    if (!server->closing)
        update_listeners(server);
}

static void on_accept(void *arg, int fd, const char *peer)
{
    struct http_server *server = arg;
    size_t same = http_connection_count_peer(&server->connections, peer);
    int error = -EUSERS;
    if (same < server->config.connections_per_address_max)
        error = http_connection_create(&server->connections, fd, peer);
    if (error < 0) {
        log_debug("http", "connection refused", "peer=%s error=%d", peer, -error);
        close(fd);
        return;
    }
    update_listeners(server);
}

int http_server_create(struct loop *loop, const struct http_server_config *config,
                       struct http_server **ret_server)
{
    struct http_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return -ENOMEM;
    server->loop = loop;
    server->config = *config;
    server->connections = (struct http_connection_list){
        .loop = loop, .config = &server->config, .on_gone = on_connection_gone, .arg = server};
    *ret_server = server;
    return 0;
}

int http_server_listen(struct http_server *server, const char *address, uint16_t *ret_port)
{
    if (server->nlisteners == LISTENERS_MAX)
        return -EMFILE;
    int error =
        listener_open(server->loop, address, on_accept, server, &server->listeners[server->nlisteners]);
    if (error < 0)
        return error;
    if (ret_port != NULL)
        *ret_port = listener_port(server->listeners[server->nlisteners]);
    server->nlisteners++;
    return 0;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->nlisteners > 0 ? listener_port(server->listeners[0]) : 0;
}

size_t http_server_connections(const struct http_server *server)
{
    return server->connections.count;
}

void http_server_destroy(struct http_server *server)
{
    if (server == NULL)
        return;
    server->closing = true;
    for (size_t i = 0; i < server->nlisteners; i++)
        listener_close(server->listeners[i]);
    http_connection_list_finish(&server->connections);
    free(server);
}
