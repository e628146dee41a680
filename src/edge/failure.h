/*
 * Failure: a stable code as an HTTP answer (protocol/README.md 1.8).
 */
#ifndef KILN_EDGE_FAILURE_H
#define KILN_EDGE_FAILURE_H

#include <stdint.h>

#include "protocol/code.h"

struct http_request;
struct rpc_answer;

/* Answers with the code's status and {"error": {...}}; a 503 and a 429 say when to come again. DETAIL may be
 * NULL. */
void failure_answer(struct http_request *request, enum kiln_code code, const char *detail);
/* Answers with LIMIT_REACHED, to be tried again in WAIT_MS. */
void failure_answer_later(struct http_request *request, uint32_t wait_ms);
/* Answers what should be an upgrade to a WebSocket and is none, and says which version is spoken (RFC
 * 6455 4.4).
 */
void failure_answer_upgrade(struct http_request *request);
/* What kilnd's failure means to the peer: its own code, or UNAVAILABLE when there was no answer. */
enum kiln_code failure_code(const struct rpc_answer *answer);

#endif
