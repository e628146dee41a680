/*
 * Links of guests: records over the edge, checked before they are read (protocol/README 4.4, 6.4).
 *
 * In: what the edge passes on of WebSockets that claim to be a VM's. Out: events of machines; messages to
 * guests. Kept: links, each with its key and counters.
 *
 * A link is the VM's only after its first good record, and only the newest such link is: the one before it is
 * closed. A wrong record, or an event that the VM's machine refuses, closes the link.
 */
#ifndef KILN_CORE_GUEST_LINK_H
#define KILN_CORE_GUEST_LINK_H

#include "src/core/verbs.h"

struct guest_links;

enum {
    GUEST_LINKS_PER_VM_MAX = 4, /* open at once; the oldest that proved nothing makes room */
    GUEST_LINKS_MAX = 4096,
    GUEST_HEARTBEAT_S = 10,       /* what guests are asked for */
    GUEST_SILENCE_MS = 60 * 1000, /* a link that says nothing for so long is closed */
    GUEST_EVENTS_MAX = 600,       /* of one link in GUEST_EVENTS_PER_MS: each is a commit to disk */
    GUEST_EVENTS_PER_MS = 60 * 1000,
    GUEST_EVENTS_OWED_MAX = 128 /* of one link that wait for the disk; more closes it */
};

/* VERBS is borrowed. 0 or -ENOMEM. */
int guest_links_create(struct verbs *verbs, struct guest_links **ret_links);
void guest_links_destroy(struct guest_links *links);

/* From the edge. LINK is its number; a link that is unknown is answered with link.close. */
void guest_link_open(struct guest_links *links, uint64_t link, const uint8_t uuid[VM_UUID_LEN]);
void guest_link_data(struct guest_links *links, uint64_t link, const void *record, size_t len_bytes);
void guest_link_close(struct guest_links *links, uint64_t link);
/* The edge is gone, and every link with it. */
void guest_links_drop(struct guest_links *links);

/* Ports of core. What needs a link that is not there is asked again when there is one. */
void guest_links_assign(struct guest_links *links, const struct vm *vm);
void guest_links_tell_drives(struct guest_links *links, const struct vm *vm);
void guest_links_shutdown(struct guest_links *links, const struct vm *vm);
/* Tells every guest that a newer release may be there. */
void guest_links_announce_update(struct guest_links *links);

#endif
