/*
 * Owners' readers of events: owner_events.h says how long they live.
 */
#include "src/core/owner_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/crypto.h"
#include "protocol/json.h"
#include "src/core/edge_link.h"
#include "src/core/events.h"
#include "src/core/owner_api.h"
#include "src/core/session.h"
#include "src/io/loop.h"

struct subscription {
    struct owner_events *events; /* borrowed */
    uint64_t number;             /* the edge's */
    uint8_t session[SESSION_HASH_BYTES];
    uint8_t user[RECORD_HASH_LEN];
    struct events_reader *reader; /* owned */
    struct subscription *next;
};

struct owner_events {
    struct verbs *verbs;       /* borrowed */
    struct subscription *list; /* owned */
    size_t count;
    struct loop_timer *check; /* owned */
};

static void on_check(void *arg)
{
    struct owner_events *events = arg;
    owner_events_check(events);
    loop_timer_arm(events->check, OWNER_EVENTS_CHECK_MS);
}

int owner_events_create(struct verbs *verbs, struct owner_events **ret_events)
{
    struct owner_events *events = calloc(1, sizeof *events);
    if (!events)
        return -ENOMEM;
    events->verbs = verbs;
    int error = loop_timer_create(verbs->core->loop, on_check, events, &events->check);
    if (error) {
        free(events);
        return error;
    }
    loop_timer_arm(events->check, OWNER_EVENTS_CHECK_MS);
    *ret_events = events;
    return 0;
}

static void remove_at(struct subscription **at)
{
    struct subscription *subscription = *at;
    *at = subscription->next;
    subscription->events->count--;
    events_reader_remove(subscription->reader);
    free(subscription);
}

void owner_events_drop(struct owner_events *events)
{
    while (events->list)
        remove_at(&events->list);
}

void owner_events_destroy(struct owner_events *events)
{
    if (!events)
        return;
    owner_events_drop(events);
    loop_timer_destroy(events->check);
    free(events);
}

void owner_events_end(struct owner_events *events, uint64_t number)
{
    for (struct subscription **at = &events->list; *at; at = &(*at)->next)
        if ((*at)->number == number) {
            remove_at(at);
            return;
        }
}

void owner_events_check(struct owner_events *events)
{
    for (struct subscription **at = &events->list; *at;) {
        if (session_keep(events->verbs->sessions, (*at)->session, loop_monotonic_ms())) {
            at = &(*at)->next;
            continue;
        }
        edge_close_events(events->verbs->edge, (*at)->number);
        remove_at(at);
    }
}

static void send(void *arg, const char *params)
{
    const struct subscription *subscription = arg;
    edge_send_event(subscription->events->verbs->edge, subscription->number, params);
}

static bool has_room(const struct owner_events *events, const struct caller *caller, uint64_t number)
{
    int owned = 0;
    for (const struct subscription *s = events->list; s; s = s->next) {
        if (s->number == number)
            return false;
        owned += caller_is(caller, s->user);
    }
    return events->count < OWNER_EVENTS_MAX && owned < OWNER_EVENTS_PER_USER_MAX;
}

static int subscribe(struct owner_events *events, const struct caller *caller, uint64_t number,
                     const uint8_t *token, struct subscription **ret_subscription, uint64_t *ret_seq)
{
    struct events_filter filter = {.all = caller->sees_all};
    struct subscription *subscription = calloc(1, sizeof *subscription);
    if (!subscription)
        return -ENOMEM;
    memcpy(filter.owner, caller->key, sizeof filter.owner);
    int error =
        events_reader_add(events->verbs->events, &filter, send, subscription, &subscription->reader, ret_seq);
    if (error) {
        free(subscription);
        return error;
    }
    subscription->events = events;
    subscription->number = number;
    memcpy(subscription->user, caller->key, sizeof subscription->user);
    session_hash(token, subscription->session);
    subscription->next = events->list;
    events->list = subscription;
    events->count++;
    *ret_subscription = subscription;
    return 0;
}

static void answer(struct ask *ask, uint64_t seq)
{
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_int(&out, "seq", (int64_t)seq);
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
}

void owner_events_open(struct owner_events *events, struct ask *ask, const struct json *params)
{
    struct json_reader reader = json_reader_init(params);
    struct subscription *subscription;
    uint8_t token[SESSION_TOKEN_BYTES];
    uint64_t seq, number = (uint64_t)json_read_int(&reader, "subscription", 0, INT64_MAX);
    int64_t since = json_read_int_or(&reader, "since", 0, INT64_MAX, -1);
    json_read_hex(&reader, "token", token, sizeof token);
    if (json_reader_end(&reader)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
    } else if (!owner_api_identify(ask, token)) {
        ask_refuse(ask, CODE_SESSION_EXPIRED, "");
    } else if (since > 0 && (uint64_t)since > core_last_seq(events->verbs->core)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, "since");
    } else if (!has_room(events, &ask->caller, number)) {
        ask_refuse(ask, CODE_LIMIT_REACHED, "readers of events");
    } else if (subscribe(events, &ask->caller, number, token, &subscription, &seq)) {
        ask_refuse(ask, CODE_INTERNAL, "");
    } else {
        answer(ask, seq);
        if (since >= 0)
            events_reader_replay(subscription->reader, (uint64_t)since);
    }
    crypto_wipe(token, sizeof token);
}
