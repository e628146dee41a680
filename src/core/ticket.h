/*
 * Tickets for the SSH bridge: 32 random bytes, 30 s, once, bound to a VM and a user (protocol/README 9).
 *
 * In: requests of owners, what a bridge client presented. Out: tickets, and what a good one stands for.
 * Kept: SHA-256 of each ticket, in memory only.
 */
#ifndef KILN_CORE_TICKET_H
#define KILN_CORE_TICKET_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TICKET_BYTES = 32,
    TICKET_LIFE_MS = 30 * 1000,
    TICKETS_MAX = 1024,       /* outstanding; more is LIMIT_REACHED */
    TICKETS_PER_USER_MAX = 64 /* of one user; a launcher opens one connection a ticket */
};

/* What a ticket stands for. */
struct ticket_grant {
    uint8_t vm[16];
    uint8_t user[32]; /* fingerprint */
};

struct tickets;

/* Returns 0 or -ENOMEM. */
int tickets_create(struct tickets **ret_tickets);
void tickets_destroy(struct tickets *tickets);

/* Makes a ticket. `now_ms` is monotonic. Returns 0, or -EBUSY when too many are outstanding. */
int ticket_issue(struct tickets *tickets, const struct ticket_grant *grant, int64_t now_ms,
                 uint8_t ret_ticket[TICKET_BYTES]);

/* Uses a ticket up. False: unknown, used before, or too old. */
bool ticket_redeem(struct tickets *tickets, const uint8_t ticket[TICKET_BYTES], int64_t now_ms,
                   struct ticket_grant *ret_grant);

/* Takes back what is outstanding for a VM that ends, or for a user who is removed. */
void tickets_revoke_vm(struct tickets *tickets, const uint8_t vm[16]);
void tickets_revoke_user(struct tickets *tickets, const uint8_t user[32]);

#endif
