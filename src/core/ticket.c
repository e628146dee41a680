/*
 * Tickets: ticket.h says what they are.
 */
#include "src/core/ticket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/crypto.h"
#include "protocol/wire.h"
#include "src/io/random.h"

struct ticket {
    bool open;
    uint8_t hash[CRYPTO_HASH_BYTES];
    struct ticket_grant grant;
    int64_t expires_ms;
};

struct tickets {
    struct ticket list[TICKETS_MAX];
};

int tickets_create(struct tickets **ret_tickets)
{
    struct tickets *tickets = calloc(1, sizeof *tickets);
    if (!tickets)
        return -ENOMEM;
    *ret_tickets = tickets;
    return 0;
}

void tickets_destroy(struct tickets *tickets)
{
    free(tickets);
}

int ticket_issue(struct tickets *tickets, const struct ticket_grant *grant, int64_t now_ms,
                 uint8_t ret_ticket[TICKET_BYTES])
{
    struct ticket *place = NULL;
    int owned = 0;
    for (struct ticket *t = tickets->list; t < tickets->list + TICKETS_MAX; t++) {
        t->open = t->open && now_ms < t->expires_ms;
        if (!t->open)
            place = t;
        else if (memcmp(t->grant.user, grant->user, sizeof grant->user) == 0)
            owned++;
    }
    if (!place || owned >= TICKETS_PER_USER_MAX)
        return -EBUSY;
    random_fill(ret_ticket, TICKET_BYTES);
    *place = (struct ticket){.open = true, .grant = *grant, .expires_ms = now_ms + TICKET_LIFE_MS};
    crypto_hash(ret_ticket, TICKET_BYTES, place->hash);
    return 0;
}

bool ticket_redeem(struct tickets *tickets, const uint8_t ticket[TICKET_BYTES], int64_t now_ms,
                   struct ticket_grant *ret_grant)
{
    uint8_t hash[CRYPTO_HASH_BYTES];
    struct ticket *found = NULL;
    crypto_hash(ticket, TICKET_BYTES, hash);
    for (struct ticket *t = tickets->list; t < tickets->list + TICKETS_MAX; t++)
        if (t->open && wire_equal(t->hash, hash, sizeof hash))
            found = t;
    if (!found)
        return false;
    found->open = false;
    if (now_ms >= found->expires_ms)
        return false;
    *ret_grant = found->grant;
    return true;
}

void tickets_revoke_vm(struct tickets *tickets, const uint8_t vm[16])
{
    for (struct ticket *t = tickets->list; t < tickets->list + TICKETS_MAX; t++)
        if (memcmp(t->grant.vm, vm, sizeof t->grant.vm) == 0)
            t->open = false;
}

void tickets_revoke_user(struct tickets *tickets, const uint8_t user[32])
{
    for (struct ticket *t = tickets->list; t < tickets->list + TICKETS_MAX; t++)
        if (memcmp(t->grant.user, user, sizeof t->grant.user) == 0)
            t->open = false;
}
