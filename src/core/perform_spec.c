/*
 * Perform: what libvirt is told of a VM, from its record, its brick, the edge and the configuration.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "protocol/text.h"
#include "src/core/identity.h"
#include "src/core/network.h"
#include "src/core/object.h"
#include "src/core/perform_private.h"

void perform_boot_path(const struct core *core, const uint8_t uuid[static VM_UUID_LEN], char *ret_path,
                       size_t size)
{
    char text[VIRT_UUID_BYTES];
    core_uuid_text(uuid, text);
    snprintf(ret_path, size, "%s/boot/%s", core->config.run_dir, text);
}

static void brick_fill(struct virt_vm_spec *spec, const struct brick *brick)
{
    memcpy(spec->kernel, brick->kernel, sizeof brick->kernel);
    memcpy(spec->initrd, brick->initrd, sizeof brick->initrd);
    memcpy(spec->cmdline, brick->cmdline, sizeof brick->cmdline);
}

int perform_spec(const struct vm_slot *slot, struct virt_vm_spec *ret_spec)
{
    const struct core *core = slot->core;
    const struct vm *vm = &slot->vm;
    const struct brick *brick = brick_find(core, vm->brick);
    *ret_spec = (struct virt_vm_spec){
        .boot = vm->boot_number, .vcpus = vm->vcpus, .memory_bytes = (uint64_t)vm->memory_mib << 20};
    core_uuid_text(vm->uuid, ret_spec->uuid);
    memcpy(ret_spec->brick, vm->brick, sizeof vm->brick);
    hex_encode(vm->brick_hash, sizeof vm->brick_hash, ret_spec->brick_hash);
    hex_encode(identity_fingerprint(core->identity), IDENTITY_HASH_LEN, ret_spec->host_identity);
    hex_encode(core->edge_certificate, sizeof core->edge_certificate, ret_spec->edge);
    core_guest_url(core, ret_spec->guest_url);
    core_vm_address(vm, ret_spec->address);
    network_mac_format(vm->mac, ret_spec->mac);
    perform_boot_path(core, vm->uuid, ret_spec->boot_secret_path, sizeof ret_spec->boot_secret_path);
    if (!brick)
        return -ENOENT;
    brick_fill(ret_spec, brick);
    return core->edge_certificate_known ? 0 : -EAGAIN;
}
