/*
 * Reconcile: see reconcile.h. reconcile_look.c decides what one sight of one domain means.
 */
#include "src/core/reconcile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/machine.h"
#include "src/core/object.h"
#include "src/core/perform.h"
#include "src/core/reconcile_private.h"
#include "src/core/virt_ops.h"
#include "src/io/log.h"
#include "src/io/loop.h"

enum {
    SWEEP_EVERY_MS = 30 * 1000,
    FIRST_LOOK_MS = 3 * 1000 /* a libvirt that is not there by then is called away */
};

/* ---- sweeps ---- */

static int sights_take(const struct virt_answer *answer, struct sight **ret_sights, size_t *ret_count)
{
    struct sight *sights = calloc(answer->ndomains + 1, sizeof *sights);
    size_t count = 0;
    bool sorted = true;
    if (!sights)
        return -ENOMEM;
    for (size_t i = 0; i < answer->ndomains; i++) {
        const struct virt_domain_info *domain = &answer->domains[i];
        sights[count] =
            (struct sight){.state = domain->state, .pid = domain->pid, .boot = domain->boot, .listed_at = i};
        if (core_uuid_parse(domain->uuid, sights[count].uuid))
            continue;
        sorted = sorted && (count == 0 || walk_order(&sights[count - 1], &sights[count]) <= 0);
        count++;
    }
    if (!sorted)
        qsort(sights, count, sizeof *sights, walk_order);
    *ret_sights = sights;
    *ret_count = count;
    return 0;
}

static void list_failed(const struct virt_answer *answer)
{
    /* When the connection is lost, its return sweeps again. */
    if (answer->error != -ENOTCONN && answer->error != -ECANCELED)
        log_warning("reconcile", "cannot list libvirt's domains", "words=%s", answer->words);
}

static void listed(void *arg, const struct virt_answer *answer)
{
    struct core *core = arg;
    struct reconcile *reconcile = core->reconcile;
    struct sight *sights = NULL;
    size_t count;
    reconcile->sweeping = false;
    if (answer->error) {
        list_failed(answer);
        return;
    }
    /* What was seen on a lost connection says nothing on the next. */
    if (reconcile->asked_on != reconcile->connection || !reconcile->host_ready) {
        reconcile_sweep(core);
        return;
    }
    if (sights_take(answer, &sights, &count) || orphans_look(core, answer, sights, count)) {
        free(sights);
        log_error("reconcile", "cannot look at libvirt's domains: no memory", "domains=%zu",
                  answer->ndomains);
        return;
    }
    reconcile->sweeping = true;
    reconcile->suspects = 0;
    perform_wake(core);
    walk_begin(core, WALK_LOOK, sights, count);
}

void reconcile_looked(struct core *core)
{
    struct reconcile *reconcile = core->reconcile;
    if (reconcile->reconnected)
        log_info("reconcile", "every VM is compared with its domain", "vms=%zu recovering=%zu",
                 core->vms.count, core->recovering);
    reconcile->sweeping = false;
    reconcile->reconnected = false;
    addresses_look(core);
    if (reconcile->again)
        reconcile_sweep(core);
    else if (reconcile->suspects)
        loop_timer_arm(reconcile->timer, RECONCILE_CONFIRM_MS + 100);
}

void reconcile_sweep(struct core *core)
{
    struct reconcile *reconcile = core->reconcile;
    loop_timer_arm(reconcile->timer, SWEEP_EVERY_MS);
    if (!reconcile->host_ready || !core->virt_ops->is_connected(core->virt))
        return;
    reconcile->again = reconcile->sweeping;
    if (reconcile->sweeping)
        return;
    reconcile->asked_on = reconcile->connection;
    if (core->virt_ops->domain_list(core->virt, listed, core) == 0)
        reconcile->sweeping = true;
}

static void records_unreachable(struct core *core)
{
    /* A walk in place of another's never ends the other's sweep. */
    if (core->reconcile->walk.kind == WALK_LOOK)
        core->reconcile->sweeping = false;
    walk_begin(core, WALK_UNREACHABLE, NULL, 0);
}

static void sweep_due(void *arg)
{
    struct core *core = arg;
    struct reconcile *reconcile = core->reconcile;
    if (!core->virt_ops->is_connected(core->virt))
        records_unreachable(core);
    else if (!reconcile->host_ready)
        reconcile_host(core);
    reconcile_sweep(core);
}

/* ---- the connection ---- */

static void host_ensured(void *arg, const struct virt_answer *answer)
{
    struct core *core = arg;
    if (answer->error) {
        log_error("reconcile", "pool, network or filter cannot be made, is tried again", "words=%s",
                  answer->words);
        loop_timer_arm(core->reconcile->timer, RECONCILE_HOST_AGAIN_MS);
        return;
    }
    core->reconcile->host_ready = true;
    log_info("reconcile", "libvirt is there", "pool=%s network=%s", core->config.pool,
             core->config.network.name);
    reconcile_sweep(core);
    drive_resume(core);
    perform_wake(core);
}

void reconcile_host(struct core *core)
{
    if (core->virt_ops->ensure_host(core->virt, host_ensured, core))
        loop_timer_arm(core->reconcile->timer, RECONCILE_HOST_AGAIN_MS);
}

static void connection_back(struct core *core)
{
    core->reconcile->connection++;
    core->reconcile->up_since_ms = loop_monotonic_ms();
    core->reconcile->reconnected = true;
    core->reconcile->host_ready = false;
    reconcile_host(core);
}

static void connection_lost(struct core *core)
{
    log_warning("reconcile", "libvirt is away: nothing changes until it is back", "uri=%s",
                core->config.libvirt_uri);
    core->reconcile->connection++;
    core->reconcile->up_since_ms = 0;
    core->reconcile->host_ready = false;
    records_unreachable(core);
}

/* ---- events ---- */

static void stopped(struct core *core, struct vm_slot *slot, const struct virt_event *event)
{
    if (slot->vm.head.state == VM_DESTROYED)
        perform_guest_ended(slot);
    /* A start that is under way answers itself; the end of an ended VM is asked for and answered. */
    bool expected = perform_domain_stopped(slot) || slot->vm.head.state == VM_DESTROYED;
    if (!expected)
        machine_post_trouble(core, slot->vm.uuid, VM_ON_DOMAIN_GONE, CODE_DOMAIN_GONE, event->words, NULL);
}

static void domain_event(struct core *core, const struct virt_event *event)
{
    uint8_t uuid[VM_UUID_LEN];
    struct vm_slot *slot = core_uuid_parse(event->uuid, uuid) ? NULL : index_find(&core->vms, uuid);
    if (!slot)
        return;
    log_debug("reconcile", "libvirt tells", "vm=%s event=%s words=%s", slot->vm.name,
              virt_event_name(event->kind), event->words);
    switch (event->kind) {
    case VIRT_EVENT_STOPPED:
    case VIRT_EVENT_CRASHED:
        stopped(core, slot, event);
        return;
    case VIRT_EVENT_PAUSED:
        if (!perform_is_booting(slot))
            machine_post_trouble(core, uuid, VM_ON_DOMAIN_PAUSED, CODE_NONE, event->words, NULL);
        return;
    case VIRT_EVENT_RESUMED:
        if (slot->vm.paused)
            machine_post_kind(core, uuid, VM_ON_DOMAIN_RESUMED);
        return;
    /* A guest that reboots is the same guest, and its domain the same domain. */
    case VIRT_EVENT_REBOOTED:
        log_info("reconcile", "the guest rebooted", "vm=%s", slot->vm.name);
        return;
    default:
        return;
    }
}

void reconcile_event(void *arg, const struct virt_event *event)
{
    struct core *core = arg;
    switch (event->kind) {
    case VIRT_EVENT_LOST:
        connection_lost(core);
        return;
    case VIRT_EVENT_BACK:
        connection_back(core);
        return;
    default:
        domain_event(core, event);
        return;
    }
}

int reconcile_create(struct core *core)
{
    struct reconcile *reconcile = calloc(1, sizeof *reconcile);
    if (!reconcile)
        return -ENOMEM;
    core->reconcile = reconcile;
    int rc = loop_timer_create(core->loop, sweep_due, core, &reconcile->timer);
    return rc ? rc : loop_timer_create(core->loop, walk_step, core, &reconcile->step);
}

void reconcile_begin(struct core *core)
{
    loop_timer_arm(core->reconcile->timer, FIRST_LOOK_MS);
}

void reconcile_destroy(struct core *core)
{
    if (!core->reconcile)
        return;
    if (core->reconcile->step) {
        walk_end(core->reconcile);
        loop_timer_destroy(core->reconcile->step);
    }
    if (core->reconcile->timer)
        loop_timer_destroy(core->reconcile->timer);
    free(core->reconcile->orphans);
    free(core->reconcile);
    core->reconcile = NULL;
}
