/*
 * Inside of reconcile, for reconcile*.c only.
 */
#ifndef KILN_CORE_RECONCILE_PRIVATE_H
#define KILN_CORE_RECONCILE_PRIVATE_H

#include "src/core/reconcile.h"

enum {
    RECONCILE_CONFIRM_MS = 10 * 1000,   /* between the two answers that make an absence */
    RECONCILE_HOST_AGAIN_MS = 5 * 1000, /* another try at pool, network and filter */
    RECONCILE_ORPHANS = 64,             /* domains without record that are followed at once */
    RECONCILE_GRACE_MS = 60 * 1000      /* how long such a domain may be seen before it counts */
};

/* A domain with Kiln's metadata and without a record. */
struct orphan {
    char uuid[VIRT_UUID_BYTES];
    int64_t since_ms; /* monotonic */
    bool reported, seen;
};

struct reconcile {
    struct loop_timer *timer; /* owned: the next sweep */
    bool host_ready;          /* pool, network and filter are there, on this connection */
    bool sweeping, again;     /* a list is asked for; another shall follow */
    bool reconnected;         /* no list has been seen on this connection */
    size_t suspects;          /* absent in the last list, not yet for long enough */
    struct orphan orphans[RECONCILE_ORPHANS];
    size_t norphans;
};

/* Asks libvirt for pool, network and filter. */
void reconcile_host(struct core *core);

/* reconcile_look.c: what a sight of one VM's domain means for its record. */
void reconcile_look(struct vm_slot *slot, enum virt_domain_state sight);
/* reconcile_orphans.c */
void orphans_look(struct core *core, const struct virt_answer *answer);

#endif
