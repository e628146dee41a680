/*
 * vm_any.c - rows of the VM that hold in every state but `destroyed`, after the state's own.
 *
 * Most keep an attribute and move nothing: losing libvirt, the guest's link or an owner's channel costs no
 * state.
 */
#include <string.h>

#include "states/vm_common.h"

/* The boot secret is tied to one request: the same again is a restarted controller, another is somebody else.
 */
static bool same_request(const void *record, const void *event)
{
    const struct vm *vm = record;
    const struct vm_event *ev = event;
    return vm->registered && memcmp(vm->registration.request_hash, ev->registration.request_hash,
                                    sizeof vm->registration.request_hash) == 0;
}

static bool drive_is_here(const void *record, const void *event)
{
    return vm_drive_find(record, ((const struct vm_event *)event)->drive.id) >= 0;
}

/* A guest speaks of drives that it was given, and says of them what only it can know. */
static bool guest_knows_drive(const void *record, const void *event)
{
    const struct vm *vm = record;
    const struct vm_drive_report *report = &((const struct vm_event *)event)->drive;
    int index = vm_drive_find(vm, report->id);
    return vm->registered && index >= 0 && vm->drive[index].attached &&
           (report->status == VM_DRIVE_UNLOCKED || report->status == VM_DRIVE_MOUNTED ||
            report->status == VM_DRIVE_FAILED);
}

static void keep_drive(void *record, const void *event, uint8_t status)
{
    struct vm *vm = record;
    const struct vm_drive_report *report = &((const struct vm_event *)event)->drive;
    struct vm_drive *drive = &vm->drive[vm_drive_find(vm, report->id)];
    bool failed = status == VM_DRIVE_FAILED;
    drive->status = status;
    drive->code = failed ? report->trouble.code : 0;
    fsm_text_keep(drive->detail, sizeof drive->detail, failed ? report->trouble.detail : "");
}

static void keep_drive_attached(void *record, const void *event, struct fsm_fx *fx)
{
    struct vm *vm = record;
    int index = vm_drive_find(vm, ((const struct vm_event *)event)->drive.id);
    (void)fx;
    /* Attaching again after a restart must not make a mounted drive look merely attached. */
    if (!vm->drive[index].attached)
        keep_drive(record, event, VM_DRIVE_ATTACHED);
    vm->drive[index].attached = true;
}

static void keep_drive_failed(void *record, const void *event, struct fsm_fx *fx)
{
    (void)fx;
    keep_drive(record, event, VM_DRIVE_FAILED);
}

static void keep_drive_status(void *record, const void *event, struct fsm_fx *fx)
{
    (void)fx;
    keep_drive(record, event, ((const struct vm_event *)event)->drive.status);
}

static void keep_order(void *record, const void *event, struct fsm_fx *fx)
{
    struct vm *vm = record;
    const struct vm_destroy *order = &((const struct vm_event *)event)->destroy;
    (void)fx;
    vm->code = 0;
    vm->forced = order->force;
    fsm_text_keep(vm->destroyed_by, sizeof vm->destroyed_by, order->by);
    fsm_text_keep(vm->detail, sizeof vm->detail, order->reason);
}

/* Any word on the domain says that libvirt is there. */
static void keep_pause(void *record, const void *event, struct fsm_fx *fx)
{
    vm_act_trouble(record, event, fx);
    vm_act_libvirt_back(record, event, fx);
    ((struct vm *)record)->paused = true;
}

static void keep_resume(void *record, const void *event, struct fsm_fx *fx)
{
    vm_act_overcome(record, event, fx);
    vm_act_libvirt_back(record, event, fx);
    ((struct vm *)record)->paused = false;
}

static void keep_link_up(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    (void)fx;
    ((struct vm *)record)->link_up = true;
}

static void keep_guest_state(void *record, const void *event, struct fsm_fx *fx)
{
    struct vm *vm = record;
    (void)fx;
    fsm_text_keep(vm->guest_state, sizeof vm->guest_state, ((const struct vm_event *)event)->guest_state);
}

static const struct fsm_row rows[] = {
    {VM_ON_DESTROY_ASKED, NULL, keep_order, VM_DESTROYED, "destroyed, as was asked"},
    {VM_ON_DOMAIN_GONE, vm_when_started, vm_act_domain_gone, VM_DESTROYED,
     "destroyed: its domain ended, and Kiln did not end it"},

    {VM_ON_LIBVIRT_LOST, NULL, vm_act_libvirt_lost, FSM_STAY,
     "libvirt is away: nothing is known of the domain, so nothing changes"},
    {VM_ON_LIBVIRT_BACK, NULL, vm_act_libvirt_back, FSM_AGAIN, "libvirt is back and shows the domain"},
    {VM_ON_RECOVERED, NULL, vm_act_recovered, FSM_AGAIN, "kilnd started again and takes up where it was"},
    {VM_ON_DOMAIN_PAUSED, vm_when_started, keep_pause, FSM_AGAIN,
     "the domain is paused: it is kept as it is"},
    {VM_ON_DOMAIN_RESUMED, vm_when_started, keep_resume, FSM_STAY, "the domain runs again"},

    {VM_ON_REGISTERED, same_request, NULL, FSM_AGAIN,
     "the same registration again: the controller was restarted"},
    {VM_ON_LINK_UP, vm_when_registered, keep_link_up, FSM_AGAIN, "the guest's link is up"},
    {VM_ON_LINK_DOWN, vm_when_registered, vm_act_link_down, FSM_STAY, "the guest's link is down"},
    {VM_ON_GUEST_STATE, vm_when_registered, keep_guest_state, FSM_STAY, "the controller says what it does"},
    {VM_ON_GUEST_FAILED, vm_when_registered, vm_act_trouble, FSM_STAY,
     "the controller failed: the VM has integrated already and stays up"},
    {VM_ON_GUEST_TROUBLE, vm_when_registered, vm_act_trouble, FSM_STAY,
     "the guest reports something that can be tried again"},
    {VM_ON_PAIRED, vm_when_owner, vm_act_channels, FSM_STAY, "an owner is authenticated again"},
    {VM_ON_CHANNEL_CLOSED, vm_when_registered, vm_act_channels, FSM_STAY, "an owner's channel ended"},

    {VM_ON_DRIVE_ATTACHED, drive_is_here, keep_drive_attached, FSM_STAY, "a drive is attached"},
    {VM_ON_DRIVE_FAILED, drive_is_here, keep_drive_failed, FSM_STAY, "a drive could not be attached"},
    {VM_ON_DRIVE_STATUS, guest_knows_drive, keep_drive_status, FSM_STAY,
     "the guest says how it fares with a drive"},

    {VM_ON_ASSIGN, vm_when_unassigned, vm_act_assign, FSM_STAY, "the VM is given to an owner"},
};

const struct fsm_state vm_state_any = {
    .name = "any state but destroyed",
    .story = "what holds in every state",
    FSM_ROWS(rows),
};
