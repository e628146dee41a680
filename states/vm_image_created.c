/*
 * vm_image_created.c - the volume is there: the domain is being started on it.
 */
#include "states/vm_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, VM_FX_ENSURE_NETWORK, 0);
    fsm_fx_push(fx, VM_FX_ENSURE_DOMAIN, 0);
    fsm_fx_push(fx, VM_FX_ENSURE_CONSOLE, 0);
}

static bool boots_left(const void *record, const void *event)
{
    const struct vm *vm = record;
    (void)event;
    return vm->boot_number < vm->boots_max;
}

static void domain_failed(void *record, const void *event, struct fsm_fx *fx)
{
    vm_act_trouble(record, event, fx);
    vm_act_libvirt_back(record, event, fx);
}

/* Each start has a secret of its own: what an earlier domain may have learned is worth nothing. */
static void number_next_boot(void *record, const void *event, struct fsm_fx *fx)
{
    domain_failed(record, event, fx);
    ((struct vm *)record)->boot_number++;
}

/* Whether the domain of this boot, or of one that the record does not know yet, is not there. Then it may
 * have run and ended, and somebody may keep what its guest sent. */
static bool domain_not_seen(const void *record, const void *event)
{
    const struct vm_sight *sight = &((const struct vm_event *)event)->sight;
    return !sight->domain || sight->boot < ((const struct vm *)record)->boot_number;
}

/* That nobody knows of the last start is no failure: it counts against no limit. And its domain may yet come
 * up and be in the way of the next, once. */
static void number_boot_anew(void *record, const void *event, struct fsm_fx *fx)
{
    struct vm *vm = record;
    vm_act_recovered(record, event, fx);
    vm->boot_number++;
    vm->boots_max += 2;
}

static void domain_up(void *record, const void *event, struct fsm_fx *fx)
{
    vm_act_overcome(record, event, fx);
    vm_act_libvirt_back(record, event, fx);
}

static const struct fsm_row rows[] = {
    {VM_ON_DOMAIN_UP, NULL, domain_up, VM_BOOTED, "its domain runs"},
    {VM_ON_DOMAIN_FAILED, boots_left, number_next_boot, FSM_AGAIN,
     "its domain could not be started: it is tried again with a new secret"},
    {VM_ON_DOMAIN_FAILED, NULL, domain_failed, VM_DESTROYED, "destroyed: its domain could not be started"},
    {VM_ON_DOMAIN_GONE, boots_left, number_next_boot, FSM_AGAIN,
     "its domain ended while it started: it is tried again with a new secret"},
    {VM_ON_RECOVERED, domain_not_seen, number_boot_anew, FSM_AGAIN,
     "nothing is seen of its domain, which may have run: it is started with a new secret"},
    {VM_ON_GUEST_FAILED, NULL, vm_act_trouble, VM_DESTROYED, "destroyed: the guest cannot integrate"},
    {VM_ON_TIMEOUT, NULL, vm_act_deadline, VM_DESTROYED, "destroyed: its domain did not start in time"},
};

const struct fsm_state vm_state_image_created = {
    .name = "image-created",
    .story = "the domain is awaited",
    .timeout_ms = 120 * 1000,
    .enter = enter,
    FSM_ROWS(rows),
};
