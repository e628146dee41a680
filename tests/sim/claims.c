/*
 * What must be true of every life: see claims.h.
 */
#include "tests/sim/claims.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "protocol/code.h"
#include "protocol/text.h"
#include "src/core/core.h"
#include "src/core/store.h"
#include "tests/sim/box.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk.h"
#include "tests/sim/edge.h"
#include "tests/sim/false_virt.h"
#include "tests/sim/host.h"
#include "tests/sim/hypervisor.h"
#include "tests/sim/people.h"
#include "tests/sim/truth.h"

enum {
    STRANGE_S = 160,      /* the grace of 60 s, and sweeps every 30 s on either side of it */
    UNREGISTERED_S = 260, /* to start, 60 s; to register, 120 s; answers that were lost meanwhile */
    OVERDUE_S = 45,       /* a sweep, and a try that failed */
    EARLY_S = 70          /* what is durable late on a full disk */
};

static struct {
    const char *broken;
    char words[256];
    int64_t looked_us;
    int64_t quiet_since_us; /* 0: not yet */
} claims;

void claim_broken(const char *claim, const char *format, ...)
{
    va_list args;
    if (claims.broken)
        return;
    claims.broken = claim;
    va_start(args, format);
    vsnprintf(claims.words, sizeof claims.words, format, args);
    va_end(args);
}

const char *claims_broken(void)
{
    return claims.broken;
}

const char *claims_words(void)
{
    return claims.words;
}

void claims_begin(void)
{
    memset(&claims, 0, sizeof claims);
}

void claims_quiet_begins(void)
{
    claims.quiet_since_us = clock_us();
}

/* ---- domains ---- */

static void look_for_twins(const struct hypervisor_domain *domain)
{
    for (const struct hypervisor_domain *other = domain->next; other; other = other->next) {
        if (memcmp(other->id, domain->id, sizeof other->id) == 0)
            claim_broken("one-domain", "VM %s runs twice", domain->info.uuid);
        else if (domain->address[0] && strcmp(other->address, domain->address) == 0)
            claim_broken("one-address", "VM %s and VM %s both have %s", domain->info.uuid, other->info.uuid,
                         domain->address);
    }
}

static bool holds(const struct truth_drive *drive, const struct hypervisor_domain *domain, uint8_t mode)
{
    for (size_t i = 0; drive && drive->there && i < drive->drive.nholders; i++)
        if (memcmp(drive->drive.holders[i].vm, domain->id, VM_UUID_LEN) == 0)
            return drive->drive.holders[i].mode == mode;
    return false;
}

static void look_at_sharing(const struct hypervisor_domain *domain, const struct hypervisor_drive *drive)
{
    for (const struct hypervisor_domain *other = hypervisor_domains(); other; other = other->next) {
        const struct hypervisor_drive *same = other == domain ? NULL : hypervisor_drive(other, drive->id);
        if (same && (!same->readonly || !drive->readonly))
            claim_broken("one-writer", "a drive is in %s and in %s, and one writes it", domain->info.uuid,
                         other->info.uuid);
    }
}

static void look_at_drives(const struct hypervisor_domain *domain)
{
    for (size_t i = 0; i < domain->ndrives; i++) {
        const struct hypervisor_drive *drive = &domain->drives[i];
        look_at_sharing(domain, drive);
        if (!domain->box->paired_ever)
            claim_broken("paired-first", "%s has a drive, and its owner never came", domain->info.uuid);
        if (!holds(truth_drive(drive->id), domain, drive->readonly ? VM_DRIVE_READER : VM_DRIVE_WRITER))
            claim_broken("holder", "%s has a drive that it does not hold", domain->info.uuid);
    }
}

static void look_at_domain(struct hypervisor_domain *domain, int64_t quiet_us)
{
    const struct truth_vm *vm = truth_vm(domain->id);
    bool wanted = vm && vm->there && vm->vm.head.state != VM_DESTROYED;
    domain->strange_us = wanted ? 0 : domain->strange_us + quiet_us;
    if (domain->strange_us > STRANGE_S * SECOND)
        claim_broken("known-domain", "%s runs, and %s", domain->info.uuid,
                     vm && vm->there ? "its VM is destroyed" : "no record names it");
    bool unregistered = wanted && !vm->vm.registered;
    domain->unregistered_us = unregistered ? domain->unregistered_us + quiet_us : 0;
    if (domain->unregistered_us > UNREGISTERED_S * SECOND)
        claim_broken("deadline", "%s runs past the time that it had to register", domain->info.uuid);
    look_for_twins(domain);
    look_at_drives(domain);
}

/* ---- records ---- */

/* A start that waits for its turn has time, and the domain's time to register is looked at above. What
 * libvirt is waited for has its whole time from its return. */
static void look_at_deadline(struct truth_vm *vm, int64_t quiet_us)
{
    const struct fsm_head *head = &vm->vm.head;
    bool counts = vm->there && head->deadline_at_ms && head->state != VM_IMAGE_CREATED &&
                  clock_us() / MS > head->deadline_at_ms - vm->vm.clock_ahead_ms;
    bool keeps = head->state == VM_DESTROYED && vm->vm.gone != VM_GONE_ALL;
    bool floored = head->state == VM_REQUESTED || head->state == VM_PAIRED;
    int64_t room_us = OVERDUE_S * SECOND + (floored ? vm->vm.timeout_ms[head->state] * MS : 0);
    vm->overdue_us = counts && !keeps ? vm->overdue_us + quiet_us : 0;
    if (vm->overdue_us > room_us)
        claim_broken("deadline", "VM %s stays in %s past its deadline", vm->vm.name,
                     vm_state_name(head->state));
}

static bool is_quiet(void)
{
    return host_up() && !host_core()->recovering && !disk_refuses() && store_error(host_core()->store) == 0 &&
           false_virt_is_well();
}

/* Of a domain that no record names: anew with each kilnd, and with each libvirtd, whose first lists may not
 * show it. */
void claims_grace_begins(void)
{
    for (struct hypervisor_domain *domain = hypervisor_domains(); domain; domain = domain->next)
        if (!truth_vm(domain->id))
            domain->strange_us = 0;
}

void claims_look(void)
{
    int64_t now_us = clock_us();
    int64_t quiet_us = is_quiet() ? now_us - claims.looked_us : 0;
    claims.looked_us = now_us;
    for (struct hypervisor_domain *domain = hypervisor_domains(); domain; domain = domain->next)
        if (!domain->foreign)
            look_at_domain(domain, quiet_us);
    for (size_t i = 0; i < truth.nvms; i++)
        look_at_deadline(&truth.vms[i], quiet_us);
}

/* A start that failed is cleaned up before the next; a domain that no record names is ended as well. */
void claims_asked(const uint8_t id[16], int state, uint32_t boot)
{
    const struct truth_vm *known = truth_vm(id);
    int durable = known && known->there ? known->vm.head.state : -1;
    bool ends = state == VM_DESTROYED;
    bool fits = durable == state && (!boot || known->vm.boot_number == boot);
    if (host_dying() || fits || (ends && (durable == VM_IMAGE_CREATED || durable < 0)))
        return;
    claim_broken("persist", "libvirt is asked for what %s wants, and %s is durable", vm_state_name(state),
                 durable < 0 ? "nothing" : vm_state_name(durable));
}

/* ---- getting on ---- */

/* A guest that can do what it shall, and whose owner comes. */
static bool is_able(const struct vm *vm)
{
    const struct hypervisor_domain *domain = hypervisor_find(vm->uuid);
    int index = people_index(vm->name);
    return domain && domain->box && !domain->box->given_up && !domain->box->silent &&
           !domain->box->port_taken && domain->info.state == VIRT_DOMAIN_RUNNING && index >= 0 &&
           people_come(index);
}

static void look_at_timeout(const struct truth_vm *before)
{
    int state = before->vm.head.state;
    bool late = state != VM_REQUESTED && state != VM_IMAGE_CREATED && is_able(&before->vm);
    if (claims.quiet_since_us && before->entered_us > claims.quiet_since_us && late)
        claim_broken("progress", "VM %s ran out of time in %s, and nobody held it up", before->vm.name,
                     vm_state_name(state));
    if (clock_us() - before->entered_us < before->vm.timeout_ms[state] * MS - EARLY_S * SECOND)
        claim_broken("lost", "VM %s was ended in %s before its time was over", before->vm.name,
                     vm_state_name(state));
}

void claims_destroyed(const struct truth_vm *before, const struct vm *now)
{
    const struct hypervisor_domain *domain = hypervisor_find(now->uuid);
    if (now->code == CODE_DEADLINE_PASSED)
        look_at_timeout(before);
    if (now->code == CODE_DOMAIN_GONE && domain && domain->info.boot == now->boot_number)
        claim_broken("lost", "VM %s was ended because its domain is gone, and it runs", now->name);
}

/* Whether the record counts what there is. What a guest that is not ready says last may be what it never
 * takes back. */
static bool agrees(const struct vm *vm)
{
    const struct hypervisor_domain *domain = hypervisor_find(vm->uuid);
    const struct controller *controller = domain && domain->box ? domain->box->controller : NULL;
    bool linked = controller && controller->machine.link_up;
    if (vm->link_up != linked || vm->bridges != edge_bridges(vm->uuid))
        return false;
    return !linked || controller->machine.head.state != GUEST_READY ||
           vm->channels == controller->channels->count;
}

static bool is_settled(const struct vm *vm)
{
    switch (vm->head.state) {
    case VM_DESTROYED:
        return vm->gone == VM_GONE_ALL;
    case VM_REGISTERED:
        return !vm->assigned;
    case VM_READY:
    case VM_SSH_PROXIED:
        return !vm->unreachable && !vm->paused && agrees(vm);
    default:
        return false;
    }
}

/* Whom it waits for, in words that name somebody. */
static bool names_somebody(const struct vm *vm, char *ret_words, size_t size)
{
    const struct vm_slot *slot = host_up() ? core_vm(host_core(), vm->uuid) : NULL;
    ret_words[0] = 0;
    if (slot)
        core_vm_waiting_for(host_core(), slot, ret_words, size);
    return ret_words[0] && !strstr(ret_words, "another try");
}

bool claims_settled(bool last_look)
{
    char words[VM_DETAIL_LEN];
    for (size_t i = 0; i < truth.nvms; i++) {
        const struct vm *vm = &truth.vms[i].vm;
        if (!truth.vms[i].there || (names_somebody(vm, words, sizeof words) && is_settled(vm)))
            continue;
        if (last_look)
            claim_broken(agrees(vm) ? "waits" : "agrees", "VM %s is in %s and waits for \"%s\"", vm->name,
                         vm_state_name(vm->head.state), words);
        return false;
    }
    return host_up();
}

/* ---- the end ---- */

static const char *left_of(const struct truth_vm *known)
{
    char name[64] = "vm-", address[16];
    const struct vm *vm = &known->vm;
    uuid_format(vm->uuid, name + 3);
    if (known->there && vm->head.state != VM_DESTROYED)
        return "it is not destroyed";
    if (hypervisor_find(vm->uuid))
        return "its domain is there";
    if (hypervisor_has(HYPERVISOR_VOLUMES, name))
        return "its volume is there";
    core_vm_address(vm, address);
    if (hypervisor_has(HYPERVISOR_ADDRESSES, address))
        return "its address is pinned";
    for (size_t i = 0; i < truth.ndrives; i++)
        for (size_t j = 0; truth.drives[i].there && j < truth.drives[i].drive.nholders; j++)
            if (memcmp(truth.drives[i].drive.holders[j].vm, vm->uuid, VM_UUID_LEN) == 0)
                return "it holds a drive";
    return known->there && vm->gone != VM_GONE_ALL ? "its record does not say that all of it is gone" : NULL;
}

bool claims_ended(bool last_look)
{
    for (size_t i = 0; i < truth.nvms; i++) {
        const char *left = left_of(&truth.vms[i]);
        if (left && last_look)
            claim_broken("ends", "VM %s: %s", truth.vms[i].vm.name, left);
        if (left)
            return false;
    }
    return true;
}

bool claims_forgotten(bool last_look)
{
    for (size_t i = 0; i < truth.nvms; i++) {
        if (truth.vms[i].there && last_look)
            claim_broken("forgets", "VM %s has a record after its retention", truth.vms[i].vm.name);
        if (truth.vms[i].there)
            return false;
    }
    const struct hypervisor_domain *domain = hypervisor_domains();
    while (domain && domain->foreign)
        domain = domain->next;
    if (domain && last_look)
        claim_broken("ends", "the domain %s is there at the end", domain->info.uuid);
    return !domain && claims_ended(last_look);
}
