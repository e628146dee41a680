/*
 * Limits: see limits.h. A short list: it has as many entries as addresses that hold something now.
 */
#include "src/edge/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/edge/failure.h"
#include "src/io/http_server.h"
#include "src/io/listener.h"
#include "src/io/loop.h"
#include "src/io/rates.h"

struct holder {
    struct holder *next;
    size_t count;
    char network[LIMIT_ADDRESS_MAX];
};

struct limits {
    struct holder *holders; /* owned */
    size_t total;
};

int limits_create(struct limits **ret_limits)
{
    *ret_limits = calloc(1, sizeof(**ret_limits));
    return *ret_limits != NULL ? 0 : -ENOMEM;
}

void limits_destroy(struct limits *limits)
{
    if (limits == NULL)
        return;
    while (limits->holders != NULL) {
        struct holder *next = limits->holders->next;
        free(limits->holders);
        limits->holders = next;
    }
    free(limits);
}

/* The place in the list that points to NETWORK's holder, or to NULL. */
static struct holder **find(struct limits *limits, const char *network)
{
    struct holder **at = &limits->holders;
    while (*at != NULL && strcmp((*at)->network, network) != 0)
        at = &(*at)->next;
    return at;
}

bool limits_take(struct limits *limits, const char *address)
{
    char network[LIMIT_ADDRESS_MAX];
    listener_name_network(address, network);
    struct holder **at = find(limits, network);
    if (limits->total == LIMIT_HELD_MAX || (*at != NULL && (*at)->count == LIMIT_HELD_PER_ADDRESS_MAX))
        return false;
    if (*at == NULL) {
        *at = calloc(1, sizeof(**at));
        if (*at == NULL)
            return false;
        memcpy((*at)->network, network, sizeof(network));
    }
    (*at)->count++;
    limits->total++;
    return true;
}

void limits_give_back(struct limits *limits, const char *address)
{
    char network[LIMIT_ADDRESS_MAX];
    listener_name_network(address, network);
    struct holder **at = find(limits, network);
    if (*at == NULL)
        return;
    limits->total--;
    if (--(*at)->count > 0)
        return;
    struct holder *empty = *at;
    *at = empty->next;
    free(empty);
}

uint32_t limits_rate(struct rates *rates, const struct http_request *request, bool take)
{
    char network[LIMIT_ADDRESS_MAX];
    int64_t now_ms = loop_monotonic_ms();
    listener_name_network(http_request_peer(request), network);
    return take ? rates_take(rates, network, strlen(network), now_ms)
                : rates_look(rates, network, strlen(network), now_ms);
}

bool limits_refuse_rate(struct rates *rates, struct http_request *request, bool take)
{
    uint32_t wait_ms = limits_rate(rates, request, take);
    if (wait_ms > 0)
        failure_answer_later(request, wait_ms);
    return wait_ms > 0;
}
