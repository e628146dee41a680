/* links: kiln_states */
/*
 * Bytes as events of a VM's life: the first is how the VM was created, every four after it one event. Claims:
 * vm_claims.h, and that whatever happened, asking to destroy ends it and the answers of what is taken away
 * let its record go.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/claim.h"
#include "fuzz/vm_claims.h"
#include "states/recovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void claim(struct vm *vm, const struct vm_event *event)
{
    const char *broken = vm_claims_step(vm, event);
    if (!broken)
        return;
    fprintf(stderr, "claim broken: %s (%s in %s)\n", broken, vm_event_name(event->head.on),
            vm_state_name(vm->head.state));
    abort();
}

/* kilnd starts anew here, whatever libvirt shows: there is a cell, and its event has a row. */
static void check_recovery(const struct vm *kept, int64_t now_ms)
{
    static struct vm vm;
    for (int sight = 0; sight < RECOVERY_SIGHT_COUNT; sight++) {
        struct vm_event event = {.head = {.on = VM_ON_LINK_DOWN, .at_ms = now_ms}};
        memcpy(&vm, kept, sizeof vm);
        if (vm.link_up)
            claim(&vm, &event);
        const struct recovery_cell *cell = recovery_find(vm.head.state, (enum recovery_sight)sight);
        CLAIM(cell && cell->story && recovery_sight_name(sight));
        event.head.on = cell->on;
        uint64_t changes = vm.head.changes;
        claim(&vm, &event);
        CLAIM(vm.head.changes == changes + 1);
    }
}

/* The end that every life has. */
static void end_life(struct vm *vm, int64_t now_ms)
{
    static const int answers[] = {VM_ON_DESTROY_ASKED, VM_ON_DOMAIN_GONE,  VM_ON_VOLUME_GONE,
                                  VM_ON_DRIVES_FREE,   VM_ON_NETWORK_FREE, VM_ON_TIMEOUT};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct vm_event event;
        memset(&event, 0, sizeof event);
        event.head.on = answers[i];
        event.head.at_ms = vm->head.deadline_at_ms > now_ms ? vm->head.deadline_at_ms : now_ms;
        claim(vm, &event);
    }
    if (vm->gone != VM_GONE_ALL || !vm->retention_over)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vm vm;
    struct fsm_fx fx;
    int64_t now_ms = 1000;
    if (size == 0)
        return 0;
    vm_claims_begin(&vm, data[0], &fx);
    for (size_t at = 1; at + VM_CLAIMS_BYTES <= size; at += VM_CLAIMS_BYTES) {
        struct vm_event event = vm_claims_event(data + at, &now_ms);
        claim(&vm, &event);
    }
    check_recovery(&vm, now_ms);
    end_life(&vm, now_ms);
    return 0;
}
