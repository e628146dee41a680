/*
 * Readers of events that come through the edge: GET /v1/events (protocol/README 6.3, 8.4).
 *
 * In: subscriptions with a session. Out: events.data, events.close. Kept: subscriptions, with the hash of
 * their session's token: a reader lives no longer than its session, and counts as its use.
 */
#ifndef KILN_CORE_OWNER_EVENTS_H
#define KILN_CORE_OWNER_EVENTS_H

#include "src/core/ask.h"

struct json;
struct owner_events;

enum { OWNER_EVENTS_MAX = 1024, OWNER_EVENTS_PER_USER_MAX = 16, OWNER_EVENTS_CHECK_MS = 30 * 1000 };

/* VERBS is borrowed. 0 or -ENOMEM. */
int owner_events_create(struct verbs *verbs, struct owner_events **ret_events);
void owner_events_destroy(struct owner_events *events);

/* PARAMS {token, subscription, since?}. Answers {seq}, then sends. */
void owner_events_open(struct owner_events *events, struct ask *ask, const struct json *params);
void owner_events_end(struct owner_events *events, uint64_t subscription);
/* The edge is gone, and every subscription with it. */
void owner_events_drop(struct owner_events *events);
/* Closes those whose session has ended. */
void owner_events_check(struct owner_events *events);

#endif
