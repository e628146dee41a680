/*
 * Bridges: bridges.h says what is kept.
 */
#include "src/core/bridges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/edge_link.h"
#include "src/core/machine.h"
#include "src/io/loop.h"

enum {
    OPEN_WITHIN_MS = 60 * 1000
}; /* after the ticket was redeemed; a dead launcher leaves nothing behind */

struct bridge {
    uint64_t number;
    struct ticket_grant grant; /* user: zeros when it was opened before kilnd started */
    int64_t allowed_ms;
    bool open;
    struct bridge *next;
};

struct bridges {
    struct verbs *verbs; /* borrowed */
    struct bridge *list; /* owned */
    uint64_t last_number;
};

int bridges_create(struct verbs *verbs, struct bridges **ret_bridges)
{
    struct bridges *bridges = calloc(1, sizeof *bridges);
    if (!bridges)
        return -ENOMEM;
    bridges->verbs = verbs;
    *ret_bridges = bridges;
    return 0;
}

static void remove_at(struct bridge **at)
{
    struct bridge *bridge = *at;
    *at = bridge->next;
    free(bridge);
}

void bridges_destroy(struct bridges *bridges)
{
    if (!bridges)
        return;
    while (bridges->list)
        remove_at(&bridges->list);
    free(bridges);
}

static int add(struct bridges *bridges, uint64_t number, const struct ticket_grant *grant, bool open)
{
    struct bridge *bridge = calloc(1, sizeof *bridge);
    if (!bridge)
        return -ENOMEM;
    *bridge = (struct bridge){.number = number,
                              .grant = *grant,
                              .allowed_ms = loop_monotonic_ms(),
                              .open = open,
                              .next = bridges->list};
    bridges->list = bridge;
    if (number > bridges->last_number)
        bridges->last_number = number;
    return 0;
}

int bridge_allow(struct bridges *bridges, const struct ticket_grant *grant, uint64_t *ret_number)
{
    int64_t late = loop_monotonic_ms() - OPEN_WITHIN_MS;
    for (struct bridge **at = &bridges->list; *at;)
        if (!(*at)->open && (*at)->allowed_ms < late)
            remove_at(at);
        else
            at = &(*at)->next;
    int error = add(bridges, bridges->last_number + 1, grant, false);
    if (!error)
        *ret_number = bridges->last_number;
    return error;
}

static struct bridge **find(struct bridges *bridges, const struct bridge_relay *relay)
{
    struct bridge **at = &bridges->list;
    while (*at &&
           ((*at)->number != relay->number || memcmp((*at)->grant.vm, relay->vm, sizeof relay->vm) != 0))
        at = &(*at)->next;
    return at;
}

static uint32_t count_open(const struct bridges *bridges, const uint8_t *vm)
{
    uint32_t count = 0;
    for (const struct bridge *b = bridges->list; b; b = b->next)
        count += b->open && memcmp(b->grant.vm, vm, sizeof b->grant.vm) == 0;
    return count;
}

/* A bridge that the machine does not allow (any more) is closed again. */
static void opened_taken(void *arg, int error, const struct vm *vm)
{
    struct bridges *bridges = arg;
    if (error == -EPERM)
        edge_close_relays(bridges->verbs->edge, vm->uuid, "bridge");
}

static void post_count(struct bridges *bridges, const uint8_t *vm, enum vm_event_kind kind,
                       const struct ticket_grant *grant)
{
    struct vm_event event = {.head = {.on = kind}};
    char actor[VM_WHO_LEN];
    event.count = count_open(bridges, vm);
    if (grant)
        core_actor_key(actor, grant->user);
    machine_post(bridges->verbs->core, vm, &event, grant ? actor : NULL,
                 kind == VM_ON_BRIDGE_OPENED ? opened_taken : NULL, bridges);
}

void bridge_opened(struct bridges *bridges, const struct bridge_relay *relay)
{
    struct bridge *bridge = *find(bridges, relay);
    if (!bridge || bridge->open)
        return;
    bridge->open = true;
    post_count(bridges, relay->vm, VM_ON_BRIDGE_OPENED, &bridge->grant);
}

void bridge_closed(struct bridges *bridges, const struct bridge_relay *relay)
{
    struct bridge **at = find(bridges, relay);
    if (!*at)
        return;
    struct bridge gone = **at;
    remove_at(at);
    if (gone.open)
        post_count(bridges, relay->vm, VM_ON_BRIDGE_CLOSED, &gone.grant);
}

void bridges_reconcile(struct bridges *bridges, const struct bridge_relay *relays, size_t count)
{
    const struct vm_slot *slot;
    while (bridges->list)
        remove_at(&bridges->list);
    for (size_t i = 0; i < count; i++) {
        struct ticket_grant grant = {{0}, {0}};
        memcpy(grant.vm, relays[i].vm, sizeof grant.vm);
        add(bridges, relays[i].number, &grant, true);
        if (!core_vm(bridges->verbs->core, relays[i].vm))
            edge_close_relays(bridges->verbs->edge, relays[i].vm, "bridge");
    }
    for (size_t i = 0; (slot = core_vm_at(bridges->verbs->core, i)); i++) {
        uint32_t open = count_open(bridges, slot->vm.uuid);
        if (open > slot->vm.bridges)
            post_count(bridges, slot->vm.uuid, VM_ON_BRIDGE_OPENED, NULL);
        else if (open < slot->vm.bridges)
            post_count(bridges, slot->vm.uuid, VM_ON_BRIDGE_CLOSED, NULL);
    }
}
