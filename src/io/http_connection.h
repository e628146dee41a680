/*
 * HTTP connection: one accepted stream, request after request. For http_server.c, which owns the list of
 * them. In: a stream's bytes. Out: whole requests to the server's routes, answers to the peer. Kept: one
 * request at a time.
 */
#ifndef KILN_IO_HTTP_CONNECTION_H
#define KILN_IO_HTTP_CONNECTION_H

#include "src/io/http_server.h"

#define HTTP_PEER_MAX 46 /* INET6_ADDRSTRLEN */

struct http_connection;

struct http_connection_list {
    struct loop *loop;                       /* borrowed */
    const struct http_server_config *config; /* borrowed */
    struct http_connection *first;
    size_t count;
    void (*on_gone)(void *arg); /* the list is one shorter */
    void *arg;
};

/* Takes FD and puts the connection into LIST; on failure FD is not taken. */
int http_connection_create(struct http_connection_list *list, int fd, const char *peer);
size_t http_connection_count_peer(const struct http_connection_list *list, const char *peer);
/* Closes all of them, at once. */
void http_connection_list_finish(struct http_connection_list *list);

#endif
