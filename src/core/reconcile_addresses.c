/*
 * Reconcile: addresses that libvirt holds for nobody, taken back after each sweep.
 *
 * In: the records, the orphans. Out: the addresses that these have, for virt_addresses_keep. Kept: nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/network.h"
#include "src/core/reconcile_private.h"
#include "src/core/virt_ops.h"
#include "src/io/log.h"

static void kept(void *arg, const struct virt_answer *answer)
{
    struct core *core = arg;
    core->reconcile->keeping = false;
    if (answer->ntaken)
        log_warning("reconcile", "addresses that were no VM's are taken back", "addresses=%zu",
                    answer->ntaken);
    /* The next sweep tries again. */
    if (answer->error && answer->error != -ENOTCONN && answer->error != -ECANCELED)
        log_warning("reconcile", "addresses that are no VM's cannot be taken back", "words=%s",
                    answer->words);
}

void addresses_look(struct core *core)
{
    struct reconcile *reconcile = core->reconcile;
    size_t nheld = 0;
    /* A domain without a record has an address, too, and of some nothing says which. */
    if (reconcile->keeping || orphans_hide_addresses(reconcile))
        return;
    uint8_t(*held)[4] = calloc(core->vms.count + reconcile->norphans + 1, sizeof *held);
    for (size_t i = 0; held && i < core->vms.count; i++) {
        const struct vm_slot *slot = core->vms.items[i];
        if (network_has_address(&slot->vm))
            memcpy(held[nheld++], slot->vm.ipv4, sizeof slot->vm.ipv4);
    }
    for (size_t i = 0; held && i < reconcile->norphans; i++)
        memcpy(held[nheld++], reconcile->orphans[i].ipv4, sizeof reconcile->orphans[i].ipv4);
    reconcile->keeping = held && !core->virt_ops->addresses_keep(core->virt, held, nheld, kept, core);
    if (!reconcile->keeping)
        log_warning("reconcile", "addresses are not looked at: no memory", "vms=%zu", core->vms.count);
}
