/*
 * Kilnd: the edge's end of edge.sock (protocol/README.md 6.3).
 * In: calls and notifications of the edge's parts. Out: kilnd's answers; its notifications, to the part they
 * are for. Kept: the connection. When it comes back, kilnd is told which relays are alive, and relays run on
 * all the while.
 */
#ifndef KILN_EDGE_KILND_H
#define KILN_EDGE_KILND_H

#include <stdbool.h>
#include <stddef.h>

#include "src/io/rpc.h"

struct edge;
struct json_writer;
struct kilnd;

#define KILND_CALL_TIMEOUT_MS 30000
#define KILND_QUEUE_HIGH                                                                                     \
    1048576 /* bytes waiting for kilnd, from which on guests are made to wait and calls are refused */
#define KILND_QUEUE_FULL 3145728 /* from which on a guest that sends more is cut off */

int kilnd_open(struct edge *edge, const char *path, struct kilnd **ret_kilnd);
void kilnd_close(struct kilnd *kilnd);

/* Tells kilnd again who we are, after a change of the certificate. Links and readers stay. */
void kilnd_greet(struct kilnd *kilnd);

/* Whether kilnd is there and has been told of us. */
bool kilnd_is_up(const struct kilnd *kilnd);
size_t kilnd_queued_bytes(const struct kilnd *kilnd);

/* PARAMS is finished by both. -ENOTCONN when kilnd is away, else as rpc_call and rpc_notify. */
int kilnd_call(struct kilnd *kilnd, const char *method, struct json_writer *params, rpc_answered *fn,
               void *arg);
void kilnd_notify(struct kilnd *kilnd, const char *method, struct json_writer *params);

#endif
