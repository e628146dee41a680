/*
 * The world that libvirt manages: see hypervisor.h.
 */
#include "tests/sim/hypervisor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/text.h"
#include "src/core/identity.h"
#include "tests/sim/box.h"
#include "tests/sim/false_virt.h"

struct names {
    char name[HYPERVISOR_NAMES][64];
    size_t count;
};

static struct hypervisor_domain *domains;
static struct names there[HYPERVISOR_KINDS], kept[HYPERVISOR_KINDS];

/* ---- domains ---- */

struct hypervisor_domain *hypervisor_domains(void)
{
    return domains;
}

struct hypervisor_domain *hypervisor_find(const uint8_t id[VM_UUID_LEN])
{
    struct hypervisor_domain *domain = domains;
    while (domain && memcmp(domain->id, id, VM_UUID_LEN) != 0)
        domain = domain->next;
    return domain;
}

static struct hypervisor_domain *add(const uint8_t id[VM_UUID_LEN])
{
    struct hypervisor_domain *domain = calloc(1, sizeof *domain);
    if (!domain)
        abort();
    memcpy(domain->id, id, VM_UUID_LEN);
    uuid_format(id, domain->info.uuid);
    domain->info.state = VIRT_DOMAIN_RUNNING;
    domain->next = domains;
    domains = domain;
    return domain;
}

struct hypervisor_domain *hypervisor_start(const struct virt_vm_spec *spec)
{
    uint8_t id[VM_UUID_LEN];
    if (uuid_parse(spec->uuid, id))
        abort();
    struct hypervisor_domain *domain = add(id);
    domain->info.boot = spec->boot;
    memcpy(domain->info.brick, spec->brick, sizeof domain->info.brick);
    memcpy(domain->info.host_identity, spec->host_identity, sizeof domain->info.host_identity);
    if (false_virt_lie() == VIRT_LIE_SAME_ADDRESS)
        strcpy(domain->address, "10.77.0.10");
    else
        memcpy(domain->address, spec->address, sizeof domain->address);
    memcpy(domain->info.address, domain->address, sizeof domain->info.address);
    domain->box = box_create(id, (uint32_t)spec->boot);
    false_virt_tell(VIRT_EVENT_STARTED, id, "the domain started");
    return domain;
}

void hypervisor_stranger(const uint8_t id[VM_UUID_LEN], bool ours, const char *address)
{
    struct hypervisor_domain *domain = add(id);
    domain->foreign = !ours;
    domain->info.boot = 1;
    strncpy(domain->address, address, sizeof domain->address - 1);
    memcpy(domain->info.address, domain->address, sizeof domain->info.address);
    if (ours)
        hex_encode(identity_fingerprint(NULL), IDENTITY_HASH_LEN, domain->info.host_identity);
}

static void release(struct hypervisor_domain *domain)
{
    box_destroy(domain->box);
    free(domain);
}

void hypervisor_stop(struct hypervisor_domain *domain, enum virt_event_kind kind, const char *words)
{
    struct hypervisor_domain **at = &domains;
    while (*at != domain)
        at = &(*at)->next;
    *at = domain->next;
    if (!domain->lost)
        false_virt_tell(kind, domain->id, words);
    release(domain);
}

void hypervisor_pause(struct hypervisor_domain *domain, bool paused)
{
    enum virt_domain_state wanted = paused ? VIRT_DOMAIN_PAUSED : VIRT_DOMAIN_RUNNING;
    if (domain->lost || domain->info.state == wanted)
        return;
    domain->info.state = wanted;
    if (domain->box)
        box_freeze(domain->box, paused);
    false_virt_tell(paused ? VIRT_EVENT_PAUSED : VIRT_EVENT_RESUMED, domain->id,
                    paused ? "paused by somebody" : "");
}

void hypervisor_lose(struct hypervisor_domain *domain, bool lost)
{
    domain->lost = lost;
    if (domain->box)
        domain->box->console_open = false;
}

bool hypervisor_has_lost(void)
{
    const struct hypervisor_domain *domain = domains;
    while (domain && !domain->lost)
        domain = domain->next;
    return domain;
}

const struct hypervisor_drive *hypervisor_drive(const struct hypervisor_domain *domain,
                                                const uint8_t drive[VM_UUID_LEN])
{
    for (size_t i = 0; i < domain->ndrives; i++)
        if (memcmp(domain->drives[i].id, drive, VM_UUID_LEN) == 0)
            return &domain->drives[i];
    return NULL;
}

void hypervisor_attach(struct hypervisor_domain *domain, const uint8_t drive[VM_UUID_LEN], bool readonly)
{
    if (domain->ndrives == HYPERVISOR_DRIVES)
        abort();
    struct hypervisor_drive *attached = &domain->drives[domain->ndrives++];
    memcpy(attached->id, drive, VM_UUID_LEN);
    attached->readonly = readonly;
}

/* ---- names ---- */

static size_t find(const struct names *names, const char *name)
{
    size_t at = 0;
    while (at < names->count && strcmp(names->name[at], name) != 0)
        at++;
    return at;
}

bool hypervisor_has(enum hypervisor_kind kind, const char *name)
{
    return find(&there[kind], name) < there[kind].count;
}

void hypervisor_add(enum hypervisor_kind kind, const char *name)
{
    struct names *names = &there[kind];
    if (hypervisor_has(kind, name))
        return;
    if (names->count == HYPERVISOR_NAMES)
        abort();
    snprintf(names->name[names->count++], sizeof names->name[0], "%s", name);
}

void hypervisor_remove(enum hypervisor_kind kind, const char *name)
{
    struct names *names = &there[kind];
    size_t at = find(names, name);
    if (at == names->count)
        return;
    names->count--;
    memmove(names->name[at], names->name[names->count], sizeof names->name[0]);
}

size_t hypervisor_count(enum hypervisor_kind kind)
{
    return there[kind].count;
}

const char *hypervisor_name(enum hypervisor_kind kind, size_t at)
{
    return there[kind].name[at];
}

void hypervisor_keep(void)
{
    memcpy(kept, there, sizeof kept);
}

/* ---- lives ---- */

void hypervisor_begin(void)
{
    hypervisor_end();
    memcpy(there, kept, sizeof there);
}

void hypervisor_end(void)
{
    while (domains) {
        struct hypervisor_domain *domain = domains;
        domains = domain->next;
        release(domain);
    }
}
