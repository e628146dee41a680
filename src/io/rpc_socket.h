/*
 * RPC socket: JSON-RPC peers on a Unix stream socket, one object a line.
 * In: a path. Out: peers with the credentials the kernel gives. Kept: connections.
 * A peer that calls faster than it reads the answers waits. A slow reader whose queue passes RPC_QUEUE_MAX
 * all the same is disconnected: nothing is ever skipped silently.
 */
#ifndef KILN_IO_RPC_SOCKET_H
#define KILN_IO_RPC_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "src/io/rpc.h"

#define RPC_QUEUE_HIGH                                                                                       \
    1048576 /* bytes that wait for a peer, from which on a server takes no more of its calls */
#define RPC_QUEUE_MAX 4194304 /* bytes that may wait for a reader */

struct rpc_link; /* one connection, as a server sees it */
struct rpc_server;
struct rpc_client;

struct rpc_server_options {
    const struct rpc_method *methods; /* handlers get the struct rpc_link as ARG */
    bool (*fallback)(struct rpc_request *request, const char *method, const struct json *params, void *link);
    /* As of rpc_options, until rpc_server_resume. */
    bool (*waits)(const char *method, void *link);
    size_t message_max_bytes; /* 0: RPC_MESSAGE_MAX */
    size_t links_max;         /* 0: 64; a further connection is closed at once */
    mode_t mode;              /* of the socket file, 0660 */
    /* A peer came; false closes it (after a log line of yours). Optional. */
    bool (*on_open)(struct rpc_link *link, void *arg);
    /* It went. Optional. */
    void (*on_close)(struct rpc_link *link, void *arg);
    void *arg;
};

/* Listens on PATH; a stale socket file is replaced, a live one is -EADDRINUSE. */
int rpc_server_open(struct loop *loop, const char *path, const struct rpc_server_options *options,
                    struct rpc_server **ret_server);
/* What waited is looked at once more, whoever came first first; not that of peers who have gone. */
void rpc_server_resume(struct rpc_server *server);
/* Links of which a call waits, with somebody who waits for it. */
size_t rpc_server_held_links(const struct rpc_server *server);
/* Removes the file, closes every link (on_close is called). */
void rpc_server_close(struct rpc_server *server);

struct rpc_peer *rpc_link_peer(struct rpc_link *link);
void *rpc_link_server_arg(const struct rpc_link *link);
uid_t rpc_link_uid(const struct rpc_link *link);
gid_t rpc_link_gid(const struct rpc_link *link);
pid_t rpc_link_pid(const struct rpc_link *link);
void rpc_link_set_data(struct rpc_link *link, void *data);
void *rpc_link_data(const struct rpc_link *link);
size_t rpc_link_queued_bytes(const struct rpc_link *link);
/* Sends what is queued, then closes; on_close is called, later. */
void rpc_link_close(struct rpc_link *link);

struct rpc_client_options {
    const struct rpc_method *methods;
    size_t message_max_bytes; /* 0: RPC_MESSAGE_MAX */
    bool reconnect;           /* try again for ever, 100 ms doubling to 2 s; else one attempt */
    void (*on_up)(struct rpc_peer *peer, void *arg); /* connected */
    /* Connection lost, or the attempt failed (without reconnect it was the last). The peer is gone after
     * it. */
    void (*on_down)(int error, void *arg);
    void *arg; /* for methods too */
};

/* Starts connecting; the callbacks never come from inside. */
int rpc_client_open(struct loop *loop, const char *path, const struct rpc_client_options *options,
                    struct rpc_client **ret_client);
/* NULL while not connected. */
struct rpc_peer *rpc_client_peer(struct rpc_client *client);
size_t rpc_client_queued_bytes(const struct rpc_client *client);
/* No callback comes any more, but waiting calls end with -ECONNRESET. What is queued is still sent. */
void rpc_client_close(struct rpc_client *client);

#endif
