/*
 * HTTP connection: evhttp at one end, a stream at the other. evhttp's end is a bufferevent without a socket:
 * what the peer sent is put into it when evhttp is to read, what evhttp writes into it goes to the stream.
 * For http_server.c, which owns the list of them, and http_request.c, which answers.
 * In: the socket that evhttp accepted. Out: requests of evhttp's, bytes to the peer. Kept: one request at a
 * time.
 */
#ifndef KILN_IO_HTTP_CONNECTION_H
#define KILN_IO_HTTP_CONNECTION_H

#include <sys/types.h>

#include "src/io/http_parse.h"
#include "src/io/http_server.h"

#define HTTP_PEER_MAX 46 /* INET6_ADDRSTRLEN */

struct bufferevent;
struct event;
struct evhttp_request;
struct http_connection;

enum http_phase {
    HTTP_READING,  /* evhttp waits for a request, or for the rest of it */
    HTTP_HANDLING, /* a handler has the request */
    HTTP_ANSWERING /* the answer is on its way */
};

/* Lives in its connection, from evhttp's call until the answer is whole with evhttp. */
struct http_request {
    struct http_connection *connection; /* borrowed */
    struct evhttp_request *evhttp;      /* borrowed from evhttp, which waits for us; NULL: no request */
    struct http_head head;              /* its path owned, the rest points into `evhttp` */
    const char *body;                   /* in `evhttp` */
    size_t body_bytes;
    void (*on_gone)(void *arg);
    void *gone_arg;
};

struct http_connection_list {
    struct loop *loop;                       /* borrowed */
    const struct http_server_config *config; /* borrowed */
    size_t unread_max_bytes;                 /* what evhttp may leave unread of a request */
    int placeholder_fd;                      /* borrowed; what evhttp is left with instead of the socket */
    struct http_connection *first;
    size_t count;
    void (*on_gone)(void *arg); /* the list is one shorter */
    void *arg;
};

struct http_connection {
    struct http_connection_list *list; /* borrowed */
    struct http_connection *previous, *next;
    struct bufferevent *bev; /* one reference; evhttp has the other */
    struct event *take;      /* owned: takes the socket as soon as evhttp has accepted it */
    struct stream *stream;   /* owned; NULL before, and when it was handed over */
    struct http_request request;
    enum http_phase phase;
    bool begun;      /* the first byte of a request was seen */
    bool last;       /* close after this answer */
    bool writing;    /* evhttp waits to hear that what it wrote is with the kernel */
    bool answered;   /* evhttp is done with the answer */
    bool trusted;    /* its peer, or lately one of its address, has shown who he is */
    bool dead;       /* out of the list, and freed when `busy` is 0 */
    unsigned busy;   /* calls of ours on the stack */
    int file_fd;     /* owned; what is being sent, or -1 */
    off_t file_left; /* bytes */
    char peer[HTTP_PEER_MAX], network[HTTP_PEER_MAX]; /* the limit counts networks */
};

/* A connection without a socket, for evhttp's next accept. -ENOMEM. */
int http_connection_create(struct http_connection_list *list, struct http_connection **ret_connection);
/* Frees one that evhttp never had. NULL does nothing. */
void http_connection_destroy(struct http_connection *connection);
/* Puts it into its list; evhttp is about to give it a socket. Returns the bufferevent for evhttp. */
struct bufferevent *http_connection_begin(struct http_connection *connection);
/* The connection that has this bufferevent. */
struct http_connection *http_connection_find(const struct http_connection_list *list,
                                             const struct bufferevent *bev);
/* Ends the oldest of those that are not trusted: of those that send no whole request, else of those that wait
 * for their answer or take it slowly. False: there is none. */
bool http_connection_list_make_room(struct http_connection_list *list);
/* Closes all of them, at once. */
void http_connection_list_finish(struct http_connection_list *list);

/* A handler gets the request: nothing more is read, and there is no deadline. Takes back what evhttp has read
 * of the next one. */
void http_connection_hold(struct http_connection *connection);
/* The answer is with evhttp, or its next piece: sends it. */
void http_connection_send(struct http_connection *connection);
/* Sends what is queued and closes; evhttp forgets the connection. */
void http_connection_close(struct http_connection *connection);
/* Closes at once; tells a handler that still has the request. */
void http_connection_abort(struct http_connection *connection);
/* Hands the stream over; evhttp forgets the connection. */
struct stream *http_connection_take_stream(struct http_connection *connection);

#endif
