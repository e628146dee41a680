/*
 * Reconcile: domains that carry Kiln's metadata and have no record (R23): reported, or reaped where the
 * configuration says so and this kilnd's identity made them. Others are never touched.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/text.h"
#include "src/core/identity.h"
#include "src/core/reconcile_private.h"
#include "src/core/virt_ops.h"
#include "src/io/log.h"
#include "src/io/loop.h"

static void reaped(void *arg, const struct virt_answer *answer)
{
    (void)arg;
    if (answer->error)
        log_warning("reconcile", "a domain without a record cannot be ended, is tried again", "words=%s",
                    answer->words);
}

static bool is_ours(const struct core *core, const struct virt_domain_info *domain)
{
    char ours[VIRT_HASH_BYTES];
    hex_encode(identity_fingerprint(core->identity), IDENTITY_HASH_LEN, ours);
    return strcmp(domain->host_identity, ours) == 0;
}

/* One that has been seen for long enough. */
static void orphan_treat(struct core *core, struct orphan *orphan, const struct virt_domain_info *domain)
{
    bool reaps = core->config.orphans == CONFIG_ORPHANS_REAP && is_ours(core, domain);
    core->reconcile->norphans_counted++;
    if (!orphan->reported)
        log_warning("reconcile", "a domain with Kiln's metadata has no record",
                    "domain=%s brick=%s reaped=%s", domain->uuid, domain->brick, reaps ? "yes" : "no");
    orphan->reported = true;
    if (reaps && core->virt_ops->domain_gone(core->virt, domain->uuid, reaped, core))
        log_warning("reconcile", "a domain without a record is left: no memory", "domain=%s", domain->uuid);
}

static struct orphan orphan_of(const struct reconcile *reconcile, const uint8_t uuid[static VM_UUID_LEN],
                               int64_t now_ms)
{
    const struct orphan *known = reconcile->norphans ? bsearch(uuid, reconcile->orphans, reconcile->norphans,
                                                               sizeof *reconcile->orphans, walk_order)
                                                     : NULL;
    struct orphan orphan = {.since_ms = now_ms};
    memcpy(orphan.uuid, uuid, sizeof orphan.uuid);
    return known ? *known : orphan;
}

/* Whether a VM has the UUID. AT goes with the UUIDs that are asked for, in their order, through all VMs. */
static bool has_record(const struct core *core, const uint8_t uuid[static VM_UUID_LEN], size_t *at)
{
    for (; *at < core->vms.count; ++*at) {
        const struct vm_slot *slot = core->vms.items[*at];
        int order = memcmp(slot->vm.uuid, uuid, VM_UUID_LEN);
        if (order >= 0)
            return order == 0;
    }
    return false;
}

/* What the list says of one: of one that libvirt has lost it has no metadata, and what was known stays. */
static void orphan_learn(struct orphan *orphan, const struct virt_domain_info *domain)
{
    uint8_t ipv4[4];
    orphan->pid = domain->pid;
    if (inet_pton(AF_INET, domain->address, ipv4) == 1)
        memcpy(orphan->ipv4, ipv4, sizeof ipv4);
}

/* Those of the list that have no record, in ORPHANS; treats those that are due. */
static size_t orphans_find(struct core *core, const struct virt_answer *answer, const struct sight *sights,
                           size_t nsights, struct orphan *orphans)
{
    int64_t now_ms = loop_monotonic_ms(), grace_ms = core->config.orphan_grace_s * INT64_C(1000);
    size_t count = 0, at = 0;
    for (size_t i = 0; i < nsights; i++) {
        const struct virt_domain_info *domain = &answer->domains[sights[i].listed_at];
        if (has_record(core, sights[i].uuid, &at))
            continue;
        orphans[count] = orphan_of(core->reconcile, sights[i].uuid, now_ms);
        orphan_learn(&orphans[count], domain);
        if (now_ms - orphans[count].since_ms >= grace_ms)
            orphan_treat(core, &orphans[count], domain);
        count++;
    }
    return count;
}

/* A libvirt that has just come may not yet know all its domains: those of before stay. */
static size_t orphans_keep(const struct reconcile *reconcile, struct orphan *orphans, size_t count)
{
    size_t listed = count;
    if (loop_monotonic_ms() - reconcile->up_since_ms >= RECONCILE_UP_MS)
        return count;
    for (size_t i = 0; i < reconcile->norphans; i++)
        if (!bsearch(reconcile->orphans[i].uuid, orphans, listed, sizeof *orphans, walk_order))
            orphans[count++] = reconcile->orphans[i];
    qsort(orphans, count, sizeof *orphans, walk_order);
    return count;
}

/* A VM is not given what one of them has. */
static void addresses_hold(struct network *network, const struct reconcile *before, struct orphan *orphans,
                           size_t count)
{
    for (size_t i = 0; i < before->norphans; i++)
        network_release(network, before->orphans[i].ipv4);
    for (size_t i = 0; i < count; i++)
        if (network_hold(network, orphans[i].ipv4)) {
            log_warning("reconcile", "the address of a domain without a record is not held: no memory",
                        "domains=%zu", count);
            memset(orphans[i].ipv4, 0, sizeof orphans[i].ipv4);
        }
}

int orphans_look(struct core *core, const struct virt_answer *answer, const struct sight *sights,
                 size_t nsights)
{
    struct reconcile *reconcile = core->reconcile;
    struct orphan *orphans = calloc(nsights + reconcile->norphans + 1, sizeof *orphans);
    if (!orphans)
        return -ENOMEM;
    reconcile->norphans_counted = 0;
    size_t count = orphans_find(core, answer, sights, nsights, orphans);
    count = orphans_keep(reconcile, orphans, count);
    addresses_hold(&core->network, reconcile, orphans, count);
    free(reconcile->orphans);
    reconcile->orphans = orphans;
    reconcile->norphans = count;
    reconcile->orphans_known = true;
    return 0;
}

/* ---- questions ---- */

static const struct orphan *orphan_at(const struct reconcile *reconcile, const uint8_t ipv4[static 4])
{
    for (size_t i = 0; i < reconcile->norphans; i++)
        if (memcmp(reconcile->orphans[i].ipv4, ipv4, sizeof reconcile->orphans[i].ipv4) == 0)
            return &reconcile->orphans[i];
    return NULL;
}

bool orphans_hide_addresses(const struct reconcile *reconcile)
{
    static const uint8_t none[4];
    return orphan_at(reconcile, none);
}

bool reconcile_knows_orphans(const struct core *core)
{
    return core->reconcile->orphans_known;
}

void reconcile_sharer(const struct core *core, const uint8_t ipv4[static 4], char *ret_words, size_t size)
{
    const struct orphan *orphan = orphan_at(core->reconcile, ipv4);
    char uuid[VIRT_UUID_BYTES];
    if (!orphan) {
        snprintf(ret_words, size, "its address, which another VM has too");
        return;
    }
    core_uuid_text(orphan->uuid, uuid);
    if (orphan->pid)
        snprintf(ret_words, size,
                 "the end of QEMU process %d of domain kiln-%s, which has its address and no record: "
                 "an operator ends it as root (kill %d)",
                 orphan->pid, uuid, orphan->pid);
    else
        snprintf(ret_words, size,
                 "the end of domain kiln-%s, which has its address and no record: an operator ends it "
                 "(virsh destroy), or destroy this VM and order another",
                 uuid);
}

size_t reconcile_orphans(const struct core *core)
{
    return core->reconcile->norphans_counted;
}
