/*
 * vm_common.c - guards and acts that rows of several states of the VM share; vm_common.h says what each
 * means.
 *
 * In: record and event.   Out: the record changed, by acts.   Kept: nothing.
 */
#include "states/vm_common.h"

#include <string.h>

#include "protocol/code.h"

bool vm_when_started(const void *record, const void *event)
{
    (void)event;
    return ((const struct vm *)record)->boot_number > 0;
}

bool vm_when_registered(const void *record, const void *event)
{
    (void)event;
    return ((const struct vm *)record)->registered;
}

bool vm_when_unassigned(const void *record, const void *event)
{
    (void)event;
    return !((const struct vm *)record)->assigned;
}

bool vm_when_owner(const void *record, const void *event)
{
    const struct vm *vm = record;
    return vm->registered && vm->assigned && ((const struct vm_event *)event)->count > 0;
}

bool vm_when_none_left(const void *record, const void *event)
{
    (void)record;
    return ((const struct vm_event *)event)->count == 0;
}

void vm_act_trouble(void *record, const void *event, struct fsm_fx *fx)
{
    struct vm *vm = record;
    const struct vm_trouble *trouble = &((const struct vm_event *)event)->trouble;
    (void)fx;
    vm->code = trouble->code;
    fsm_text_keep(vm->detail, sizeof vm->detail, trouble->detail);
}

void vm_act_overcome(void *record, const void *event, struct fsm_fx *fx)
{
    struct vm *vm = record;
    (void)event;
    (void)fx;
    vm->code = 0;
    memset(vm->detail, 0, sizeof vm->detail);
}

void vm_act_deadline(void *record, const void *event, struct fsm_fx *fx)
{
    struct vm *vm = record;
    (void)event;
    (void)fx;
    vm->code = CODE_DEADLINE_PASSED;
    if (!vm->detail[0])
        fsm_text_keep(vm->detail, sizeof vm->detail, vm_machine.states[vm->head.state]->story);
}

void vm_act_channels(void *record, const void *event, struct fsm_fx *fx)
{
    (void)fx;
    ((struct vm *)record)->channels = ((const struct vm_event *)event)->count;
}

void vm_act_bridges(void *record, const void *event, struct fsm_fx *fx)
{
    (void)fx;
    ((struct vm *)record)->bridges = ((const struct vm_event *)event)->count;
}

void vm_act_pair(void *record, const void *event, struct fsm_fx *fx)
{
    struct vm *vm = record;
    vm_act_channels(record, event, fx);
    for (int i = 0; i < vm->drives; i++) {
        struct vm_drive *drive = &vm->drive[i];
        if (drive->attached)
            continue;
        drive->status = VM_DRIVE_WANTED;
        drive->code = 0;
        fsm_text_keep(drive->detail, sizeof drive->detail, "");
    }
}

void vm_act_domain_gone(void *record, const void *event, struct fsm_fx *fx)
{
    vm_act_trouble(record, event, fx);
    vm_act_libvirt_back(record, event, fx);
    ((struct vm *)record)->gone |= VM_GONE_DOMAIN;
}

void vm_act_assign(void *record, const void *event, struct fsm_fx *fx)
{
    struct vm *vm = record;
    const struct vm_owner *owner = &((const struct vm_event *)event)->owner;
    (void)fx;
    vm->assigned = true;
    memcpy(vm->owner, owner->fingerprint, sizeof vm->owner);
    vm->assignment_number = owner->assignment_number;
}

void vm_act_libvirt_lost(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    (void)fx;
    ((struct vm *)record)->unreachable = true;
}

void vm_act_libvirt_back(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    (void)fx;
    ((struct vm *)record)->unreachable = false;
}

void vm_act_recovered(void *record, const void *event, struct fsm_fx *fx)
{
    struct vm *vm = record;
    const struct vm_sight *sight = &((const struct vm_event *)event)->sight;
    vm_act_libvirt_back(record, event, fx);
    vm->paused = false;
    if (vm->registered || !sight->domain || sight->boot <= vm->boot_number)
        return;
    vm->boot_number = sight->boot;
    if (vm->boots_max < vm->boot_number)
        vm->boots_max = vm->boot_number;
}

void vm_act_link_down(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    (void)fx;
    ((struct vm *)record)->link_up = false;
}
