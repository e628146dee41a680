/*
 * vm_requested.c - the record exists, nothing else does: the thin volume is awaited.
 */
#include "states/vm_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, VM_FX_ENSURE_VOLUME, 0);
}

/* The secret of the first boot has a number before any domain can be started with it. */
static void number_first_boot(void *record, const void *event, struct fsm_fx *fx)
{
    struct vm *vm = record;
    (void)event;
    (void)fx;
    if (!vm->boot_number)
        vm->boot_number = 1;
}

static const struct fsm_row rows[] = {
    {VM_ON_VOLUME_READY, NULL, number_first_boot, VM_IMAGE_CREATED,
     "its volume is there, thin over the brick"},
    {VM_ON_VOLUME_FAILED, NULL, vm_act_trouble, VM_DESTROYED, "destroyed: its volume could not be made"},
    {VM_ON_TIMEOUT, NULL, vm_act_deadline, VM_DESTROYED, "destroyed: its volume was not made in time"},
};

const struct fsm_state vm_state_requested = {
    .name = "requested",
    .story = "the thin volume over the brick's image is awaited",
    .timeout_ms = 120 * 1000,
    .enter = enter,
    FSM_ROWS(rows),
};
