/*
 * Perform: starting domains, a limited number at a time.
 *
 * In: ENSURE_NETWORK and ENSURE_DOMAIN. Out: DOMAIN_UP or DOMAIN_FAILED. Kept: the queue of those that wait.
 * A boot takes a place from its start until its guest registers, or RISE_MS after its domain is up: a guest
 * that never speaks shall not hold up the others.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/crypto.h"
#include "src/core/deadline.h"
#include "src/core/file.h"
#include "src/core/identity.h"
#include "src/core/machine.h"
#include "src/core/network.h"
#include "src/core/perform_private.h"
#include "src/core/reconcile.h"
#include "src/core/virt_ops.h"
#include "src/io/log.h"
#include "src/io/loop.h"

enum { RISE_MS = 60 * 1000 };

/* ---- the queue ---- */

static void queue_remove(struct vm_slot *slot)
{
    struct perform *perform = slot->core->perform;
    struct vm_slot **at = &perform->queue_first;
    while (*at && *at != slot)
        at = &(*at)->perform->queue_next;
    if (!*at)
        return;
    *at = slot->perform->queue_next;
    if (!*at)
        perform->queue_last = at;
    perform->waiting--;
}

static void phase_set(struct vm_slot *slot, enum boot_phase phase)
{
    struct perform *all = slot->core->perform;
    struct perform_vm *perform = slot->perform;
    bool had_place = perform->boot == BOOT_STARTS || perform->boot == BOOT_RISES;
    bool has_place = phase == BOOT_STARTS || phase == BOOT_RISES;
    if (perform->boot == BOOT_WAITS)
        queue_remove(slot);
    if (had_place != has_place)
        all->rising += has_place ? 1 : (size_t)-1;
    if (phase == BOOT_WAITS) {
        perform->queue_next = NULL;
        *all->queue_last = slot;
        all->queue_last = &perform->queue_next;
        all->waiting++;
    }
    if (phase == BOOT_RISES)
        loop_timer_arm(perform->rise, RISE_MS);
    else
        loop_timer_disarm(perform->rise);
    perform->boot = phase;
}

/* A start is over without a domain. */
static void boot_failed(struct vm_slot *slot, const char *words)
{
    phase_set(slot, BOOT_NONE);
    machine_post_trouble(slot->core, slot->vm.uuid, VM_ON_DOMAIN_FAILED, CODE_DOMAIN_FAILED, words, NULL);
    perform_wake(slot->core);
}

static void rise_due(void *arg)
{
    struct vm_slot *slot = arg;
    phase_set(slot, BOOT_NONE);
    perform_wake(slot->core);
}

void perform_boot_recovered(struct vm_slot *slot)
{
    int64_t up_ms = loop_wall_ms() - slot->vm.head.entered_at_ms;
    if (slot->vm.head.state == VM_BOOTED && slot->perform->boot == BOOT_NONE && up_ms >= 0 && up_ms < RISE_MS)
        phase_set(slot, BOOT_RISES);
}

int perform_boot_init(struct vm_slot *slot)
{
    return loop_timer_create(slot->core->loop, rise_due, slot, &slot->perform->rise);
}

void perform_boot_finish(struct vm_slot *slot)
{
    if (!slot->perform->rise)
        return;
    phase_set(slot, BOOT_NONE);
    loop_timer_destroy(slot->perform->rise);
}

void perform_boot_follow(struct vm_slot *slot)
{
    int state = slot->vm.head.state;
    /* libvirt showed its domain before the start that was asked for once more had its turn or its answer. */
    if (state == VM_BOOTED && perform_is_booting(slot))
        phase_set(slot, BOOT_RISES);
    if (slot->perform->boot == BOOT_NONE || state == VM_IMAGE_CREATED || state == VM_BOOTED)
        return;
    phase_set(slot, BOOT_NONE);
    perform_wake(slot->core);
}

/* ---- the address ---- */

static void network_answered(void *arg, const struct virt_answer *answer)
{
    char words[VM_DETAIL_LEN];
    struct vm_slot *slot = perform_ask_end(arg);
    if (!slot)
        return;
    slot->perform->network = answer->error ? NETWORK_UNKNOWN : NETWORK_READY;
    if (slot->vm.head.state == VM_DESTROYED &&
        !perform_undone(slot, VM_FX_ENSURE_NETWORK_FREE, answer->error))
        perform_network_free(slot);
    if (slot->vm.head.state != VM_IMAGE_CREATED || perform_undone(slot, VM_FX_ENSURE_NETWORK, answer->error))
        return;
    if (answer->error) {
        snprintf(words, sizeof words, "its address: %s", answer->words);
        boot_failed(slot, words);
    } else {
        perform_wake(slot->core);
    }
}

void perform_network(struct vm_slot *slot)
{
    struct virt_vm_spec spec;
    struct perform_vm *perform = slot->perform;
    if (perform->network == NETWORK_ASKED || perform->boot == BOOT_STARTS)
        return;
    struct perform_ask *ask = perform_ask_create(slot, VM_FX_ENSURE_NETWORK);
    /* An edge that was not yet seen does not matter for the address; a brick that is gone shows at the
     * start. */
    perform_spec(slot, &spec);
    int rc =
        ask ? slot->core->virt_ops->ensure_address(slot->core->virt, &spec, network_answered, ask) : -ENOMEM;
    if (!rc) {
        perform->network = NETWORK_ASKED;
        return;
    }
    free(ask);
    boot_failed(slot, strerror(-rc));
}

/* ---- the domain ---- */

/* The domain that did not start well, or ended while it did, leaves nothing behind before the next try. */
static void cleaned(void *arg, const struct virt_answer *answer)
{
    struct perform_ask *ask = arg;
    char words[VM_DETAIL_LEN];
    uint32_t boot_number = ask->boot_number;
    memcpy(words, ask->words, sizeof words);
    struct vm_slot *slot = perform_ask_end(ask);
    if (!slot || slot->perform->boot != BOOT_STARTS || slot->perform->boot_number != boot_number)
        return;
    if (perform_undone(slot, VM_FX_ENSURE_DOMAIN, answer->error))
        phase_set(slot, BOOT_NONE);
    else
        boot_failed(slot, words);
}

static void clean(struct vm_slot *slot, const char *words)
{
    char uuid[VIRT_UUID_BYTES];
    struct perform_ask *ask = perform_ask_create(slot, VM_FX_ENSURE_DOMAIN);
    core_uuid_text(slot->vm.uuid, uuid);
    if (ask)
        fsm_text_keep(ask->words, sizeof ask->words, words);
    if (!ask || slot->core->virt_ops->domain_gone(slot->core->virt, uuid, cleaned, ask)) {
        free(ask);
        boot_failed(slot, words);
    }
}

static void domain_answered(void *arg, const struct virt_answer *answer)
{
    uint32_t boot_number = ((struct perform_ask *)arg)->boot_number;
    struct vm_slot *slot = perform_ask_end(arg);
    if (!slot || slot->perform->boot != BOOT_STARTS || slot->perform->boot_number != boot_number)
        return;
    if (perform_undone(slot, VM_FX_ENSURE_DOMAIN, answer->error)) {
        phase_set(slot, BOOT_NONE);
        perform_wake(slot->core);
    } else if (answer->error) {
        clean(slot, answer->words);
    } else if (slot->perform->stopped) {
        clean(slot, "it ended while it started");
    } else {
        phase_set(slot, BOOT_RISES);
        machine_post_kind(slot->core, slot->vm.uuid, VM_ON_DOMAIN_UP);
    }
}

static int boot_file_write(const struct vm_slot *slot)
{
    char path[PATH_MAX];
    uint8_t secret[IDENTITY_SECRET_LEN];
    perform_boot_path(slot->core, slot->vm.uuid, path, sizeof path);
    int rc = identity_boot_secret(slot->core->identity, slot->vm.uuid, slot->vm.boot_number, secret);
    /* libvirt gives it to QEMU's user; until then nobody else may read it. */
    if (!rc)
        rc = file_write(path, 0640, secret, sizeof secret);
    crypto_wipe(secret, sizeof secret);
    return rc;
}

void perform_boot_file_gone(struct vm_slot *slot)
{
    char path[PATH_MAX];
    perform_boot_path(slot->core, slot->vm.uuid, path, sizeof path);
    if (unlink(path) < 0 && errno != ENOENT)
        log_warning("vm", "the boot secret's file cannot be removed", "path=%s error=%s", path,
                    strerror(errno));
}

/* libvirt was given this boot's number before, and what became of it was never known: the domain may have
 * run and ended, and its secret serves once. */
static bool is_spent(struct vm_slot *slot)
{
    const struct vm_event nothing_seen = {.head = {.on = VM_ON_RECOVERED}};
    if (slot->perform->boot_number != slot->vm.boot_number)
        return false;
    phase_set(slot, BOOT_NONE);
    machine_post(slot->core, slot->vm.uuid, &nothing_seen, CORE_ACTOR_SELF, NULL, NULL);
    return true;
}

static void start(struct vm_slot *slot)
{
    struct virt_vm_spec spec;
    char words[VM_DETAIL_LEN];
    if (is_spent(slot))
        return;
    phase_set(slot, BOOT_STARTS);
    slot->perform->boot_number = slot->vm.boot_number;
    slot->perform->stopped = false;
    deadline_arm_anew(slot);

    int rc = perform_spec(slot, &spec);
    if (!rc)
        rc = boot_file_write(slot);
    struct perform_ask *ask = rc ? NULL : perform_ask_create(slot, VM_FX_ENSURE_DOMAIN);
    if (!rc)
        rc = ask ? slot->core->virt_ops->ensure_domain(slot->core->virt, &spec, domain_answered, ask)
                 : -ENOMEM;
    if (rc) {
        free(ask);
        snprintf(words, sizeof words, "before its start: %s", strerror(-rc));
        boot_failed(slot, words);
        return;
    }
    /* Queued behind the start, so that the first lines are not missed. */
    perform_console(slot);
}

void perform_domain(struct vm_slot *slot)
{
    struct perform_vm *perform = slot->perform;
    bool same = perform->boot_number == slot->vm.boot_number;
    if (perform->boot == BOOT_WAITS || perform->boot == BOOT_STARTS || (perform->boot == BOOT_RISES && same))
        return;
    phase_set(slot, BOOT_WAITS);
    perform_wake(slot->core);
}

/* An orphan may run with its address: two of one address would take each other's traffic. */
static bool is_shared(const struct vm_slot *slot)
{
    return network_is_shared(&slot->core->network, slot->vm.ipv4);
}

static struct vm_slot *next_start(const struct perform *all)
{
    struct vm_slot *slot = all->queue_first;
    while (slot && (slot->perform->network != NETWORK_READY || is_shared(slot)))
        slot = slot->perform->queue_next;
    return slot;
}

void perform_wake(struct core *core)
{
    struct vm_slot *slot;
    size_t places = core->config.max_boots ? core->config.max_boots : 1;
    while (core->edge_certificate_known && reconcile_knows_orphans(core) && core->perform->rising < places &&
           core->virt_ops->is_connected(core->virt) && (slot = next_start(core->perform)))
        start(slot);
}

/* ---- questions ---- */

bool perform_holds_deadline(const struct vm_slot *slot)
{
    return slot->perform->boot == BOOT_WAITS;
}

bool perform_is_booting(const struct vm_slot *slot)
{
    return slot->perform->boot == BOOT_WAITS || slot->perform->boot == BOOT_STARTS;
}

bool perform_domain_stopped(struct vm_slot *slot)
{
    if (slot->perform->boot == BOOT_STARTS)
        slot->perform->stopped = true;
    return perform_is_booting(slot);
}

size_t perform_boots_waiting(const struct core *core)
{
    return core->perform->waiting;
}

size_t perform_boot_position(const struct vm_slot *slot)
{
    size_t position = 1;
    if (slot->perform->boot != BOOT_WAITS)
        return 0;
    for (const struct vm_slot *at = slot->core->perform->queue_first; at && at != slot;
         at = at->perform->queue_next)
        position++;
    return position;
}

void perform_words(const struct vm_slot *slot, char *ret_words, size_t size)
{
    const struct perform_vm *perform = slot->perform;
    struct core *core = slot->core;
    ret_words[0] = 0;
    if (perform->retry_words[0])
        snprintf(ret_words, size, "another try, as the last failed: %s", perform->retry_words);
    else if (perform->boot == BOOT_WAITS && !core->edge_certificate_known)
        snprintf(ret_words, size, "kiln-edge, which has not yet said its certificate");
    else if (perform->boot == BOOT_WAITS && !reconcile_knows_orphans(core))
        snprintf(ret_words, size, "libvirt, which has yet to show its domains");
    else if (perform->boot == BOOT_WAITS && is_shared(slot))
        reconcile_sharer(core, slot->vm.ipv4, ret_words, size);
    else if (perform->boot == BOOT_WAITS && perform->network != NETWORK_READY)
        snprintf(ret_words, size, "its address in the network");
    else if (perform->boot == BOOT_WAITS)
        snprintf(ret_words, size, "its turn to boot: %zu before it, %zu booting now",
                 perform_boot_position(slot) - 1, core->perform->rising);
}
