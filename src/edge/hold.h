/*
 * Hold: an HTTP request that waits for kilnd.
 * In: a request, a call. Out: kilnd's answer while the peer is still there; failures are answered here.
 */
#ifndef KILN_EDGE_HOLD_H
#define KILN_EDGE_HOLD_H

#include <stdint.h>

#include "protocol/text.h"

struct edge;
struct http_request;
struct json_writer;
struct rpc_answer;

struct hold {
    struct edge *edge;
    struct http_request *request; /* NULL when the peer has gone */
    char vm[UUID_TEXT_BYTES];     /* for those who ask about a VM */
    uint64_t number;              /* for those who gave one */
    void (*fn)(struct hold *hold, const struct rpc_answer *answer);
    /* Besides: kilnd said no, and the peer is about to hear it. Optional. */
    void (*refused)(const struct hold *hold);
    void (*gone)(struct hold *hold); /* instead of FN: kilnd said yes, but the peer has gone. Optional. */
};

/* Calls METHOD with PARAMS (finished here). FN must answer or take the request; the hold is freed after it.
 * Returns the hold, whose vm, number, refused and gone the caller may set at once; NULL when it was answered
 * already. */
struct hold *hold_call(struct edge *edge, struct http_request *request, const char *method,
                       struct json_writer *params,
                       void (*fn)(struct hold *hold, const struct rpc_answer *answer));

#endif
