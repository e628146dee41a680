/*
 * Core: questions about VMs, their history and their changes. See core.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/text.h"
#include "protocol/wire.h"
#include "src/core/core.h"
#include "src/core/network.h"
#include "src/core/perform.h"
#include "src/core/store.h"
#include "src/core/virt_ops.h"

enum { PREFIX_MIN = 4 };

/* ---- find ---- */

const struct vm_slot *core_vm(const struct core *core, const uint8_t uuid[static VM_UUID_LEN])
{
    const struct vm_slot *slot = index_find(&core->vms, uuid);
    return slot && !slot->fresh ? slot : NULL;
}

size_t core_vm_after(const struct core *core, const uint8_t uuid[static VM_UUID_LEN])
{
    return index_after(&core->vms, uuid);
}

const struct vm_slot *core_vm_at(const struct core *core, size_t index)
{
    return index < core->vms.count ? core->vms.items[index] : NULL;
}

static const struct vm_slot *search_prefix(const struct core *core, const char *prefix)
{
    const struct vm_slot *slot, *found = NULL;
    size_t len = strlen(prefix);
    char uuid[VIRT_UUID_BYTES];
    if (len < PREFIX_MIN || len >= sizeof uuid)
        return NULL;
    for (size_t i = 0; (slot = core_vm_at(core, i)); i++) {
        core_uuid_text(slot->vm.uuid, uuid);
        if (slot->fresh || strncmp(uuid, prefix, len) != 0)
            continue;
        if (found)
            return NULL;
        found = slot;
    }
    return found;
}

/* The place of the first VM of NAME in core->names, whether there is one or not. */
static size_t names_begin(const struct core *core, const char *name)
{
    char key[VM_NAME_LEN + VM_UUID_LEN] = "";
    snprintf(key, VM_NAME_LEN, "%s", name);
    return index_after(&core->names, key);
}

static const struct vm_slot *name_at(const struct core *core, size_t at, const char *name)
{
    const struct vm_slot *slot = at < core->names.count ? core->names.items[at] : NULL;
    return slot && strcmp(slot->vm.name, name) == 0 ? slot : NULL;
}

const struct vm_slot *core_vm_living(const struct core *core, const char *name)
{
    const struct vm_slot *slot;
    for (size_t i = names_begin(core, name); (slot = name_at(core, i, name)); i++)
        if (slot->vm.head.state != VM_DESTROYED)
            return slot;
    return NULL;
}

static bool is_better(const struct vm_slot *slot, const struct vm_slot *than)
{
    bool lives = slot->vm.head.state != VM_DESTROYED;
    if (!than || lives != (than->vm.head.state != VM_DESTROYED))
        return !than || lives;
    return slot->vm.created_at_ms > than->vm.created_at_ms;
}

const struct vm_slot *core_vm_search(const struct core *core, const char *word)
{
    const struct vm_slot *slot, *found = NULL;
    uint8_t uuid[VM_UUID_LEN];
    for (size_t i = names_begin(core, word); (slot = name_at(core, i, word)); i++)
        if (!slot->fresh && is_better(slot, found))
            found = slot;
    if (!found && core_uuid_parse(word, uuid) == 0)
        return core_vm(core, uuid);
    return found ? found : search_prefix(core, word);
}

/* ---- console and waiting ---- */

size_t core_vm_console(struct core *core, const uint8_t uuid[static VM_UUID_LEN], char *ret_text, size_t size)
{
    char text[VIRT_UUID_BYTES];
    uint8_t *kept;
    size_t len_bytes;
    core_uuid_text(uuid, text);
    ret_text[0] = 0;
    len_bytes = core->virt_ops->console_tail(core->virt, text, ret_text, size);
    if (len_bytes || store_get(core->store, STORE_CONSOLES, uuid, VM_UUID_LEN, &kept, &len_bytes))
        return len_bytes;
    if (len_bytes >= size)
        len_bytes = size - 1;
    memcpy(ret_text, kept, len_bytes);
    ret_text[len_bytes] = 0;
    free(kept);
    return len_bytes;
}

const char *core_vm_waiting_for(const struct core *core, const struct vm_slot *slot, char *ret_words,
                                size_t size)
{
    const struct vm *vm = &slot->vm;
    if (vm->unreachable && slot->lost_pid)
        snprintf(ret_words, size, "libvirt, which has lost its domain, or the end of its QEMU, process %d",
                 slot->lost_pid);
    else if (vm->unreachable)
        snprintf(ret_words, size, "libvirt, which is away");
    else
        perform_words(slot, ret_words, size);
    if (ret_words[0])
        return ret_words;
    if (slot->recovering)
        snprintf(ret_words, size, "recovery: libvirt has yet to show the domains of %zu VMs",
                 core->recovering);
    else if (vm->head.state == VM_DESTROYED && vm->gone != VM_GONE_ALL)
        snprintf(ret_words, size, "the end of its%s%s%s%s", vm->gone & VM_GONE_DOMAIN ? "" : " domain",
                 vm->gone & VM_GONE_VOLUME ? "" : " volume", vm->gone & VM_GONE_DRIVES ? "" : " drives",
                 vm->gone & VM_GONE_NETWORK ? "" : " address");
    else if (vm->paused)
        snprintf(ret_words, size, "its domain to go on: it is paused");
    else if (vm->registered && !vm->link_up && vm->head.state != VM_DESTROYED)
        snprintf(ret_words, size, "the guest's link, which is down");
    else
        snprintf(ret_words, size, "%s", vm_machine.states[vm->head.state]->story);
    return ret_words;
}

size_t core_boot_queue(const struct core *core)
{
    return perform_boots_waiting(core);
}

/* ---- changes ---- */

void core_watch(struct core *core, struct core_watcher *watcher)
{
    watcher->next = core->watchers;
    core->watchers = watcher;
}

void core_unwatch(struct core *core, struct core_watcher *watcher)
{
    for (struct core_watcher **at = &core->watchers; *at; at = &(*at)->next)
        if (*at == watcher) {
            *at = watcher->next;
            return;
        }
}

uint64_t core_last_seq(const struct core *core)
{
    return core->told_seq;
}

/* ---- names ---- */

void core_guest_url(const struct core *core, char ret_url[static VIRT_URL_BYTES])
{
    snprintf(ret_url, VIRT_URL_BYTES, "https://%s", core->config.guest_listen);
}

void core_host_address(const struct core *core, char ret_address[static 16])
{
    char netmask[16];
    /* core_start has refused a subnet that makes no sense. */
    if (network_host(&core->config, ret_address, netmask))
        ret_address[0] = 0;
}

void core_vm_address(const struct vm *vm, char ret_address[static 16])
{
    snprintf(ret_address, 16, "%u.%u.%u.%u", vm->ipv4[0], vm->ipv4[1], vm->ipv4[2], vm->ipv4[3]);
}

void core_uuid_text(const uint8_t uuid[static VM_UUID_LEN], char ret_text[static VIRT_UUID_BYTES])
{
    uuid_format(uuid, ret_text);
}

int core_uuid_parse(const char *text, uint8_t ret_uuid[static VM_UUID_LEN])
{
    return uuid_parse(text, ret_uuid) ? -EINVAL : 0;
}

void core_actor_uid(char ret_actor[static VM_WHO_LEN], unsigned uid)
{
    snprintf(ret_actor, VM_WHO_LEN, "uid:%u", uid);
}

void core_actor_key(char ret_actor[static VM_WHO_LEN], const uint8_t *fingerprint)
{
    hex_encode(fingerprint, RECORD_HASH_LEN, ret_actor);
}
