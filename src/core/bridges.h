/*
 * Bridges: which SSH bridges are open, as the edge says it (protocol/README 6.3).
 *
 * In: tickets that were redeemed, relays that the edge opened or closed, the list it gives at hello.
 * Out: BRIDGE_OPENED and BRIDGE_CLOSED with counts. Kept: bridges, in memory; the edge's list fills them
 * again.
 */
#ifndef KILN_CORE_BRIDGES_H
#define KILN_CORE_BRIDGES_H

#include "src/core/ticket.h"
#include "src/core/verbs.h"

struct bridges;

/* A relay as the edge lists it. */
struct bridge_relay {
    uint64_t number;
    uint8_t vm[VM_UUID_LEN];
};

/* VERBS is borrowed. 0 or -ENOMEM. */
int bridges_create(struct verbs *verbs, struct bridges **ret_bridges);
void bridges_destroy(struct bridges *bridges);

/* A ticket was redeemed: a bridge may be opened under RET_NUMBER. 0 or -ENOMEM. */
int bridge_allow(struct bridges *bridges, const struct ticket_grant *grant, uint64_t *ret_number);
/* A number that was not allowed, or is another VM's, is ignored. */
void bridge_opened(struct bridges *bridges, const struct bridge_relay *relay);
void bridge_closed(struct bridges *bridges, const struct bridge_relay *relay);
/* These are open now, and no others: machines that think otherwise are told. */
void bridges_reconcile(struct bridges *bridges, const struct bridge_relay *relays, size_t count);

#endif
