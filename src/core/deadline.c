/*
 * Deadline: see deadline.h.
 */
#include "src/core/deadline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/io/log.h"
#include "src/io/loop.h"

enum { STEP_MS = 1000 /* less is how far two readings of clocks can be apart on a busy host */ };

static const char boot_id_path[] = "/proc/sys/kernel/random/boot_id";

static int64_t ahead_ms(void)
{
    return loop_wall_ms() - loop_monotonic_ms();
}

int deadline_begin(struct core *core)
{
    char text[17] = "";
    FILE *file = fopen(boot_id_path, "re");
    if (!file)
        return -errno;
    /* A version 4 UUID: 60 of its first 64 bits are random, enough to tell one boot from the next. */
    bool read = fscanf(file, "%8[0-9a-f]-%4[0-9a-f]-%4[0-9a-f]", text, text + 8, text + 12) == 3;
    fclose(file);
    core->clock_boot = read ? strtoull(text, NULL, 16) : 0;
    core->clock_ahead_ms = ahead_ms();
    return core->clock_boot ? 0 : -EIO;
}

void deadline_look(struct core *core)
{
    int64_t now_ms = ahead_ms(), set_ms = now_ms - core->clock_ahead_ms;
    if (llabs(set_ms) < STEP_MS)
        return;
    log_warning("clock", "was set: what is left of every deadline stays", "by_ms=%lld", (long long)set_ms);
    core->clock_ahead_ms = now_ms;
    for (size_t i = 0; i < core->vms.count; i++)
        deadline_rebase(core->vms.items[i]);
}

/* Of a deadline that was told in an earlier boot of the host, or before clocks were kept. */
static int64_t deadline_anew(const struct vm *vm)
{
    int64_t now_ms = loop_wall_ms(), whole_ms = vm->timeout_ms[vm->head.state];
    int64_t left_ms = vm->head.deadline_at_ms - now_ms;
    bool calendar = vm->head.state == VM_DESTROYED || vm->clock_boot == 0;
    if (!calendar || left_ms > whole_ms)
        return now_ms + whole_ms;
    return vm->head.deadline_at_ms;
}

void deadline_rebase(struct vm_slot *slot)
{
    const struct core *core = slot->core;
    struct vm *vm = &slot->vm;
    if (vm->head.deadline_at_ms && vm->clock_boot == core->clock_boot)
        vm->head.deadline_at_ms += core->clock_ahead_ms - vm->clock_ahead_ms;
    else if (vm->head.deadline_at_ms)
        vm->head.deadline_at_ms = deadline_anew(vm);
    vm->clock_boot = core->clock_boot;
    vm->clock_ahead_ms = core->clock_ahead_ms;
}

void deadline_arm(struct vm_slot *slot)
{
    deadline_look(slot->core);
    deadline_rebase(slot);
    if (slot->vm.head.deadline_at_ms == 0) {
        loop_timer_disarm(slot->deadline);
        return;
    }
    int64_t left_ms = slot->vm.head.deadline_at_ms - loop_wall_ms();
    int64_t floor_left_ms = slot->deadline_floor_ms - loop_monotonic_ms();
    if (slot->floor_state == slot->vm.head.state && floor_left_ms > left_ms)
        left_ms = floor_left_ms;
    loop_timer_arm(slot->deadline, left_ms > 0 ? (uint64_t)left_ms : 0);
}

void deadline_arm_anew(struct vm_slot *slot)
{
    slot->floor_state = slot->vm.head.state;
    slot->deadline_floor_ms = loop_monotonic_ms() + slot->vm.timeout_ms[slot->vm.head.state];
    deadline_arm(slot);
}
