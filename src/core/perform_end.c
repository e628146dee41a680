/*
 * Perform: the end of a domain. In: a record in `destroyed`. Out: calls of libvirt, VM_ON_DOMAIN_GONE. Kept:
 * whether its guest was given time.
 *
 * What users wrote a moment ago is in the guest's memory, not yet on their drives, and only the guest can
 * bring it there. So a guest that holds drives and was told to end (host.shutdown, when its link was closed)
 * gets a while to switch itself off before its domain is destroyed.
 */
#include <errno.h>

#include "src/core/machine.h"
#include "src/core/perform_private.h"
#include "src/core/virt_ops.h"
#include "src/io/log.h"
#include "src/io/loop.h"

enum { ORDERLY_MS = 30000 };

static bool has_mounted_drive(const struct vm *vm)
{
    for (size_t i = 0; i < vm->drives; i++)
        if (vm->drive[i].status == VM_DRIVE_MOUNTED)
            return true;
    return false;
}

/* Begins the guest's time, when it has one; says whether it is running. */
static bool orderly_end_awaited(struct vm_slot *slot)
{
    struct perform_vm *perform = slot->perform;
    if (slot->vm.forced) {
        perform->orderly = ORDERLY_OVER;
        loop_timer_disarm(perform->orderly_at);
    }
    if (perform->orderly == ORDERLY_NONE && slot->vm.link_up && has_mounted_drive(&slot->vm)) {
        perform->orderly = ORDERLY_RUNS;
        loop_timer_arm(perform->orderly_at, ORDERLY_MS);
    }
    return perform->orderly == ORDERLY_RUNS;
}

void perform_domain_gone(struct vm_slot *slot)
{
    char uuid[VIRT_UUID_BYTES];
    if (orderly_end_awaited(slot))
        return;
    struct perform_ask *ask = perform_ask_begin(slot, VM_FX_ENSURE_DOMAIN_GONE);
    core_uuid_text(slot->vm.uuid, uuid);
    int rc =
        ask ? slot->core->virt_ops->domain_gone(slot->core->virt, uuid, perform_gone_answered, ask) : -ENOMEM;
    perform_gone_asked(slot, ask, VM_FX_ENSURE_DOMAIN_GONE, rc);
}

static void orderly_end(struct vm_slot *slot)
{
    slot->perform->orderly = ORDERLY_OVER;
    if (!(slot->vm.gone & VM_GONE_DOMAIN) && !perform_is_under_way(slot, VM_FX_ENSURE_DOMAIN_GONE))
        perform_domain_gone(slot);
}

void perform_guest_ended(struct vm_slot *slot)
{
    if (slot->perform->orderly != ORDERLY_RUNS)
        return;
    loop_timer_disarm(slot->perform->orderly_at);
    orderly_end(slot);
}

static void orderly_over(void *arg)
{
    struct vm_slot *slot = arg;
    log_warning("vm", "its guest did not switch itself off in time", "vm=%s", slot->vm.name);
    orderly_end(slot);
}

int perform_end_init(struct vm_slot *slot)
{
    return loop_timer_create(slot->core->loop, orderly_over, slot, &slot->perform->orderly_at);
}

void perform_end_finish(struct vm_slot *slot)
{
    if (slot->perform->orderly_at)
        loop_timer_destroy(slot->perform->orderly_at);
}
