/*
 * Inside of reconcile, for reconcile*.c only.
 */
#ifndef KILN_CORE_RECONCILE_PRIVATE_H
#define KILN_CORE_RECONCILE_PRIVATE_H

#include "src/core/reconcile.h"

enum {
    RECONCILE_CONFIRM_MS = 10 * 1000,  /* between the two answers that make an absence */
    RECONCILE_UP_MS = 10 * 1000,       /* how long the connection must have been up for an answer to count */
    RECONCILE_HOST_AGAIN_MS = 5 * 1000 /* another try at pool, network and filter */
};

/* One domain of libvirt's list. */
struct sight {
    uint8_t uuid[VM_UUID_LEN];
    enum virt_domain_state state;
    int pid; /* of VIRT_DOMAIN_LOST */
    uint64_t boot;
    size_t listed_at; /* its place in the answer */
};

/* A domain with Kiln's metadata and without a record. */
struct orphan {
    uint8_t uuid[VM_UUID_LEN];
    int64_t since_ms; /* monotonic */
    int pid;          /* of one that libvirt has lost; else 0 */
    uint8_t ipv4[4];  /* held for as long as it is known; zeros: none */
    bool reported;
};

/* A walk over all VMs, some in each turn of the loop, in the order of their UUIDs. */
enum walk_kind { WALK_NONE, WALK_LOOK, WALK_UNREACHABLE };

struct walk {
    enum walk_kind kind;
    uint8_t last[VM_UUID_LEN]; /* the VM looked at last; zeros: none yet */
    struct sight *sights;      /* owned: sorted by UUID; of WALK_LOOK */
    size_t nsights;
    bool reconnected; /* the first look on this connection: what waits for libvirt goes on */
    unsigned posted;  /* events in this turn */
};

struct reconcile {
    struct loop_timer *timer; /* owned: the next sweep */
    struct loop_timer *step;  /* owned: the walk's next turn */
    bool host_ready;          /* pool, network and filter are there, on this connection */
    uint32_t connection;      /* its number; counts up when it breaks */
    int64_t up_since_ms;      /* monotonic; 0: libvirt is away */
    bool sweeping, again;     /* a list is asked for or walked over; another shall follow */
    bool keeping;             /* libvirt is taking back what is no VM's address */
    uint32_t asked_on;        /* the connection that the list was asked for on */
    bool reconnected;         /* no list has been seen on this connection */
    bool orphans_known;       /* a list has been seen since kilnd's start */
    size_t suspects;          /* absent in the last list, not yet for long enough */
    struct walk walk;
    struct orphan *orphans; /* owned: sorted by UUID */
    size_t norphans;        /* also those within the grace time, which do not count yet: */
    size_t norphans_counted;
};

/* Asks libvirt for pool, network and filter. */
void reconcile_host(struct core *core);

/* reconcile_walk.c: begins a walk in place of the one under way; owns SIGHTS. */
void walk_begin(struct core *core, enum walk_kind kind, struct sight *sights, size_t nsights);
void walk_end(struct reconcile *reconcile);
/* Its next turn, for the timer. ARG: the core. */
void walk_step(void *arg);
/* For bsearch(3), qsort(3): by the UUID that begins each. */
int walk_order(const void *a, const void *b);
/* reconcile.c: every VM was looked at. */
void reconcile_looked(struct core *core);

/* reconcile_look.c: what a sight of one VM's domain means for its record; NULL: libvirt shows none. */
void reconcile_look(struct vm_slot *slot, const struct sight *sight);
/* libvirt does not answer. */
void reconcile_look_away(struct vm_slot *slot);

/* reconcile_addresses.c: has libvirt take back the addresses that no VM has. */
void addresses_look(struct core *core);

/* reconcile_orphans.c; SIGHTS are the answer's, sorted. -ENOMEM, and then nothing has changed. */
int orphans_look(struct core *core, const struct virt_answer *answer, const struct sight *sights,
                 size_t nsights);
/* Whether an address is not known of each of them. */
bool orphans_hide_addresses(const struct reconcile *reconcile);

#endif
