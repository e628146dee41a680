/*
 * Reconcile: the walk over all VMs, a few in each turn of the loop, so that ten thousand of them stall
 * nobody.
 *
 * In: a sorted list of what libvirt shows, or the word that it is away. Out: each VM with its sight, once.
 * Kept: the UUID it has come to; VMs may come and go meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "src/core/reconcile_private.h"
#include "src/core/store.h"
#include "src/io/loop.h"

enum {
    TURN_POSTS = 64,  /* events posted in one turn: each is decided, encoded and committed */
    BACKLOG_MAX = 64, /* batches that wait for the disk before the walk waits too */
    BACKLOG_MS = 5
};

int walk_order(const void *a, const void *b)
{
    return memcmp(a, b, VM_UUID_LEN);
}

void walk_end(struct reconcile *reconcile)
{
    free(reconcile->walk.sights);
    reconcile->walk = (struct walk){.kind = WALK_NONE};
    loop_timer_disarm(reconcile->step);
}

void walk_begin(struct core *core, enum walk_kind kind, struct sight *sights, size_t nsights)
{
    struct reconcile *reconcile = core->reconcile;
    walk_end(reconcile);
    reconcile->walk = (struct walk){
        .kind = kind, .sights = sights, .nsights = nsights, .reconnected = reconcile->reconnected};
    walk_step(core);
}

static void look(struct vm_slot *slot)
{
    const struct walk *walk = &slot->core->reconcile->walk;
    if (walk->kind == WALK_UNREACHABLE)
        reconcile_look_away(slot);
    else
        reconcile_look(slot, walk->nsights ? bsearch(slot->vm.uuid, walk->sights, walk->nsights,
                                                     sizeof *walk->sights, walk_order)
                                           : NULL);
}

void walk_step(void *arg)
{
    struct core *core = arg;
    struct walk *walk = &core->reconcile->walk;
    struct vm_slot *slot = NULL;
    int64_t share_us = loop_share_begin();
    walk->posted = 0;
    do {
        slot = index_next(&core->vms, walk->last);
        if (!slot)
            break;
        memcpy(walk->last, slot->vm.uuid, sizeof walk->last);
        if (!slot->fresh)
            look(slot);
    } while (walk->posted < TURN_POSTS && !loop_share_over(share_us));
    if (slot) {
        loop_timer_arm(core->reconcile->step, store_waiting(core->store) > BACKLOG_MAX ? BACKLOG_MS : 0);
        return;
    }
    bool looked = walk->kind == WALK_LOOK;
    walk_end(core->reconcile);
    if (looked)
        reconcile_looked(core);
}
