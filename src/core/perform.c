/*
 * Perform: see perform.h. Here: the table of effects, the short ones, and what is tried again.
 */
#include "src/core/perform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/machine.h"
#include "src/core/network.h"
#include "src/core/object.h"
#include "src/core/perform_private.h"
#include "src/core/reconcile.h"
#include "src/core/virt_ops.h"
#include "src/io/log.h"
#include "src/io/loop.h"

enum { AGAIN_MS = 5000 };

/* ---- asking ---- */

struct perform_ask *perform_ask_create(const struct vm_slot *slot, int effect)
{
    struct perform_ask *ask = calloc(1, sizeof *ask);
    if (!ask)
        return NULL;
    ask->core = slot->core;
    ask->effect = effect;
    ask->boot_number = slot->vm.boot_number;
    memcpy(ask->uuid, slot->vm.uuid, sizeof ask->uuid);
    return ask;
}

struct vm_slot *perform_ask_end(struct perform_ask *ask)
{
    struct vm_slot *slot = index_find(&ask->core->vms, ask->uuid);
    free(ask);
    return slot;
}

static uint64_t bit(int effect)
{
    return UINT64_C(1) << effect;
}

bool perform_is_under_way(const struct vm_slot *slot, int effect)
{
    return slot->perform->under_way & bit(effect);
}

struct perform_ask *perform_ask_begin(struct vm_slot *slot, int effect)
{
    struct perform_ask *ask = perform_ask_create(slot, effect);
    if (ask)
        slot->perform->under_way |= bit(effect);
    return ask;
}

struct vm_slot *perform_ask_answered(struct perform_ask *ask)
{
    int effect = ask->effect;
    struct vm_slot *slot = perform_ask_end(ask);
    if (slot)
        slot->perform->under_way &= ~bit(effect);
    return slot;
}

void perform_again(struct vm_slot *slot, int effect, const char *words)
{
    struct perform_vm *perform = slot->perform;
    log_warning("vm", "an effect failed and is tried again", "vm=%s effect=%s words=%s", slot->vm.name,
                vm_effect_name(effect), words);
    perform->retry |= bit(effect);
    fsm_text_keep(perform->retry_words, sizeof perform->retry_words, words);
    loop_timer_arm(perform->retry_at, AGAIN_MS);
}

bool perform_undone(struct vm_slot *slot, int effect, int error)
{
    if (error == -ENOTCONN && slot->core->virt_ops->is_connected(slot->core->virt))
        perform_again(slot, effect, "libvirt was away");
    return error == -ENOTCONN || error == -ECANCELED;
}

/* ---- the thin volume ---- */

static void volume_answered(void *arg, const struct virt_answer *answer)
{
    struct vm_slot *slot = perform_ask_answered(arg);
    if (!slot || perform_undone(slot, VM_FX_ENSURE_VOLUME, answer->error))
        return;
    if (!answer->error)
        machine_post_kind(slot->core, slot->vm.uuid, VM_ON_VOLUME_READY);
    else
        machine_post_trouble(slot->core, slot->vm.uuid, VM_ON_VOLUME_FAILED, CODE_VOLUME_FAILED,
                             answer->words, NULL);
}

static void perform_volume(struct vm_slot *slot)
{
    char uuid[VIRT_UUID_BYTES];
    const struct brick *brick = brick_find(slot->core, slot->vm.brick);
    if (!brick) {
        machine_post_trouble(slot->core, slot->vm.uuid, VM_ON_VOLUME_FAILED, CODE_VOLUME_FAILED,
                             "its brick is gone", NULL);
        return;
    }
    struct perform_ask *ask = perform_ask_begin(slot, VM_FX_ENSURE_VOLUME);
    core_uuid_text(slot->vm.uuid, uuid);
    int rc =
        ask ? slot->core->virt_ops->ensure_overlay(slot->core->virt, uuid, brick->image, volume_answered, ask)
            : -ENOMEM;
    if (rc) {
        if (ask)
            perform_ask_answered(ask);
        machine_post_trouble(slot->core, slot->vm.uuid, VM_ON_VOLUME_FAILED, CODE_VOLUME_FAILED,
                             strerror(-rc), NULL);
    }
}

/* ---- what goes ---- */

static enum vm_event_kind event_of_gone(int effect)
{
    switch (effect) {
    case VM_FX_ENSURE_DOMAIN_GONE:
        return VM_ON_DOMAIN_GONE;
    case VM_FX_ENSURE_VOLUME_GONE:
        return VM_ON_VOLUME_GONE;
    default:
        return VM_ON_NETWORK_FREE;
    }
}

void perform_gone_answered(void *arg, const struct virt_answer *answer)
{
    int effect = ((struct perform_ask *)arg)->effect;
    struct vm_slot *slot = perform_ask_answered(arg);
    if (!slot || perform_undone(slot, effect, answer->error))
        return;
    /* A domain of that UUID which is not Kiln's is not the one that we look for. */
    bool foreign = answer->error == -EEXIST && effect == VM_FX_ENSURE_DOMAIN_GONE;
    if (answer->error && !foreign) {
        perform_again(slot, effect, answer->words);
        return;
    }
    machine_post_trouble(slot->core, slot->vm.uuid, event_of_gone(effect), CODE_NONE, "", NULL);
}

void perform_gone_asked(struct vm_slot *slot, struct perform_ask *ask, int effect, int rc)
{
    if (ask && !rc)
        return;
    if (ask)
        perform_ask_answered(ask);
    perform_again(slot, effect, "no memory");
}

static void perform_volume_gone(struct vm_slot *slot)
{
    char uuid[VIRT_UUID_BYTES];
    struct perform_ask *ask = perform_ask_begin(slot, VM_FX_ENSURE_VOLUME_GONE);
    core_uuid_text(slot->vm.uuid, uuid);
    int rc = ask ? slot->core->virt_ops->overlay_gone(slot->core->virt, uuid, perform_gone_answered, ask)
                 : -ENOMEM;
    perform_gone_asked(slot, ask, VM_FX_ENSURE_VOLUME_GONE, rc);
}

void perform_network_free(struct vm_slot *slot)
{
    struct virt_vm_spec spec;
    /* Asked for now it could come first, and whoever answers both may die between them. */
    if (slot->perform->network == NETWORK_ASKED)
        return;
    /* It may be an orphan's: libvirt's first list tells, and then this is asked for again. */
    if (!reconcile_knows_orphans(slot->core))
        return;
    if (network_is_shared(&slot->core->network, slot->vm.ipv4)) {
        machine_post_kind(slot->core, slot->vm.uuid, VM_ON_NETWORK_FREE);
        return;
    }
    struct perform_ask *ask = perform_ask_begin(slot, VM_FX_ENSURE_NETWORK_FREE);
    /* What the brick or the edge would add says nothing about the address. */
    perform_spec(slot, &spec);
    int rc = ask ? slot->core->virt_ops->address_gone(slot->core->virt, &spec, perform_gone_answered, ask)
                 : -ENOMEM;
    perform_gone_asked(slot, ask, VM_FX_ENSURE_NETWORK_FREE, rc);
}

static void perform_forget(struct vm_slot *slot)
{
    char uuid[VIRT_UUID_BYTES];
    core_uuid_text(slot->vm.uuid, uuid);
    slot->core->virt_ops->console_forget(slot->core->virt, uuid);
    machine_forget(slot);
}

/* ---- what the edge and the guest do ---- */

static void perform_assigned(struct vm_slot *slot)
{
    const struct core_ports *ports = &slot->core->ports;
    ports->guest_assign(ports->arg, &slot->vm);
}

static void perform_guest_told(struct vm_slot *slot)
{
    const struct core_ports *ports = &slot->core->ports;
    ports->guest_tell_drives(ports->arg, &slot->vm);
}

static void perform_bridges_closed(struct vm_slot *slot)
{
    const struct core_ports *ports = &slot->core->ports;
    ports->bridges_close(ports->arg, &slot->vm);
}

static void perform_channels_closed(struct vm_slot *slot)
{
    const struct core_ports *ports = &slot->core->ports;
    ports->channels_close(ports->arg, &slot->vm);
}

/* ---- the table ---- */

static void (*const performers[VM_EFFECT_COUNT])(struct vm_slot *slot) = {
    [VM_FX_ENSURE_VOLUME] = perform_volume,
    [VM_FX_ENSURE_NETWORK] = perform_network,
    [VM_FX_ENSURE_DOMAIN] = perform_domain,
    [VM_FX_ENSURE_CONSOLE] = perform_console,
    [VM_FX_ENSURE_BOOT_FILE_GONE] = perform_boot_file_gone,
    [VM_FX_ENSURE_ASSIGNED] = perform_assigned,
    [VM_FX_ENSURE_DRIVES_ATTACHED] = perform_drives_attached,
    [VM_FX_ENSURE_GUEST_TOLD] = perform_guest_told,
    [VM_FX_ENSURE_BRIDGES_CLOSED] = perform_bridges_closed,
    [VM_FX_ENSURE_CHANNELS_CLOSED] = perform_channels_closed,
    [VM_FX_ENSURE_DOMAIN_GONE] = perform_domain_gone,
    [VM_FX_ENSURE_VOLUME_GONE] = perform_volume_gone,
    [VM_FX_ENSURE_DRIVES_FREE] = perform_drives_free,
    [VM_FX_ENSURE_NETWORK_FREE] = perform_network_free,
    [VM_FX_FORGET] = perform_forget,
};

static void effect_perform(struct vm_slot *slot, int effect)
{
    if (!perform_is_under_way(slot, effect))
        performers[effect](slot);
}

void perform_effects(struct vm_slot *slot, const struct fsm_fx *fx)
{
    perform_boot_follow(slot);
    for (size_t i = 0; i < fx->count; i++)
        effect_perform(slot, fx->list[i].what);
}

/* The record may have moved on since the last try. */
static bool is_wanted(int effect, int state)
{
    switch (effect) {
    case VM_FX_ENSURE_VOLUME:
        return state == VM_REQUESTED;
    case VM_FX_ENSURE_NETWORK:
    case VM_FX_ENSURE_DOMAIN:
        return state == VM_IMAGE_CREATED;
    case VM_FX_ENSURE_DRIVES_ATTACHED:
        return state == VM_PAIRED;
    case VM_FX_ENSURE_CONSOLE:
        return state != VM_DESTROYED;
    default:
        return state == VM_DESTROYED;
    }
}

static void again_due(void *arg)
{
    struct vm_slot *slot = arg;
    uint64_t retry = slot->perform->retry;
    int state = slot->vm.head.state;
    slot->perform->retry = 0;
    slot->perform->retry_words[0] = 0;
    for (int effect = 0; effect < VM_EFFECT_COUNT; effect++)
        if (retry >> effect & 1 && is_wanted(effect, state))
            effect_perform(slot, effect);
}

int perform_slot_init(struct vm_slot *slot)
{
    struct perform_vm *perform = calloc(1, sizeof *perform);
    if (!perform)
        return -ENOMEM;
    slot->perform = perform;
    int rc = loop_timer_create(slot->core->loop, again_due, slot, &perform->retry_at);
    if (!rc)
        rc = perform_boot_init(slot);
    if (!rc)
        rc = perform_end_init(slot);
    return rc;
}

void perform_slot_finish(struct vm_slot *slot)
{
    if (!slot->perform)
        return;
    perform_boot_finish(slot);
    perform_end_finish(slot);
    if (slot->perform->retry_at)
        loop_timer_destroy(slot->perform->retry_at);
    free(slot->perform);
    slot->perform = NULL;
}

int perform_create(struct core *core)
{
    struct perform *perform = calloc(1, sizeof *perform);
    if (!perform)
        return -ENOMEM;
    perform->core = core;
    perform->queue_last = &perform->queue_first;
    core->perform = perform;
    return 0;
}

void perform_destroy(struct core *core)
{
    free(core->perform);
    core->perform = NULL;
}
