/*
 * What a life is: see plan.h. Here: making one from a seed. plan_text.c reads and writes.
 */
#include "tests/sim/plan.h"

#include <string.h>

#include "tests/sim/clock.h"
#include "tests/sim/false_net.h"

static uint64_t below(uint64_t *dice, uint64_t count)
{
    return chance_next(dice) % count;
}

static void drives_make(uint64_t *dice, struct plan_vm *vm)
{
    unsigned wanted = (unsigned)below(dice, PLAN_VM_DRIVES + 1);
    for (unsigned i = 0; i < wanted; i++) {
        int drive = (int)below(dice, PLAN_DRIVES);
        bool twice = false;
        for (unsigned j = 0; j < vm->ndrives; j++)
            twice = twice || vm->drives[j] == drive;
        if (twice)
            continue;
        vm->drives[vm->ndrives] = drive;
        vm->writes[vm->ndrives++] = below(dice, 5) < 2;
    }
}

static void vm_make(uint64_t *dice, struct plan_vm *vm)
{
    *vm = (struct plan_vm){.at_ms = (int64_t)below(dice, 20000),
                           .owner = (int)below(dice, PLAN_OWNERS + 1) - 1,
                           .applications = below(dice, 2),
                           .port_taken = below(dice, 30) == 0,
                           .silent = below(dice, 30) == 0,
                           .loses_owner = below(dice, 15) == 0};
    vm->mounts_fail = below(dice, 6) == 0;
    vm->users_fail = below(dice, 8) == 0;
    if (vm->owner >= 0)
        drives_make(dice, vm);
}

static int64_t time_make(uint64_t *dice)
{
    static const int64_t longest_ms[] = {300, 3000, 30000, 60000};
    return 20 + (int64_t)below(dice, (uint64_t)longest_ms[below(dice, 4)]);
}

static void numbers_make(uint64_t *dice, struct plan_act *act)
{
    static const enum virt_call fail[] = {
        VIRT_CALL_OVERLAY, VIRT_CALL_OVERLAY_GONE, VIRT_CALL_ADDRESS, VIRT_CALL_ADDRESS_GONE,
        VIRT_CALL_DOMAIN,  VIRT_CALL_DOMAIN_GONE,  VIRT_CALL_ATTACH,  VIRT_CALL_CONSOLE};
    act->numbers[0] = time_make(dice);
    switch (act->kind) {
    case PLAN_ACT_KILL:
        act->numbers[0] = (int64_t)below(dice, 80);
        act->numbers[1] = time_make(dice);
        return;
    case PLAN_ACT_FAIL:
        act->numbers[0] = fail[below(dice, sizeof fail / sizeof fail[0])];
        act->numbers[1] = 1 + (int64_t)below(dice, 3);
        return;
    case PLAN_ACT_NET:
        act->numbers[0] = 1 + (int64_t)below(dice, NET_FAULT_COUNT - 1);
        return;
    case PLAN_ACT_ASSIGN:
        act->numbers[0] = (int64_t)below(dice, PLAN_OWNERS);
        return;
    case PLAN_ACT_DESTROY:
    case PLAN_ACT_STRANGER:
        act->numbers[0] = (int64_t)below(dice, 2);
        return;
    case PLAN_ACT_ADD:
    case PLAN_ACT_REMOVE:
        act->numbers[0] = (int64_t)below(dice, 2);
        return;
    case PLAN_ACT_JUMP:
        act->numbers[0] = (int64_t)below(dice, 7200) - 3600;
        return;
    default:
        return;
    }
}

/* How often each comes, out of the sum of all. */
static enum plan_act_kind kind_make(uint64_t *dice)
{
    static const uint8_t often[PLAN_ACT_COUNT] = {
        [PLAN_ACT_KILL] = 30,    [PLAN_ACT_STOP] = 4,     [PLAN_ACT_EDGE] = 8,   [PLAN_ACT_AWAY] = 12,
        [PLAN_ACT_SLOW] = 4,     [PLAN_ACT_FAIL] = 10,    [PLAN_ACT_FULL] = 6,   [PLAN_ACT_DIES] = 4,
        [PLAN_ACT_OFF] = 3,      [PLAN_ACT_PAUSE] = 4,    [PLAN_ACT_REBOOT] = 3, [PLAN_ACT_CRASH] = 8,
        [PLAN_ACT_NET] = 10,     [PLAN_ACT_LEAVE] = 8,    [PLAN_ACT_SECOND] = 4, [PLAN_ACT_ASSIGN] = 10,
        [PLAN_ACT_BRIDGE] = 8,   [PLAN_ACT_DESTROY] = 12, [PLAN_ACT_UPDATE] = 3, [PLAN_ACT_JUMP] = 1,
        [PLAN_ACT_STRANGER] = 2, [PLAN_ACT_ADD] = 2,      [PLAN_ACT_REMOVE] = 2, [PLAN_ACT_LOSE] = 4};
    unsigned sum = 0;
    for (int kind = 0; kind < PLAN_ACT_COUNT; kind++)
        sum += often[kind];
    uint64_t drawn = below(dice, sum);
    int kind = 0;
    while (drawn >= often[kind])
        drawn -= often[kind++];
    return (enum plan_act_kind)kind;
}

/* Things go wrong most where something is under way: soon after the start, or in a burst after one another.
 */
static void acts_make(uint64_t *dice, struct plan *plan)
{
    int64_t at_ms = 0;
    unsigned wanted = (unsigned)below(dice, 14);
    for (plan->nacts = 0; plan->nacts < wanted; plan->nacts++) {
        struct plan_act *act = &plan->acts[plan->nacts];
        at_ms += (int64_t)below(dice, below(dice, 3) ? 4000 : 30000);
        *act = (struct plan_act){.at_ms = at_ms, .kind = kind_make(dice)};
        act->vm = (int)below(dice, plan->nvms);
        numbers_make(dice, act);
    }
}

void plan_make(uint64_t seed, struct plan *ret_plan)
{
    uint64_t dice = seed;
    memset(ret_plan, 0, sizeof *ret_plan);
    ret_plan->seed = seed;
    ret_plan->nvms = 1 + (unsigned)below(&dice, 4);
    for (unsigned i = 0; i < ret_plan->nvms; i++)
        vm_make(&dice, &ret_plan->vms[i]);
    acts_make(&dice, ret_plan);
}
