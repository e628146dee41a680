/*
 * One life: see life.h.
 */
#include "tests/sim/life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"
#include "src/core/deadline.h"
#include "src/core/guest_link.h"
#include "src/core/network.h"
#include "src/core/verbs.h"
#include "tests/sim/box.h"
#include "tests/sim/claims.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk.h"
#include "tests/sim/edge.h"
#include "tests/sim/false_loop.h"
#include "tests/sim/false_net.h"
#include "tests/sim/false_socket.h"
#include "tests/sim/host.h"
#include "tests/sim/hypervisor.h"
#include "tests/sim/people.h"
#include "tests/sim/truth.h"

enum {
    LIVE_S = 60,       /* after the last act */
    QUIET_S = 1500,    /* all deadlines one after the other */
    END_S = 400,       /* a guest's time to end, tries that failed, sweeps */
    RETENTION_S = 800, /* the retention, and a sweep */
    PREPARE_S = 60,
    CLOCK_LOOK_US = 70000
};

static const struct plan *the_plan;
static uint64_t steps;

/* ---- what goes wrong ---- */

static void disk_heal(void *arg)
{
    (void)arg;
    disk_refuse(false);
}

static void unpause(void *arg)
{
    const uint8_t *id = people_vm((int)(intptr_t)arg);
    struct hypervisor_domain *domain = id ? hypervisor_find(id) : NULL;
    if (domain)
        hypervisor_pause(domain, false);
}

static void find(void *arg)
{
    const uint8_t *id = people_vm((int)(intptr_t)arg);
    struct hypervisor_domain *domain = id ? hypervisor_find(id) : NULL;
    if (domain)
        hypervisor_lose(domain, false);
}

static void act_on_disk(int64_t for_us)
{
    disk_refuse(true);
    clock_after(for_us, disk_heal, NULL, NULL);
}

static void act_on_domain(const struct plan_act *act, struct hypervisor_domain *domain)
{
    switch (act->kind) {
    case PLAN_ACT_DIES:
        hypervisor_stop(domain, VIRT_EVENT_CRASHED, "QEMU ended unexpectedly");
        return;
    case PLAN_ACT_OFF:
        hypervisor_stop(domain, VIRT_EVENT_STOPPED, "the guest shut itself down");
        return;
    case PLAN_ACT_PAUSE:
        hypervisor_pause(domain, true);
        clock_after(act->numbers[0] * MS, unpause, (void *)(intptr_t)act->vm, NULL);
        return;
    case PLAN_ACT_LOSE:
        hypervisor_lose(domain, true);
        clock_after(act->numbers[0] * MS, find, (void *)(intptr_t)act->vm, NULL);
        return;
    case PLAN_ACT_REBOOT:
        box_reboot(domain->box);
        return;
    case PLAN_ACT_CRASH:
        box_crash(domain->box);
        return;
    default:
        return;
    }
}

/* kilnd looks at its clocks ten times a second. */
static void clock_look(void *arg)
{
    deadline_look(arg);
}

static void act_on_clock(int64_t by_s)
{
    clock_jump(by_s * 1000);
    if (host_up())
        clock_after(CLOCK_LOOK_US, clock_look, host_core(), loop_owner(host_core()->loop));
}

static void act_on_host(const struct plan_act *act)
{
    switch (act->kind) {
    case PLAN_ACT_KILL:
        host_kill((unsigned)act->numbers[0], act->numbers[1] * MS);
        return;
    case PLAN_ACT_STOP:
        host_stop(act->numbers[0] * MS);
        return;
    case PLAN_ACT_UPDATE:
        if (host_up())
            guest_links_announce_update(host_verbs()->links);
        return;
    case PLAN_ACT_EDGE:
        edge_crash(act->numbers[0] * MS);
        return;
    case PLAN_ACT_AWAY:
        false_virt_away(act->numbers[0] * MS);
        return;
    case PLAN_ACT_SLOW:
        false_virt_slow(act->numbers[0] * MS);
        return;
    case PLAN_ACT_FULL:
        act_on_disk(act->numbers[0] * MS);
        return;
    case PLAN_ACT_JUMP:
        act_on_clock(act->numbers[0]);
        return;
    default:
        return;
    }
}

static void act_of_people(const struct plan_act *act)
{
    switch (act->kind) {
    case PLAN_ACT_LEAVE:
        people_leave(act->vm, act->numbers[0] * MS);
        return;
    case PLAN_ACT_SECOND:
        people_come_again(act->vm);
        return;
    case PLAN_ACT_ASSIGN:
        people_assign(act->vm, (int)act->numbers[0]);
        return;
    case PLAN_ACT_BRIDGE:
        people_bridge(act->vm, act->numbers[0] * MS);
        return;
    case PLAN_ACT_DESTROY:
        people_destroy(act->vm, act->numbers[0]);
        return;
    case PLAN_ACT_ADD:
        people_drive_add((int)act->numbers[0]);
        return;
    case PLAN_ACT_REMOVE:
        people_drive_remove((int)act->numbers[0]);
        return;
    default:
        return;
    }
}

static bool is_taken(const char *address)
{
    const struct hypervisor_domain *domain = hypervisor_domains();
    char other[16];
    while (domain && strcmp(domain->address, address) != 0)
        domain = domain->next;
    for (size_t i = 0; !domain && i < truth.nvms; i++) {
        core_vm_address(&truth.vms[i].vm, other);
        if (truth.vms[i].there && network_has_address(&truth.vms[i].vm) && strcmp(other, address) == 0)
            return true;
    }
    return domain;
}

/* While kilnd is down it is as after a restore: the stranger has the address that is given to the next VM.
 * Later kilnd could not know in time. */
static void stranger_come(bool ours)
{
    uint8_t id[VM_UUID_LEN] = {0xee, ours};
    char address[16] = "";
    if (hypervisor_find(id))
        return;
    for (uint8_t last = 10; ours && !host_up() && (last == 10 || is_taken(address)); last++)
        snprintf(address, sizeof address, "10.77.0.%u", last);
    hypervisor_stranger(id, ours, address);
}

static void act_now(void *arg)
{
    const struct plan_act *act = arg;
    const uint8_t *id = people_vm(act->vm);
    struct hypervisor_domain *domain = id ? hypervisor_find(id) : NULL;
    act_on_host(act);
    act_of_people(act);
    if (act->kind == PLAN_ACT_FAIL)
        false_virt_fail((enum virt_call)act->numbers[0], id, (unsigned)act->numbers[1]);
    else if (act->kind == PLAN_ACT_NET && id)
        false_net_fault(id, (enum false_net_fault)act->numbers[0]);
    else if (act->kind == PLAN_ACT_STRANGER)
        stranger_come(act->numbers[0]);
    else if (domain)
        act_on_domain(act, domain);
}

static void all_heal(void)
{
    disk_refuse(false);
    false_virt_heal();
    people_return();
    for (unsigned i = 0; i < the_plan->nvms; i++) {
        find((void *)(intptr_t)i);
        unpause((void *)(intptr_t)i);
    }
}

void life_box_fill(struct box *box)
{
    const struct truth_vm *vm = truth_vm(box->id);
    int index = vm ? people_index(vm->vm.name) : -1;
    if (index < 0)
        return;
    const struct plan_vm *plan = &the_plan->vms[index];
    box->port_taken = plan->port_taken;
    box->silent = plan->silent;
    box->mounts_fail = plan->mounts_fail;
    box->users_fail = plan->users_fail;
}

/* ---- steps ---- */

static bool step(void)
{
    bool more = clock_step();
    steps++;
    host_bury();
    claims_look();
    return more && !claims_broken();
}

/* Goes on for FOR_S, or until IS_OVER says so; then IS_OVER looks a last time. */
static void run(int64_t for_s, bool (*is_over)(bool last_look))
{
    int64_t until_us = clock_us() + for_s * SECOND;
    while (clock_us() < until_us && step())
        if (is_over && is_over(false))
            break;
    if (is_over && !claims_broken())
        is_over(true);
}

static void world_begin(uint64_t seed, bool calm, enum virt_lie lie)
{
    clock_begin(seed, calm);
    claims_begin();
    disk_begin();
    hypervisor_begin();
    false_virt_begin(lie);
    false_socket_begin();
    false_net_begin();
    host_begin();
    edge_begin();
    host_start();
    steps = 0;
}

static void world_end(void)
{
    host_finish();
    edge_end();
    hypervisor_end();
    false_net_end();
    false_virt_end();
    clock_end();
}

static bool has_objects(bool last_look)
{
    if (last_look && !people_have_objects())
        claim_broken("prepares", "the objects of all lives cannot be made");
    return people_have_objects();
}

void life_prepare(void)
{
    static const struct plan nothing = {.calm = true};
    the_plan = &nothing;
    world_begin(0, true, VIRT_LIE_NONE);
    people_begin(&nothing);
    run(1, NULL);
    people_order_objects();
    run(PREPARE_S, has_objects);
    run(1, NULL);
    host_stop(0);
    disk_keep();
    hypervisor_keep();
    world_end();
    if (claims_broken()) {
        fprintf(stderr, "%s: %s\n", claims_broken(), claims_words());
        exit(EXIT_FAILURE);
    }
}

static void phases(const struct plan *plan)
{
    int64_t last_ms = 0;
    for (unsigned i = 0; i < plan->nacts; i++) {
        clock_after(plan->acts[i].at_ms * MS, act_now, (void *)&plan->acts[i], NULL);
        last_ms = plan->acts[i].at_ms > last_ms ? plan->acts[i].at_ms : last_ms;
    }
    run(LIVE_S + last_ms / 1000, NULL);
    if (claims_broken())
        return;
    all_heal();
    claims_quiet_begins();
    run(QUIET_S, claims_settled);
    if (claims_broken())
        return;
    people_destroy_all();
    run(END_S, claims_ended);
    if (!claims_broken())
        run(RETENTION_S, claims_forgotten);
}

void life_run(const struct plan *plan, struct life_end *ret_end)
{
    the_plan = plan;
    world_begin(plan->seed, plan->calm, plan->lie);
    people_begin(plan);
    phases(plan);
    memset(ret_end, 0, sizeof *ret_end);
    if (claims_broken()) {
        snprintf(ret_end->claim, sizeof ret_end->claim, "%s", claims_broken());
        snprintf(ret_end->words, sizeof ret_end->words, "%s", claims_words());
    }
    ret_end->steps = steps;
    ret_end->points = host_points();
    ret_end->at_us = clock_us();
    memcpy(ret_end->trace, truth.audit_hash, sizeof ret_end->trace);
    world_end();
}

void life_finish(void)
{
    disk_end();
}
