/*
 * A libvirt for src/core: the calls of virt_ops.h, queued as src/core/worker.c queues them, carried out on
 * the hypervisor after a while, answered after another. It lies by delay: what it answers was true when it
 * looked.
 *
 * In: calls of kilnd; orders of the life (away, slow, failures). Out: answers, lifecycle events. Kept: calls
 * under way, also those of a kilnd that has died: libvirtd carries out what reached it.
 */
#ifndef KILN_TESTS_SIM_FALSE_VIRT_H
#define KILN_TESTS_SIM_FALSE_VIRT_H

#include "src/core/virt_ops.h"
#include "states/vm.h"

#define VIRT_CALLS(X)                                                                                        \
    X(HOST, "host", 100)                                                                                     \
    X(OVERLAY, "volume", 300)                                                                                \
    X(OVERLAY_GONE, "volume-gone", 100)                                                                      \
    X(DRIVE, "drive", 200)                                                                                   \
    X(DRIVE_GONE, "drive-gone", 100)                                                                         \
    X(HASH, "hash", 500)                                                                                     \
    X(ADDRESS, "address", 60)                                                                                \
    X(ADDRESS_GONE, "address-gone", 60)                                                                      \
    X(ADDRESSES_KEEP, "addresses-keep", 60)                                                                  \
    X(DOMAIN, "start", 2500)                                                                                 \
    X(DOMAIN_GONE, "domain-gone", 600)                                                                       \
    X(LIST, "list", 30)                                                                                      \
    X(ATTACH, "attach", 400)                                                                                 \
    X(CONSOLE, "console", 30)

enum virt_call {
#define X(upper, text, typical_ms) VIRT_CALL_##upper,
    VIRT_CALLS(X)
#undef X
        VIRT_CALL_COUNT
};

extern const struct virt_ops false_virt_ops;

/* Ways in which the false libvirt, the disk and the loop break claims on purpose, so that each is seen to
 * fail. */
#define VIRT_LIES(X)                                                                                         \
    X(NONE, "none")                                                                                          \
    X(TWO_DOMAINS, "two-domains")     /* a VM is started a second time beside the first */                   \
    X(LIVES_ON, "lives-on")           /* a domain that it says is gone runs on, unseen in lists */           \
    X(TWO_WRITERS, "two-writers")     /* a drive goes to another VM as well */                               \
    X(EARLY_DRIVE, "early-drive")     /* a domain starts with its drives */                                  \
    X(VOLUME_STAYS, "volume-stays")   /* a volume that it says is gone is there */                           \
    X(NEVER_ANSWERS, "never-answers") /* an attachment is never answered */                                  \
    X(DEAF, "deaf")                   /* a domain that is to end does not, and says that it is busy */       \
    X(SAME_ADDRESS, "same-address")   /* every domain has the address of the first */                        \
    X(LATE_TIMERS, "late-timers")     /* kilnd's timers are ten times late */                                \
    X(BENT_AUDIT, "bent-audit")       /* the disk changes a byte of an audit entry */                        \
    X(UNAUDITED, "unaudited")         /* the disk takes no entry of the audit */                             \
    X(LOST_HISTORY, "lost-history")   /* the disk loses an entry of the history now and then */              \
    X(KEEPS_RECORDS, "keeps-records") /* the disk deletes no VM */

enum virt_lie {
#define X(upper, text) VIRT_LIE_##upper,
    VIRT_LIES(X)
#undef X
        VIRT_LIE_COUNT
};

void false_virt_begin(enum virt_lie lie);
void false_virt_end(void);
enum virt_lie false_virt_lie(void);
const char *false_virt_call_name(enum virt_call call);
const char *false_virt_lie_name(enum virt_lie lie);

/* kilnd has started, and connects; it has died, and nobody waits for its answers. */
void false_virt_host_started(void);
void false_virt_host_ended(void);

/* libvirtd is away for FOR_US; everything takes long for FOR_US; the next COUNT calls of a kind about a VM
 * fail (about any, with ID NULL). */
void false_virt_away(int64_t for_us);
void false_virt_slow(int64_t for_us);
void false_virt_fail(enum virt_call call, const uint8_t *id, unsigned count);
/* Ends what was ordered above. */
void false_virt_heal(void);
/* Reachable, quick and without failures to come, and kilnd is connected. */
bool false_virt_is_well(void);

/* From the hypervisor: what befell a domain; a line on its console. */
void false_virt_tell(enum virt_event_kind kind, const uint8_t id[VM_UUID_LEN], const char *words);
void false_virt_line(const uint8_t id[VM_UUID_LEN], const char *line);

#endif
