/*
 * Reconcile: domains that carry Kiln's metadata and have no record (R23): reported, or reaped where the
 * configuration says so and this kilnd's identity made them. Others are never touched.
 */
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

/* Those of the list that have no record, in ORPHANS; treats those that are due. */
static size_t orphans_find(struct core *core, const struct virt_answer *answer, const struct sight *sights,
                           size_t nsights, struct orphan *orphans)
{
    int64_t now_ms = loop_monotonic_ms(), grace_ms = core->config.orphan_grace_s * INT64_C(1000);
    size_t count = 0, at = 0;
    for (size_t i = 0; i < nsights; i++) {
        if (has_record(core, sights[i].uuid, &at))
            continue;
        orphans[count] = orphan_of(core->reconcile, sights[i].uuid, now_ms);
        if (now_ms - orphans[count].since_ms >= grace_ms)
            orphan_treat(core, &orphans[count], &answer->domains[sights[i].listed_at]);
        count++;
    }
    return count;
}

void orphans_look(struct core *core, const struct virt_answer *answer, const struct sight *sights,
                  size_t nsights)
{
    struct reconcile *reconcile = core->reconcile;
    struct orphan *orphans = calloc(nsights + 1, sizeof *orphans);
    /* The next sweep looks again. */
    if (!orphans)
        return;
    reconcile->norphans_counted = 0;
    size_t count = orphans_find(core, answer, sights, nsights, orphans);
    free(reconcile->orphans);
    reconcile->orphans = orphans;
    reconcile->norphans = count;
}

size_t reconcile_orphans(const struct core *core)
{
    return core->reconcile->norphans_counted;
}
