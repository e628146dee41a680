/*
 * vm_destroyed.c - the VM has ended, whatever the cause: what is left of it is taken away until all of it is
 * seen gone, and the record, with its reason, is kept until the deadline, which here is the retention.
 */
#include "states/vm_common.h"

/*
 * Volume, drives and address wait for the positive word that no domain is there: a domain that still writes a
 * drive must never meet a second writer. The record waits for all of them: whatever is left has a name to be
 * asked by.
 */
static void enter(const void *record, struct fsm_fx *fx)
{
    const struct vm *vm = record;
    fsm_fx_push(fx, VM_FX_ENSURE_BRIDGES_CLOSED, 0);
    fsm_fx_push(fx, VM_FX_ENSURE_CHANNELS_CLOSED, 0);
    fsm_fx_push(fx, VM_FX_ENSURE_BOOT_FILE_GONE, 0);
    if (!(vm->gone & VM_GONE_DOMAIN))
        fsm_fx_push(fx, VM_FX_ENSURE_DOMAIN_GONE, 0);
    else {
        if (!(vm->gone & VM_GONE_VOLUME))
            fsm_fx_push(fx, VM_FX_ENSURE_VOLUME_GONE, 0);
        if (!(vm->gone & VM_GONE_DRIVES))
            fsm_fx_push(fx, VM_FX_ENSURE_DRIVES_FREE, 0);
        if (!(vm->gone & VM_GONE_NETWORK))
            fsm_fx_push(fx, VM_FX_ENSURE_NETWORK_FREE, 0);
    }
    if (vm->retention_over && vm->gone == VM_GONE_ALL)
        fsm_fx_push(fx, VM_FX_FORGET, 0);
}

static void keep_gone(void *record, uint8_t what, bool is_gone)
{
    struct vm *vm = record;
    vm->gone = (uint8_t)(is_gone ? vm->gone | what : vm->gone & ~what);
}

/* The cause that `why` shows is the first one; that the domain went now is what was asked for. */
static void domain_gone(void *record, const void *event, struct fsm_fx *fx)
{
    vm_act_libvirt_back(record, event, fx);
    keep_gone(record, VM_GONE_DOMAIN, true);
}

static void volume_gone(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    (void)fx;
    keep_gone(record, VM_GONE_VOLUME, true);
}

static void drives_free(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    (void)fx;
    keep_gone(record, VM_GONE_DRIVES, true);
}

static void network_free(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    (void)fx;
    keep_gone(record, VM_GONE_NETWORK, true);
}

static void domain_is_back(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    (void)fx;
    keep_gone(record, VM_GONE_DOMAIN, false);
}

static void volume_is_back(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    (void)fx;
    keep_gone(record, VM_GONE_VOLUME, false);
}

static void keep_force(void *record, const void *event, struct fsm_fx *fx)
{
    struct vm *vm = record;
    (void)fx;
    vm->forced = vm->forced || ((const struct vm_event *)event)->destroy.force;
}

static void end_retention(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    (void)fx;
    ((struct vm *)record)->retention_over = true;
}

static const struct fsm_row rows[] = {
    {VM_ON_DOMAIN_GONE, NULL, domain_gone, FSM_AGAIN, "its domain is gone"},
    {VM_ON_VOLUME_GONE, NULL, volume_gone, FSM_AGAIN, "its volume is gone"},
    {VM_ON_DRIVES_FREE, NULL, drives_free, FSM_AGAIN, "its drives are free"},
    {VM_ON_NETWORK_FREE, NULL, network_free, FSM_AGAIN, "its address is free"},
    {VM_ON_DOMAIN_UP, NULL, domain_is_back, FSM_AGAIN, "its domain came up after its end and is ended too"},
    {VM_ON_VOLUME_READY, NULL, volume_is_back, FSM_AGAIN, "its volume came after its end and is removed too"},
    {VM_ON_DESTROY_ASKED, NULL, keep_force, FSM_AGAIN, "destroyed already; asked for once more"},
    {VM_ON_TIMEOUT, NULL, end_retention, FSM_AGAIN,
     "its retention is over: the record goes when all else is gone"},

    {VM_ON_LIBVIRT_LOST, NULL, vm_act_libvirt_lost, FSM_STAY,
     "libvirt is away: what is left of it must wait"},
    {VM_ON_LIBVIRT_BACK, NULL, vm_act_libvirt_back, FSM_AGAIN,
     "libvirt is back: what is left of it is removed"},
    {VM_ON_RECOVERED, NULL, vm_act_libvirt_back, FSM_AGAIN,
     "kilnd started again: what is left of it is removed"},
    {VM_ON_LINK_DOWN, NULL, vm_act_link_down, FSM_STAY, "the guest's link is closed"},
    {VM_ON_CHANNEL_CLOSED, NULL, vm_act_channels, FSM_STAY, "an owner's channel is closed"},
    {VM_ON_BRIDGE_CLOSED, NULL, vm_act_bridges, FSM_STAY, "an SSH bridge is closed"},
};

const struct fsm_state vm_state_destroyed = {
    .name = "destroyed",
    .story = "ended; the record is kept for its retention",
    .timeout_ms = (int64_t)30 * 24 * 3600 * 1000,
    .final = true,
    .enter = enter,
    FSM_ROWS(rows),
};
