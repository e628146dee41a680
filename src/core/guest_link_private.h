/*
 * Inside of the guests' links, for guest_*.c only.
 */
#ifndef KILN_CORE_GUEST_LINK_PRIVATE_H
#define KILN_CORE_GUEST_LINK_PRIVATE_H

#include "protocol/link.h"
#include "src/core/guest_link.h"
#include "src/io/rpc.h"

struct json_writer;

enum { GUEST_CHANNELS_MAX = 8 };

enum guest_link_stage {
    GUEST_LINK_OPEN,  /* the guest's nonce is awaited */
    GUEST_LINK_KEYED, /* its first good record is */
    GUEST_LINK_PROVED /* it is the VM's */
};

struct guest_link {
    struct guest_links *links; /* borrowed */
    uint64_t number;           /* the edge's */
    uint64_t serial;           /* ours: never given twice */
    uint8_t uuid[VM_UUID_LEN];
    enum guest_link_stage stage;
    bool replaced; /* a newer one is the VM's */
    bool ended;    /* taken out, freed soon */
    struct link_session session;
    struct rpc_peer *peer;      /* owned, once proved */
    struct loop_timer *silence; /* owned */
    /* Authenticated channels as the guest named them on this link; `settled`: it has named all. */
    uint64_t channels[GUEST_CHANNELS_MAX];
    uint32_t nchannels;
    bool settled;
    int64_t window_ms; /* since when `events` are counted */
    unsigned events;
    unsigned owed; /* reports that are not yet durable */
    struct guest_link *next;
};

struct guest_links {
    struct verbs *verbs;      /* borrowed */
    struct guest_link *list;  /* owned, newest first */
    struct guest_link *ended; /* owned: freed in a later turn */
    struct loop_timer *reap;  /* owned */
    size_t count;
    uint64_t last_serial;
};

/* What a guest may say, for the peer of a proved link. */
extern const struct rpc_method guest_report_methods[];

/* Closes the link; WHY goes to the log. */
void guest_link_end(struct guest_link *link, const char *why);
/* The VM's link, or NULL. */
struct guest_link *guest_link_find(const struct guest_links *links, const uint8_t *uuid);
/* Sends PARAMS and finishes the writer. */
void guest_link_notify(struct guest_link *link, const char *method, struct json_writer *params);

#endif
