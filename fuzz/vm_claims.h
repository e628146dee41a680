/*
 * vm_claims.h - what must hold of every step of the VM's machine, whatever the events. Used by the fuzz
 * target and by the property test: bytes become events, and after each step the claims are checked.
 */
#ifndef KILN_FUZZ_VM_CLAIMS_H
#define KILN_FUZZ_VM_CLAIMS_H

#include <string.h>

#include "states/vm.h"

/* One event takes this many bytes: kind, time, and two for its body. */
enum { VM_CLAIMS_BYTES = 4 };

/* More than any row of the machine with its state's `enter` wants. */
enum { VM_CLAIMS_FX_MAX = 12 };

/* A VM as created: two drives, half of the runs already an owner's. */
static inline void vm_claims_begin(struct vm *vm, uint8_t seed, struct fsm_fx *fx)
{
    memset(vm, 0, sizeof *vm);
    vm->drives = seed % 3;
    for (int i = 0; i < vm->drives; i++)
        vm->drive[i].id[0] = (uint8_t)i;
    vm->assigned = seed & 4;
    vm->offers_applications = seed & 8;
    vm->boots_max = 1 + (seed >> 6);
    vm_timeouts_init(vm);
    fsm_fx_init(fx);
    vm_begin(vm, 1000, fx);
}

static inline void vm_claims_body(struct vm_event *event, uint8_t a, uint8_t b)
{
    switch (event->head.on) {
    case VM_ON_REGISTERED:
        event->registration.request_hash[0] = a % 2;
        event->registration.spki_len_bytes = b;
        break;
    case VM_ON_PAIRED:
    case VM_ON_CHANNEL_CLOSED:
    case VM_ON_BRIDGE_OPENED:
    case VM_ON_BRIDGE_CLOSED:
        event->count = a % 3;
        break;
    case VM_ON_DRIVE_STATUS:
    case VM_ON_DRIVE_ATTACHED:
    case VM_ON_DRIVE_FAILED:
        event->drive.id[0] = a % 3;
        event->drive.status = b % (VM_DRIVE_STATUS_COUNT + 1);
        break;
    case VM_ON_RECOVERED:
        event->sight.domain = a & 1;
        event->sight.boot = b % 8;
        break;
    case VM_ON_ASSIGN:
        event->owner.fingerprint[0] = a;
        break;
    case VM_ON_DESTROY_ASKED:
        event->destroy.force = a & 1;
        break;
    default:
        event->trouble.code = a;
        memset(event->trouble.detail, b, sizeof event->trouble.detail - 1);
    }
}

/* The event that four bytes stand for; `now_ms` goes on, sometimes by so much that deadlines are due. */
static inline struct vm_event vm_claims_event(const uint8_t bytes[VM_CLAIMS_BYTES], int64_t *now_ms)
{
    struct vm_event event;
    memset(&event, 0, sizeof event);
    *now_ms += (int64_t)1 << (bytes[1] % 34);
    event.head.on = bytes[0] % VM_EVENT_COUNT;
    event.head.at_ms = *now_ms;
    vm_claims_body(&event, bytes[2], bytes[3]);
    return event;
}

/* `enter` asks for the same twice and leaves the record alone. */
static inline const char *vm_claims_enter(const struct vm *vm)
{
    const struct fsm_state *state = vm_machine.states[vm->head.state];
    struct vm copy;
    struct fsm_fx once, twice;
    memcpy(&copy, vm, sizeof copy);
    fsm_fx_init(&once);
    state->enter(&copy, &once);
    twice = once;
    state->enter(&copy, &twice);
    if (once.count != twice.count || once.overflow)
        return "enter is idempotent";
    return memcmp(&copy, vm, sizeof copy) == 0 ? NULL : "enter changes no record";
}

static inline const char *vm_claims_effects(const struct vm *vm, const struct fsm_fx *fx)
{
    if (fx->overflow || fx->count > VM_CLAIMS_FX_MAX)
        return "effects are bounded";
    for (size_t i = 0; i < fx->count; i++)
        if (fx->list[i].what >= VM_EFFECT_COUNT)
            return "effects are known";
    bool ended = vm->head.state == VM_DESTROYED;
    bool frees = fsm_fx_has(fx, VM_FX_ENSURE_DRIVES_FREE, 0) || fsm_fx_has(fx, VM_FX_ENSURE_VOLUME_GONE, 0) ||
                 fsm_fx_has(fx, VM_FX_ENSURE_NETWORK_FREE, 0);
    if (frees && !(ended && vm->gone & VM_GONE_DOMAIN))
        return "nothing is freed while a domain may use it";
    if (ended && fsm_fx_has(fx, VM_FX_ENSURE_DOMAIN, 0))
        return "no domain is started for an ended VM";
    if (fsm_fx_has(fx, VM_FX_FORGET, 0) && !(ended && vm->gone == VM_GONE_ALL && vm->retention_over))
        return "a record goes last";
    return NULL;
}

static inline const char *vm_claims_record(const struct vm *was, const struct vm *vm)
{
    int state = vm->head.state;
    if (state < 0 || state >= VM_STATE_COUNT)
        return "the state is one of the list";
    if (was->head.state == VM_DESTROYED && state != VM_DESTROYED)
        return "an ended VM stays ended";
    if (vm->head.deadline_at_ms && !vm_machine.states[state]->timeout_ms)
        return "only a state with a timeout has a deadline";
    if (was->registered && memcmp(&was->registration, &vm->registration, sizeof vm->registration) != 0)
        return "a registration is for good";
    if (was->assigned && (!vm->assigned || memcmp(was->owner, vm->owner, sizeof vm->owner) != 0))
        return "an owner is for good";
    if (vm->boot_number < was->boot_number || vm->boot_number > vm->boots_max)
        return "boots are numbered upwards, up to their limit";
    if (state >= VM_REGISTERED && state < VM_DESTROYED && !vm->registered)
        return "a VM past booted is registered";
    if (state >= VM_PAIRED && state < VM_DESTROYED && !vm->assigned)
        return "a paired VM is somebody's";
    if (state == VM_READY && was->head.state == VM_DRIVES_ATTACHED)
        for (int i = 0; i < vm->drives; i++)
            if (vm->drive[i].status != VM_DRIVE_MOUNTED)
                return "a VM becomes ready with all drives mounted";
    if (vm->head.changes != was->head.changes + 1)
        return "a row is one change";
    return NULL;
}

/* A secret serves one domain: where that of the present boot is not seen, another number is started. */
static inline const char *vm_claims_secret(const struct vm *was, const struct vm *vm,
                                           const struct vm_event *event, const struct fsm_fx *fx)
{
    bool starts = event->head.on == VM_ON_RECOVERED && was->head.state == VM_IMAGE_CREATED &&
                  fsm_fx_has(fx, VM_FX_ENSURE_DOMAIN, 0);
    bool seen = starts && event->sight.domain && event->sight.boot == was->boot_number;
    if (starts && !seen && vm->boot_number == was->boot_number)
        return "a start after one that nothing is known of has a secret of its own";
    return NULL;
}

/* Steps the record; NULL, or the claim that does not hold. */
static inline const char *vm_claims_step(struct vm *vm, const struct vm_event *event)
{
    struct vm was;
    struct fsm_fx fx;
    memcpy(&was, vm, sizeof was);
    fsm_fx_init(&fx);
    const struct fsm_row *row = vm_step(vm, event, &fx);
    if (!row) {
        if (event->head.on == VM_ON_DESTROY_ASKED)
            return "destroy is never refused";
        if (fx.count)
            return "a refused event has no effects";
        return memcmp(&was, vm, sizeof was) == 0 ? NULL : "a refused event changes nothing";
    }
    if (event->head.on == VM_ON_DESTROY_ASKED && vm->head.state != VM_DESTROYED)
        return "destroy ends in destroyed";
    const char *broken = vm_claims_record(&was, vm);
    if (!broken)
        broken = vm_claims_effects(vm, &fx);
    if (!broken)
        broken = vm_claims_secret(&was, vm, event, &fx);
    return broken ? broken : vm_claims_enter(vm);
}

#endif
