/*
 * The world that libvirt manages: domains, volumes, pinned addresses. It is there whether libvirtd is or not.
 *
 * In: what libvirtd does for whoever asks; what befalls a domain. Out: domains, for claims; lifecycle events,
 * by way of false_virt.h. Kept: all of it, for one life.
 */
#ifndef KILN_TESTS_SIM_HYPERVISOR_H
#define KILN_TESTS_SIM_HYPERVISOR_H

#include "src/core/virt.h"
#include "states/vm.h"

struct box;

enum { HYPERVISOR_DRIVES = 8, HYPERVISOR_NAMES = 64 };

struct hypervisor_drive {
    uint8_t id[VM_UUID_LEN];
    bool readonly;
};

struct hypervisor_domain {
    uint8_t id[VM_UUID_LEN];
    struct virt_domain_info info;
    char address[16];
    bool foreign; /* carries no metadata of Kiln's */
    bool lost;    /* libvirtd knows nothing of it, and it runs on */
    struct hypervisor_drive drives[HYPERVISOR_DRIVES];
    size_t ndrives;
    struct box *box; /* owned: the guest inside; NULL in a foreign one */
    /* Counted by claims.c. */
    int64_t strange_us;      /* quiet time that no record names it for */
    int64_t unregistered_us; /* quiet time that its guest has not registered for */
    struct hypervisor_domain *next;
};

void hypervisor_begin(void);
void hypervisor_end(void);

struct hypervisor_domain *hypervisor_domains(void);
struct hypervisor_domain *hypervisor_find(const uint8_t id[VM_UUID_LEN]);

/* Starts one, running. */
struct hypervisor_domain *hypervisor_start(const struct virt_vm_spec *spec);
/* A domain that Kiln did not ask for: with its metadata (ours) or without. ADDRESS: dotted IPv4, "": none. */
void hypervisor_stranger(const uint8_t id[VM_UUID_LEN], bool ours, const char *address);
/* It is no more; whoever looks hears of it as KIND with WORDS. */
void hypervisor_stop(struct hypervisor_domain *domain, enum virt_event_kind kind, const char *words);
void hypervisor_pause(struct hypervisor_domain *domain, bool paused);
/* libvirtd loses it, or finds it again. */
void hypervisor_lose(struct hypervisor_domain *domain, bool lost);
bool hypervisor_has_lost(void);
void hypervisor_attach(struct hypervisor_domain *domain, const uint8_t drive[VM_UUID_LEN], bool readonly);
const struct hypervisor_drive *hypervisor_drive(const struct hypervisor_domain *domain,
                                                const uint8_t drive[VM_UUID_LEN]);

/* Volumes and pinned addresses, by name. */
enum hypervisor_kind { HYPERVISOR_VOLUMES, HYPERVISOR_ADDRESSES, HYPERVISOR_KINDS };
bool hypervisor_has(enum hypervisor_kind kind, const char *name);
void hypervisor_add(enum hypervisor_kind kind, const char *name);
void hypervisor_remove(enum hypervisor_kind kind, const char *name);
size_t hypervisor_count(enum hypervisor_kind kind);
/* The name of one, counted from 0. */
const char *hypervisor_name(enum hypervisor_kind kind, size_t at);
/* What is there now is what every life begins with. */
void hypervisor_keep(void);

#endif
