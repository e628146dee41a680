/*
 * Reconcile: domains that carry Kiln's metadata and have no record (R23): reported, or reaped where the
 * configuration says so and this kilnd's identity made them. Others are never touched.
 */
#include <string.h>

#include "protocol/text.h"
#include "src/core/identity.h"
#include "src/core/reconcile_private.h"
#include "src/core/virt_ops.h"
#include "src/io/log.h"
#include "src/io/loop.h"

static struct orphan *orphan_of(struct reconcile *reconcile, const char *uuid)
{
    for (size_t i = 0; i < reconcile->norphans; i++)
        if (strcmp(reconcile->orphans[i].uuid, uuid) == 0)
            return &reconcile->orphans[i];
    if (reconcile->norphans == RECONCILE_ORPHANS)
        return NULL;
    struct orphan *orphan = &reconcile->orphans[reconcile->norphans++];
    *orphan = (struct orphan){.since_ms = loop_monotonic_ms()};
    memcpy(orphan->uuid, uuid, sizeof orphan->uuid);
    return orphan;
}

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

static void orphan_look(struct core *core, const struct virt_domain_info *domain)
{
    struct orphan *orphan = orphan_of(core->reconcile, domain->uuid);
    if (!orphan)
        return;
    orphan->seen = true;
    if (loop_monotonic_ms() - orphan->since_ms < RECONCILE_GRACE_MS)
        return;
    bool reaps = core->config.orphans == CONFIG_ORPHANS_REAP && is_ours(core, domain);
    if (!orphan->reported)
        log_warning("reconcile", "a domain with Kiln's metadata has no record",
                    "domain=%s brick=%s reaped=%s", domain->uuid, domain->brick, reaps ? "yes" : "no");
    orphan->reported = true;
    if (reaps && core->virt_ops->domain_gone(core->virt, domain->uuid, reaped, core))
        log_warning("reconcile", "a domain without a record is left: no memory", "domain=%s", domain->uuid);
}

void orphans_look(struct core *core, const struct virt_answer *answer)
{
    struct reconcile *reconcile = core->reconcile;
    size_t kept = 0;
    for (size_t i = 0; i < reconcile->norphans; i++)
        reconcile->orphans[i].seen = false;
    for (size_t i = 0; i < answer->ndomains; i++) {
        uint8_t uuid[VM_UUID_LEN];
        if (core_uuid_parse(answer->domains[i].uuid, uuid) == 0 && !index_find(&core->vms, uuid))
            orphan_look(core, &answer->domains[i]);
    }
    for (size_t i = 0; i < reconcile->norphans; i++)
        if (reconcile->orphans[i].seen)
            reconcile->orphans[kept++] = reconcile->orphans[i];
    reconcile->norphans = kept;
}
