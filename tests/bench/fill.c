/*
 * Puts many VMs into a store, each with a domain that runs and the history that led there, as if kilnd had
 * made them.
 *
 * In:   fill STORE DOMAINS BRICK COUNT; the store of a kilnd that has ended and knows the brick.
 * Out:  the VMs in it; in the file DOMAINS what libvirt (false_virt.c) shall show of them.
 * Kept: nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"
#include "src/core/audit.h"
#include "src/core/core.h"
#include "src/core/network.h"
#include "src/core/store.h"
#include "src/io/loop.h"
#include "src/io/random.h"

enum { VMS_A_TURN = 100, SPKI_BYTES = 294 };

/* From the order to a VM in use without drives. */
static const int events[] = {-1,           VM_ON_VOLUME_READY,    VM_ON_DOMAIN_UP,  VM_ON_REGISTERED,
                             VM_ON_PAIRED, VM_ON_DRIVES_ATTACHED, VM_ON_GUEST_READY};

enum { STEPS = sizeof events / sizeof events[0] };

struct filling {
    struct store *store;
    struct audit audit;
    uint64_t seq;
    const char *brick;
    FILE *domains;
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "fill: %s\n", what);
    exit(1);
}

static void history_put(struct filling *filling, struct store_batch *batch, const struct vm *vm, int from,
                        int event)
{
    uint8_t *bytes, key[8];
    char uuid[VIRT_UUID_BYTES];
    size_t len_bytes;
    struct history history = {.seq = ++filling->seq,
                              .previous = from < 0 ? 0 : filling->seq - 1,
                              .at_ms = vm->created_at_ms,
                              .from = from,
                              .to = vm->head.state,
                              .event = event};
    struct audit_deed deed = {.actor = "kilnd",
                              .what = event < 0 ? "vm.create" : vm_event_name(event),
                              .object = uuid,
                              .from = vm_state_name(from),
                              .to = vm_state_name(vm->head.state),
                              .story = vm->head.story};
    memcpy(history.vm, vm->uuid, sizeof history.vm);
    memcpy(history.name, vm->name, sizeof history.name);
    memcpy(history.story, vm->head.story, sizeof history.story);
    snprintf(history.actor, sizeof history.actor, "kilnd");
    core_uuid_text(vm->uuid, uuid);
    if (record_history_encode(&history, &bytes, &len_bytes))
        die("history");
    wire_put_u64(key, history.seq);
    store_put(batch, STORE_CHANGES, key, sizeof key, bytes, len_bytes);
    free(bytes);
    if (audit_append(&filling->audit, batch, history.at_ms, &deed))
        die("audit");
}

static void vm_put(struct filling *filling, struct store_batch *batch, const struct vm *vm)
{
    uint8_t *bytes, key[8];
    char uuid[VIRT_UUID_BYTES];
    size_t len_bytes;
    if (record_vm_encode(vm, filling->seq, &bytes, &len_bytes))
        die("record");
    wire_put_u64(key, filling->seq - STEPS + 1);
    store_put(batch, STORE_VMS, key, sizeof key, bytes, len_bytes);
    free(bytes);
    core_uuid_text(vm->uuid, uuid);
    fprintf(filling->domains, "%s %u\n", uuid, vm->boot_number);
}

static void vm_make(struct filling *filling, struct store_batch *batch, unsigned number)
{
    struct vm vm = {.vcpus = 1,
                    .memory_mib = 64,
                    .boots_max = 3,
                    .created_at_ms = loop_wall_ms(),
                    .assigned = true,
                    .assignment_number = number + 1};
    struct fsm_fx fx;
    random_fill(vm.uuid, sizeof vm.uuid);
    snprintf(vm.name, sizeof vm.name, "old-%u", number);
    snprintf(vm.brick, sizeof vm.brick, "%s", filling->brick);
    wire_put_u32(vm.ipv4, (10u << 24 | 77u << 16) + 10 + number);
    network_mac(vm.ipv4, vm.mac);
    for (int i = 0; i < STEPS; i++) {
        struct vm_event event = {.head = {.on = events[i], .at_ms = vm.created_at_ms}};
        int from = i ? vm.head.state : -1;
        if (events[i] == VM_ON_REGISTERED) {
            event.registration.spki_len_bytes = SPKI_BYTES;
            random_fill(event.registration.spki, SPKI_BYTES);
        } else if (events[i] == VM_ON_PAIRED) {
            event.count = 1;
        }
        fsm_fx_init(&fx);
        if (i == 0)
            vm_begin(&vm, vm.created_at_ms, &fx);
        else if (!vm_step(&vm, &event, &fx))
            die("step");
        history_put(filling, batch, &vm, from, events[i]);
    }
    vm_put(filling, batch, &vm);
}

static void fill(struct filling *filling, struct loop *loop, unsigned count)
{
    struct store_batch *batch;
    for (unsigned at = 0; at < count;) {
        if (store_batch_create(filling->store, &batch))
            die("batch");
        for (unsigned end = at + VMS_A_TURN; at < end && at < count; at++)
            vm_make(filling, batch, at);
        if (store_commit(batch, NULL, NULL))
            die("commit");
        while (store_waiting(filling->store))
            loop_step(loop, true);
    }
}

int main(int argc, char **argv)
{
    struct filling filling = {0};
    struct loop *loop;
    char error[STORE_ERROR_LEN];
    if (argc != 5)
        die("usage: fill STORE DOMAINS BRICK COUNT");
    filling.brick = argv[3];
    filling.domains = fopen(argv[2], "w");
    if (!filling.domains || loop_create(&loop))
        die(argv[2]);
    if (store_open(argv[1], loop, &filling.store, error))
        die(error);
    if (audit_load(&filling.audit, filling.store))
        die("the audit");
    fill(&filling, loop, (unsigned)atoi(argv[4]));
    store_close(filling.store);
    loop_destroy(loop);
    return fclose(filling.domains) ? 1 : 0;
}
