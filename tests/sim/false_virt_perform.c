/*
 * A libvirt for src/core: what each call does to the hypervisor, and the table of virt_ops.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/text.h"
#include "tests/sim/box.h"
#include "tests/sim/claims.h"
#include "tests/sim/false_virt_private.h"
#include "tests/sim/hypervisor.h"
#include "tests/sim/truth.h"

enum { KNOWS_US = 4000000 };

static void refuse(struct call *call, int error, const char *words)
{
    call->error = error;
    call->words = words;
}

bool false_virt_failure_take(struct call_failure failures[VIRT_FAILURES], const struct call *call)
{
    for (int i = 0; i < VIRT_FAILURES; i++) {
        struct call_failure *failure = &failures[i];
        if (!failure->count || failure->kind != call->kind ||
            (!failure->any && memcmp(failure->id, call->id, VM_UUID_LEN) != 0))
            continue;
        failure->count--;
        return true;
    }
    return false;
}

/* ---- volumes and addresses ---- */

static void name_of(const struct call *call, char ret_name[static 64])
{
    char uuid[UUID_TEXT_BYTES];
    bool drive = call->kind == VIRT_CALL_DRIVE || call->kind == VIRT_CALL_DRIVE_GONE;
    uuid_format(call->id, uuid);
    strcpy(ret_name, drive ? "drive-" : "vm-");
    strcat(ret_name, uuid);
}

static void perform_volume(struct call *call)
{
    char name[64];
    bool goes = call->kind == VIRT_CALL_OVERLAY_GONE || call->kind == VIRT_CALL_DRIVE_GONE;
    name_of(call, name);
    if (!goes)
        hypervisor_add(HYPERVISOR_VOLUMES, name);
    else if (false_virt_is_making(call->id))
        refuse(call, -EBUSY, "the volume is still being made");
    else if (false_virt_lie() != VIRT_LIE_VOLUME_STAYS)
        hypervisor_remove(HYPERVISOR_VOLUMES, name);
}

static void perform_address(struct call *call)
{
    if (call->kind == VIRT_CALL_ADDRESS)
        hypervisor_add(HYPERVISOR_ADDRESSES, call->address);
    else
        hypervisor_remove(HYPERVISOR_ADDRESSES, call->address);
}

static bool is_held(const struct call *call, const char *address)
{
    uint8_t ipv4[4];
    if (inet_pton(AF_INET, address, ipv4) != 1)
        abort();
    for (size_t i = 0; i < call->nheld; i++)
        if (memcmp(call->held[i], ipv4, sizeof ipv4) == 0)
            return true;
    return false;
}

static void perform_addresses_keep(struct call *call)
{
    for (size_t i = hypervisor_count(HYPERVISOR_ADDRESSES); i > 0; i--)
        if (!is_held(call, hypervisor_name(HYPERVISOR_ADDRESSES, i - 1)))
            hypervisor_remove(HYPERVISOR_ADDRESSES, hypervisor_name(HYPERVISOR_ADDRESSES, i - 1));
}

/* ---- domains ---- */

/* A domain that starts with what it should get only from its owner. */
static void attach_early(struct hypervisor_domain *domain)
{
    const struct truth_vm *vm = truth_vm(domain->id);
    for (int i = 0; vm && i < vm->vm.drives; i++)
        hypervisor_attach(domain, vm->vm.drive[i].id, vm->vm.drive[i].mode == VM_DRIVE_READER);
}

static bool refuse_lost(struct call *call, const struct hypervisor_domain *domain)
{
    bool lost = domain && domain->lost;
    if (lost)
        refuse(call, -EBUSY, "libvirt has lost the domain, and its QEMU, process 1, runs on");
    return lost;
}

/* Who keeps what the guest of one domain sent must not be able to use it with another. */
static void secret_spend(struct call *call)
{
    struct truth_vm *vm = truth_vm(call->id);
    uint64_t boot = UINT64_C(1) << call->spec->boot % 64;
    if (vm && vm->boots & boot)
        claim_broken("one-secret", "boot %u is started twice", (unsigned)call->spec->boot);
    if (vm)
        vm->boots |= boot;
}

static void perform_domain(struct call *call)
{
    const struct hypervisor_domain *domain = hypervisor_find(call->id);
    char volume[64];
    name_of(call, volume);
    if (refuse_lost(call, domain))
        return;
    if (domain && false_virt_lie() != VIRT_LIE_TWO_DOMAINS) {
        if (domain->foreign)
            refuse(call, -EEXIST, "a domain of this uuid exists that is not Kiln's");
        else if (domain->info.boot != call->spec->boot)
            refuse(call, -EEXIST, "the domain runs for another boot");
        return;
    }
    if (call->overtaken) {
        refuse(call, -ECANCELED, "overtaken by the end of the VM");
        return;
    }
    if (!hypervisor_has(HYPERVISOR_VOLUMES, volume)) {
        refuse(call, -ENOENT, "it has no volume");
        return;
    }
    secret_spend(call);
    struct hypervisor_domain *started = hypervisor_start(call->spec);
    if (false_virt_lie() == VIRT_LIE_EARLY_DRIVE)
        attach_early(started);
    if (false_virt_lie() == VIRT_LIE_TWO_DOMAINS && !domain)
        hypervisor_start(call->spec);
}

static void perform_domain_gone(struct call *call)
{
    struct hypervisor_domain *domain = hypervisor_find(call->id);
    if (!domain || false_virt_lie() == VIRT_LIE_LIVES_ON || refuse_lost(call, domain))
        return;
    if (domain->foreign)
        refuse(call, -EEXIST, "a domain of this uuid exists that is not Kiln's");
    else if (false_virt_lie() == VIRT_LIE_DEAF)
        refuse(call, -EBUSY, "it does not want to");
    else
        hypervisor_stop(domain, VIRT_EVENT_STOPPED, "the domain was destroyed through libvirt");
}

/* A libvirtd that has just come may not yet know all its domains. */
static bool is_known(const struct hypervisor_domain *domain)
{
    const struct truth_vm *vm = truth_vm(domain->id);
    bool ended = vm && vm->vm.head.state == VM_DESTROYED;
    bool young = libvirt.up_us && clock_us() - libvirt.up_us < KNOWS_US;
    if (domain->foreign || (ended && false_virt_lie() == VIRT_LIE_LIVES_ON))
        return false;
    /* A stranger has no guest. An address that kilnd has not been shown once is nobody's to it. */
    return !young || !domain->box || !chance_hits(CHANCE_VIRT, 2);
}

/* Of a lost one the process is seen, and no more. */
static struct virt_domain_info shown(const struct hypervisor_domain *domain)
{
    struct virt_domain_info lost = {.state = VIRT_DOMAIN_LOST, .pid = 1};
    memcpy(lost.uuid, domain->info.uuid, sizeof lost.uuid);
    return domain->lost ? lost : domain->info;
}

static void perform_list(struct call *call)
{
    size_t count = 0;
    for (const struct hypervisor_domain *domain = hypervisor_domains(); domain; domain = domain->next)
        count++;
    call->domains = calloc(count + 1, sizeof *call->domains);
    if (!call->domains)
        abort();
    for (const struct hypervisor_domain *domain = hypervisor_domains(); domain; domain = domain->next) {
        if (domain->lost || is_known(domain))
            call->domains[call->ndomains++] = shown(domain);
    }
}

static void attach_elsewhere(const struct hypervisor_domain *domain, const uint8_t *drive)
{
    for (struct hypervisor_domain *other = hypervisor_domains(); other; other = other->next)
        if (other != domain && !other->foreign && !hypervisor_drive(other, drive))
            hypervisor_attach(other, drive, false);
}

static void perform_attach(struct call *call)
{
    struct hypervisor_domain *domain = hypervisor_find(call->id);
    if (!domain || domain->foreign || domain->lost) {
        refuse(call, -ENOENT, "there is no such domain");
        return;
    }
    const struct hypervisor_drive *attached = hypervisor_drive(domain, call->drive);
    if (attached && attached->readonly != call->readonly)
        refuse(call, -EEXIST, "the drive is attached in the other mode");
    if (attached)
        return;
    hypervisor_attach(domain, call->drive, call->readonly);
    if (false_virt_lie() == VIRT_LIE_TWO_WRITERS)
        attach_elsewhere(domain, call->drive);
}

static void perform_console(struct call *call)
{
    const struct hypervisor_domain *domain = hypervisor_find(call->id);
    if (!domain || domain->foreign || domain->lost)
        refuse(call, -ENOENT, "there is no such domain");
    else
        domain->box->console_open = true;
}

static void perform_nothing(struct call *call)
{
    (void)call;
}

void false_virt_perform(struct call *call)
{
    static void (*const performers[VIRT_CALL_COUNT])(struct call *) = {
        [VIRT_CALL_HOST] = perform_nothing,
        [VIRT_CALL_OVERLAY] = perform_volume,
        [VIRT_CALL_OVERLAY_GONE] = perform_volume,
        [VIRT_CALL_DRIVE] = perform_volume,
        [VIRT_CALL_DRIVE_GONE] = perform_volume,
        [VIRT_CALL_HASH] = perform_nothing,
        [VIRT_CALL_ADDRESS] = perform_address,
        [VIRT_CALL_ADDRESS_GONE] = perform_address,
        [VIRT_CALL_ADDRESSES_KEEP] = perform_addresses_keep,
        [VIRT_CALL_DOMAIN] = perform_domain,
        [VIRT_CALL_DOMAIN_GONE] = perform_domain_gone,
        [VIRT_CALL_LIST] = perform_list,
        [VIRT_CALL_ATTACH] = perform_attach,
        [VIRT_CALL_CONSOLE] = perform_console,
    };
    performers[call->kind](call);
}

/* ---- the table ---- */

static bool op_connected(const struct virt *virt)
{
    (void)virt;
    return false_virt_connected();
}

/* A call about the VM, or the drive, of a uuid in text. */
static struct call *create(enum virt_call kind, const char *uuid, virt_answer_fn *answered, void *arg)
{
    struct call *call = false_virt_call_create(kind, answered, arg);
    if (uuid && uuid_parse(uuid, call->id))
        abort();
    return call;
}

#define OP_PLAIN(name, kind, key)                                                                            \
    static int name(struct virt *virt, virt_answer_fn *answered, void *arg)                                  \
    {                                                                                                        \
        (void)virt;                                                                                          \
        return false_virt_submit(create(kind, NULL, answered, arg), key);                                    \
    }
OP_PLAIN(op_host, VIRT_CALL_HOST, "host")
OP_PLAIN(op_list, VIRT_CALL_LIST, "")

/* Volumes queue apart from the domain of the same uuid. */
static int volume_submit(struct call *call)
{
    char name[64];
    name_of(call, name);
    return false_virt_submit(call, name);
}

static int op_overlay(struct virt *virt, const char *uuid, const char *image, virt_answer_fn *answered,
                      void *arg)
{
    (void)virt;
    (void)image;
    struct call *call = create(VIRT_CALL_OVERLAY, uuid, answered, arg);
    claims_asked(call->id, VM_REQUESTED, 0);
    return volume_submit(call);
}

static int op_overlay_gone(struct virt *virt, const char *uuid, virt_answer_fn *answered, void *arg)
{
    (void)virt;
    struct call *call = create(VIRT_CALL_OVERLAY_GONE, uuid, answered, arg);
    claims_asked(call->id, VM_DESTROYED, 0);
    return volume_submit(call);
}

static int op_drive(struct virt *virt, const char *drive, uint64_t size_bytes, virt_answer_fn *answered,
                    void *arg)
{
    (void)virt;
    (void)size_bytes;
    return volume_submit(create(VIRT_CALL_DRIVE, drive, answered, arg));
}

static int op_drive_gone(struct virt *virt, const char *drive, virt_answer_fn *answered, void *arg)
{
    (void)virt;
    return volume_submit(create(VIRT_CALL_DRIVE_GONE, drive, answered, arg));
}

static int op_hash(struct virt *virt, const char *volume, virt_answer_fn *answered, void *arg)
{
    (void)virt;
    return false_virt_submit(create(VIRT_CALL_HASH, NULL, answered, arg), volume);
}

static int address_submit(enum virt_call kind, const struct virt_vm_spec *spec, virt_answer_fn *answered,
                          void *arg)
{
    struct call *call = create(kind, spec->uuid, answered, arg);
    memcpy(call->address, spec->address, sizeof call->address);
    call->destroy_lane = call->apart = kind == VIRT_CALL_ADDRESS_GONE;
    return false_virt_submit(call, "addresses");
}

static int op_address(struct virt *virt, const struct virt_vm_spec *spec, virt_answer_fn *answered, void *arg)
{
    (void)virt;
    return address_submit(VIRT_CALL_ADDRESS, spec, answered, arg);
}

static int op_address_gone(struct virt *virt, const struct virt_vm_spec *spec, virt_answer_fn *answered,
                           void *arg)
{
    (void)virt;
    return address_submit(VIRT_CALL_ADDRESS_GONE, spec, answered, arg);
}

static int op_addresses_keep(struct virt *virt, uint8_t (*held)[4], size_t nheld, virt_answer_fn *answered,
                             void *arg)
{
    struct call *call = create(VIRT_CALL_ADDRESSES_KEEP, NULL, answered, arg);
    (void)virt;
    call->held = held;
    call->nheld = nheld;
    call->destroy_lane = call->apart = true;
    return false_virt_submit(call, "addresses");
}

static int op_domain(struct virt *virt, const struct virt_vm_spec *spec, virt_answer_fn *answered, void *arg)
{
    struct call *call = create(VIRT_CALL_DOMAIN, spec->uuid, answered, arg);
    (void)virt;
    claims_asked(call->id, VM_IMAGE_CREATED, (uint32_t)spec->boot);
    call->spec = malloc(sizeof *call->spec);
    if (!call->spec)
        abort();
    *call->spec = *spec;
    return false_virt_submit(call, spec->uuid);
}

static int op_domain_gone(struct virt *virt, const char *uuid, virt_answer_fn *answered, void *arg)
{
    struct call *call = create(VIRT_CALL_DOMAIN_GONE, uuid, answered, arg);
    (void)virt;
    claims_asked(call->id, VM_DESTROYED, 0);
    call->destroy_lane = true;
    call->second_look = false_virt_cancel(uuid);
    return false_virt_submit(call, uuid);
}

static int op_attached(struct virt *virt, const char *uuid, const char *drive, bool readonly,
                       virt_answer_fn *answered, void *arg)
{
    struct call *call = create(VIRT_CALL_ATTACH, uuid, answered, arg);
    (void)virt;
    claims_asked(call->id, VM_PAIRED, 0);
    if (uuid_parse(drive, call->drive))
        abort();
    call->readonly = readonly;
    return false_virt_submit(call, uuid);
}

static int op_console(struct virt *virt, const char *uuid, virt_console_line_fn *line, void *line_arg,
                      virt_answer_fn *answered, void *arg)
{
    (void)virt;
    false_virt_reader(line, line_arg);
    return false_virt_submit(create(VIRT_CALL_CONSOLE, uuid, answered, arg), uuid);
}

static size_t op_console_tail(const struct virt *virt, const char *uuid, char *ret_text, size_t size)
{
    (void)virt;
    (void)uuid;
    (void)size;
    ret_text[0] = 0;
    return 0;
}

static void op_console_forget(struct virt *virt, const char *uuid)
{
    (void)virt;
    (void)uuid;
}

const struct virt_ops false_virt_ops = {
    .is_connected = op_connected,
    .ensure_host = op_host,
    .ensure_overlay = op_overlay,
    .overlay_gone = op_overlay_gone,
    .ensure_drive = op_drive,
    .drive_gone = op_drive_gone,
    .volume_hash = op_hash,
    .ensure_address = op_address,
    .address_gone = op_address_gone,
    .addresses_keep = op_addresses_keep,
    .ensure_domain = op_domain,
    .domain_gone = op_domain_gone,
    .domain_list = op_list,
    .ensure_attached = op_attached,
    .ensure_console = op_console,
    .console_tail = op_console_tail,
    .console_forget = op_console_forget,
};
