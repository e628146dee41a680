/*
 * Events: the owners' event WebSockets. In: accepted upgrades, texts of kilnd's. Out: texts to readers,
 * events.end. Kept: open readers. A reader that is too slow is cut off, never skipped; it comes again with
 * `since`.
 */
#ifndef KILN_EDGE_EVENTS_H
#define KILN_EDGE_EVENTS_H

#include <stdint.h>

struct edge;
struct events;
struct http_request;

#define EVENTS_QUEUE_MAX 1048576 /* bytes that may wait for one reader */

int events_create(struct edge *edge, struct events **ret_events);
void events_destroy(struct events *events);

/* An upgrade on GET /v1/events: asks kilnd, then makes it a reader. The request gets its answer. */
void events_ask(struct events *events, struct http_request *request);
void events_send(struct events *events, uint64_t subscription, const char *text);
void events_close(struct events *events, uint64_t subscription);
void events_close_all(struct events *events);

#endif
