/*
 * Create: see create.h.
 */
#include "src/core/create.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/text.h"
#include "src/core/network.h"
#include "src/core/object.h"
#include "src/io/loop.h"
#include "src/io/random.h"

bool create_name_good(const char *name)
{
    return name_valid(name);
}

static void holder_say(const struct core *core, const struct drive *drive, const struct holder *holder,
                       char *ret_detail)
{
    const struct vm_slot *slot = index_find(&core->vms, holder->vm);
    char uuid[VIRT_UUID_BYTES];
    core_uuid_text(holder->vm, uuid);
    snprintf(ret_detail, VM_DETAIL_LEN, "drive %s: VM %s holds it as %s", drive->name,
             slot ? slot->vm.name : uuid, holder->mode == VM_DRIVE_WRITER ? "writer" : "reader");
}

static enum kiln_code drive_take(const struct core *core, const struct create_order *order, size_t number,
                                 struct vm *vm, char *ret_detail)
{
    const struct create_drive *wanted = &order->drives[number];
    const struct drive *drive = drive_find(core, wanted->id);
    char id[VIRT_UUID_BYTES];
    core_uuid_text(wanted->id, id);
    bool sealed = drive && order->owner && drive_envelope(drive, order->owner);
    bool own = drive && order->owner && memcmp(drive->owner, order->owner, RECORD_HASH_LEN) == 0;
    if (!drive || drive->state != DRIVE_HERE || !(sealed || own)) {
        snprintf(ret_detail, VM_DETAIL_LEN, "drive %s", id);
        return CODE_DRIVE_UNKNOWN;
    }
    if (vm_drive_find(vm, wanted->id) >= 0) {
        snprintf(ret_detail, VM_DETAIL_LEN, "drives: %s is there twice", drive->name);
        return CODE_BAD_PARAMETER;
    }
    const struct holder *holder = drive_conflict(drive, wanted->mode);
    if (holder) {
        holder_say(core, drive, holder, ret_detail);
        return CODE_DRIVE_HELD;
    }
    struct vm_drive *taken = &vm->drive[vm->drives++];
    memcpy(taken->id, drive->id, sizeof taken->id);
    memcpy(taken->name, drive->name, sizeof taken->name);
    virt_drive_serial(id, taken->serial);
    taken->mode = (uint8_t)wanted->mode;
    return CODE_NONE;
}

static void brick_take(const struct core *core, const struct brick *brick, struct vm *vm)
{
    const struct config_deadlines *configured = &core->config.deadlines;
    memcpy(vm->brick, brick->name, sizeof vm->brick);
    memcpy(vm->brick_hash, brick->hash, sizeof vm->brick_hash);
    vm->vcpus = brick->vcpus;
    vm->memory_mib = brick->memory_mib;
    vm->offers_applications = brick->applications;
    vm_timeouts_init(vm);
    vm->timeout_ms[VM_REQUESTED] = configured->requested_s * INT64_C(1000);
    vm->timeout_ms[VM_IMAGE_CREATED] = configured->image_created_s * INT64_C(1000);
    vm->timeout_ms[VM_BOOTED] = configured->booted_s * INT64_C(1000);
    vm->timeout_ms[VM_REGISTERED] = configured->registered_s * INT64_C(1000);
    vm->timeout_ms[VM_PAIRED] = configured->paired_s * INT64_C(1000);
    vm->timeout_ms[VM_DRIVES_ATTACHED] = configured->drives_attached_s * INT64_C(1000);
    vm->timeout_ms[VM_DESTROYED] = core->config.retention_s * INT64_C(1000);
    for (int state = 0; state < VM_STATE_COUNT; state++)
        if (brick->timeout_ms[state] >= 0)
            vm->timeout_ms[state] = brick->timeout_ms[state];
}

/* Version 4 of RFC 9562. */
static void uuid_make(const struct core *core, struct vm *vm)
{
    do {
        random_fill(vm->uuid, sizeof vm->uuid);
        vm->uuid[6] = (uint8_t)((vm->uuid[6] & 0x0f) | 0x40);
        vm->uuid[8] = (uint8_t)((vm->uuid[8] & 0x3f) | 0x80);
    } while (index_find(&core->vms, vm->uuid));
}

static enum kiln_code order_take(struct core *core, const struct create_order *order, struct vm *vm,
                                 char *ret_detail)
{
    const struct brick *brick = brick_find(core, order->brick);
    ret_detail[0] = 0;
    if (!create_name_good(order->name) || order->ndrives > VM_DRIVES_MAX) {
        snprintf(ret_detail, VM_DETAIL_LEN, "%s", order->ndrives > VM_DRIVES_MAX ? "drives" : "name");
        return CODE_BAD_PARAMETER;
    }
    if (!brick) {
        snprintf(ret_detail, VM_DETAIL_LEN, "brick %.64s", order->brick);
        return CODE_NOT_FOUND;
    }
    if (core_vm_living(core, order->name)) {
        snprintf(ret_detail, VM_DETAIL_LEN, "VM %s", order->name);
        return CODE_ALREADY_EXISTS;
    }
    for (size_t i = 0; i < order->ndrives; i++) {
        enum kiln_code code = drive_take(core, order, i, vm, ret_detail);
        if (code)
            return code;
    }
    brick_take(core, brick, vm);
    if (network_address(&core->network, vm->ipv4))
        return CODE_NO_ADDRESS;
    network_mac(vm->ipv4, vm->mac);
    return CODE_NONE;
}

enum kiln_code create_vm(struct core *core, const struct create_order *order, const char *actor,
                         machine_done_fn *done, void *arg, uint8_t ret_uuid[static VM_UUID_LEN],
                         char ret_detail[static VM_DETAIL_LEN])
{
    struct vm vm = {.boots_max = CREATE_BOOTS_MAX, .created_at_ms = loop_wall_ms()};
    enum kiln_code code = order_take(core, order, &vm, ret_detail);
    if (code)
        return code;
    memcpy(vm.name, order->name, strlen(order->name));
    uuid_make(core, &vm);
    if (order->owner) {
        vm.assigned = true;
        memcpy(vm.owner, order->owner, sizeof vm.owner);
        vm.assignment_number = core_assignment_next(core);
    }
    if (machine_begin(core, &vm, actor, done, arg))
        return CODE_INTERNAL;
    memcpy(ret_uuid, vm.uuid, sizeof vm.uuid);
    return CODE_NONE;
}
