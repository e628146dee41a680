/*
 * vm_booted.c - the domain runs: the guest's registration is awaited.
 */
#include "states/vm_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, VM_FX_ENSURE_BOOT_FILE_GONE, 0);
    fsm_fx_push(fx, VM_FX_ENSURE_CONSOLE, 0);
}

/* From here on the boot secret speaks for this request only. */
static void keep_registration(void *record, const void *event, struct fsm_fx *fx)
{
    struct vm *vm = record;
    vm_act_overcome(record, event, fx);
    vm->registered = true;
    vm->registration = ((const struct vm_event *)event)->registration;
}

static const struct fsm_row rows[] = {
    {VM_ON_REGISTERED, NULL, keep_registration, VM_REGISTERED,
     "the guest registered its key with a good proof of the boot secret"},
    {VM_ON_GUEST_FAILED, NULL, vm_act_trouble, VM_DESTROYED, "destroyed: the guest cannot integrate"},
    {VM_ON_TIMEOUT, NULL, vm_act_deadline, VM_DESTROYED, "destroyed: the guest did not register in time"},
};

const struct fsm_state vm_state_booted = {
    .name = "booted",
    .story = "the guest's registration is awaited",
    .timeout_ms = 300 * 1000,
    .enter = enter,
    FSM_ROWS(rows),
};
