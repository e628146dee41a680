/*
 * Limits: how many long-lived connections (WebSockets, bridges) each address may hold, and all together; how
 * often an address may ask. In: addresses. Out: yes or no. Kept: one count a network as listener.h names it.
 */
#ifndef KILN_EDGE_LIMITS_H
#define KILN_EDGE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMIT_HELD_MAX 2048            /* each holds some 40 KiB of TLS state */
#define LIMIT_HELD_PER_ADDRESS_MAX 256 /* of owners a whole institute may sit behind one address */
#define LIMIT_ADDRESS_MAX 46           /* INET6_ADDRSTRLEN */

struct limits;
struct rates;
struct http_request;

int limits_create(struct limits **ret_limits);
void limits_destroy(struct limits *limits);
/* Counts one more for ADDRESS. False when that is one too many; then nothing is counted. */
bool limits_take(struct limits *limits, const char *address);
void limits_give_back(struct limits *limits, const char *address);

/* For how many milliseconds the network that REQUEST comes from must wait by RATES; 0: not at all. TAKE: this
 * counts as one; else it is only looked at. */
uint32_t limits_rate(struct rates *rates, const struct http_request *request, bool take);
/* The same; true when it must wait: LIMIT_REACHED is then answered. */
bool limits_refuse_rate(struct rates *rates, struct http_request *request, bool take);

#endif
