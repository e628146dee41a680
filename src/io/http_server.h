/*
 * HTTP server: HTTP/1.1 over TLS (or plain, on loopback), by routes: evhttp over streams. Limits hold from
 * the first byte. In: connections. Out: calls of handlers, which answer at once or later, or take the
 * connection for a WebSocket. Kept: connections.
 */
#ifndef KILN_IO_HTTP_SERVER_H
#define KILN_IO_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_head;
struct http_request;
struct http_server;
struct known;
struct loop;
struct rates;
struct stream;
struct tls_server;

/* Gets a whole request (head and body). It must answer exactly once, now or later, by http_answer,
 * http_answer_file or http_request_take_stream. */
typedef void http_handler(struct http_request *request, void *arg);

struct http_route {
    const char *method;    /* NULL: any */
    const char *path;      /* exact; with a final '*' everything that starts so */
    size_t body_max_bytes; /* 413 beyond */
    http_handler *handler;
};

struct http_server_config {
    struct tls_server *tls;          /* borrowed; NULL: plain */
    const struct http_route *routes; /* borrowed; the first that fits */
    size_t nroutes;
    void *arg;                          /* for every handler */
    const char *common_headers;         /* borrowed; complete lines sent with every answer, or NULL */
    size_t connections_max;             /* in total; further ones wait in the backlog */
    bool makes_room;                    /* instead, the oldest that is not trusted ends */
    size_t connections_per_address_max; /* further ones are closed at once */
    struct known *known;                /* borrowed: addresses of trusted requests; NULL: nobody's */
    struct rates *address_rate;         /* borrowed: new connections an address, as above; NULL: any */
    struct rates *strangers_rate;       /* borrowed: of all that are not known, as above; NULL: any */
    uint32_t handshake_timeout_ms;      /* TLS, from accept */
    uint32_t request_timeout_ms;        /* a whole request, from its first byte or from ready */
    uint32_t idle_timeout_ms;           /* between requests */
};

int http_server_create(struct loop *loop, const struct http_server_config *config,
                       struct http_server **ret_server);
/* ADDRESS "host:port"; port 0 picks one. The errno of bind(2) and listen(2); -EINVAL. */
int http_server_listen(struct http_server *server, const char *address, uint16_t *ret_port);
/* FD listens already, and is taken, also on failure. -EMFILE, -ENOMEM. */
int http_server_listen_on(struct http_server *server, int fd);
/* Of the first address it listens on. */
uint16_t http_server_port(const struct http_server *server);
size_t http_server_connections(const struct http_server *server);
/* Closes listeners and connections, also those with an answer outstanding. Streams that were taken stay. */
void http_server_destroy(struct http_server *server);

const struct http_head *http_request_head(const struct http_request *request);
const char *http_request_body(const struct http_request *request, size_t *ret_len_bytes);
struct loop *http_request_loop(const struct http_request *request);
const char *http_request_peer(const struct http_request *request); /* numeric address */

/* Called when the connection goes away before the answer; the request is gone after the call. NULL takes it
 * back. */
void http_request_on_gone(struct http_request *request, void (*fn)(void *arg), void *arg);
/* Whoever sent it has shown who he is: his connection does not end to make room for others, and his address
 * is known. */
void http_request_trust(struct http_request *request);
bool http_request_is_trusted(const struct http_request *request);
/* A header line for the answer, before it. -ENOMEM. */
int http_request_add_header(struct http_request *request, const char *name, const char *value);
/* Answers and ends the request. TYPE may be NULL when LEN_BYTES is 0. */
void http_answer(struct http_request *request, int status, const char *type, const void *body,
                 size_t len_bytes);
/* Answers 200 with what FD (taken) holds, read as the peer takes it; HEAD sends no body. */
void http_answer_file(struct http_request *request, const char *type, int fd);
/* Ends the request and hands over its stream, with what was read and not used. The caller owns it. */
struct stream *http_request_take_stream(struct http_request *request);

#endif
