/*
 * What the tests of reconcile share: records as an earlier kilnd left them, and time that passes by moving
 * back what was noted.
 *
 * In: a core on a false libvirt. Kept: nothing.
 */
#ifndef KILN_TESTS_UNIT_CORE_KEPT_H
#define KILN_TESTS_UNIT_CORE_KEPT_H

#include "core_false_virt.h"
#include "src/core/reconcile_private.h"
#include "tests/unit/core_number.h"

/* A record as a kilnd that is gone left it. */
static inline struct vm kept_in(int state, unsigned number)
{
    struct vm vm = {.head = {.state = state, .entered_at_ms = loop_wall_ms() - 3600 * 1000},
                    .assigned = true,
                    .boot_number = state > VM_REQUESTED ? 1 : 0,
                    .boots_max = 2,
                    .registered = state >= VM_REGISTERED,
                    .link_up = state >= VM_REGISTERED,
                    .brick = "debian",
                    .ipv4 = {10, 77, 0, (uint8_t)(10 + number)},
                    .owner = {1}};
    uuid_make(number, vm.uuid);
    if (state == VM_PAIRED) {
        vm.drives = 1;
        vm.drive[0].id[0] = 1;
    }
    snprintf(vm.name, sizeof vm.name, "kept-%u", number);
    return vm;
}

/* Puts it into the store behind the core's back, for the next core_up. */
static inline void keep(struct fixture *fixture, const struct vm *vm)
{
    struct store_batch *batch;
    uint8_t *bytes, key[8];
    size_t len_bytes;
    /* A number that no change of the test's own comes to. */
    memcpy(key, vm->uuid + 8, sizeof key);
    key[0] = 1;
    assert_int_equal(record_vm_encode(vm, 0, &bytes, &len_bytes), 0);
    assert_int_equal(store_batch_create(fixture->core.store, &batch), 0);
    store_put(batch, STORE_VMS, key, sizeof key, bytes, len_bytes);
    assert_int_equal(store_commit(batch, NULL, NULL), 0);
    free(bytes);
}

static inline void restart(struct fixture *fixture)
{
    settle(fixture);
    core_down(fixture);
    core_up(fixture);
}

static inline void connection_up(struct fixture *fixture)
{
    struct virt_event back = {.kind = VIRT_EVENT_BACK, .words = ""};
    false_virt.connected = true;
    reconcile_event(&fixture->core, &back);
    answer(fixture, "host", 0);
}

/* So much time passes, as far as reconcile knows. */
static inline void time_passes(struct fixture *fixture, int64_t ms)
{
    struct reconcile *reconcile = fixture->core.reconcile;
    reconcile->up_since_ms -= ms;
    for (size_t i = 0; i < reconcile->norphans; i++)
        reconcile->orphans[i].since_ms -= ms;
    for (size_t i = 0; i < fixture->core.vms.count; i++) {
        struct vm_slot *slot = fixture->core.vms.items[i];
        slot->absent_since_ms -= slot->absent_since_ms ? ms : 0;
    }
}

static inline void look_again(struct fixture *fixture, const struct virt_domain_info *domains, size_t count)
{
    reconcile_sweep(&fixture->core);
    answer_list(fixture, domains, count);
    settle(fixture);
}

static inline const struct vm_slot *slot_of(struct fixture *fixture, unsigned number)
{
    uint8_t uuid[VM_UUID_LEN];
    uuid_make(number, uuid);
    return core_vm(&fixture->core, uuid);
}

#endif
