/*
 * The audit and the daemon itself: verb_object.h says what is asked.
 */
#include <stdio.h>
#include <string.h>

#include "src/core/identity.h"
#include "src/core/reconcile.h"
#include "src/core/verb_object.h"
#include "src/core/views.h"
#include "src/core/virt_ops.h"
#include "src/io/loop.h"

enum { AUDIT_MEMBERS = 10 };

struct audit_walk {
    struct view_page page;
    uint64_t last;
    bool full;
};

static int add_entry(void *arg, const struct audit_entry *entry, const uint8_t hash[RECORD_HASH_LEN])
{
    struct audit_walk *walk = arg;
    view_audit(&walk->page.out, NULL, entry, hash);
    walk->last = entry->seq;
    walk->full = view_page_full(&walk->page, AUDIT_MEMBERS);
    return walk->full;
}

void verb_audit_list(struct ask *ask, uint64_t since)
{
    struct audit_walk walk = {0};
    char next[24];
    view_page_begin(&walk.page, "entries");
    audit_each(ask->verbs->core->store, since, add_entry, &walk);
    snprintf(next, sizeof next, "%llu", (unsigned long long)walk.last);
    view_page_end(&walk.page, walk.full ? next : NULL);
    ask_send(ask, 200, &walk.page.out);
}

static int64_t count_living(const struct core *core)
{
    const struct vm_slot *slot;
    int64_t living = 0;
    for (size_t i = 0; (slot = core_vm_at(core, i)); i++)
        living += !slot->fresh && slot->vm.head.state != VM_DESTROYED;
    return living;
}

/* What cannot be written now is tried again until it can. */
static void write_store(struct json_writer *out, const struct verbs *verbs)
{
    struct store *store = verbs->core->store;
    char words[STORE_ERROR_LEN];
    store_error_words(store, words);
    json_write_text(out, "store", !verbs->serves ? "recovering" : words[0] ? "failing" : "up");
    json_write_text(out, "store_error", words);
    json_write_int(out, "store_waiting", (int64_t)store_waiting(store));
}

/* Before the records are there, nobody knows. */
static void write_count(struct json_writer *out, const struct verbs *verbs, const char *name, int64_t count)
{
    if (verbs->serves)
        json_write_int(out, name, count);
    else
        json_write_null(out, name);
}

void verb_daemon_status(struct ask *ask)
{
    const struct core *core = ask->verbs->core;
    struct json_writer out = json_writer_init(0);
    bool libvirt = core->virt && core->virt_ops->is_connected(core->virt);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "version", KILN_VERSION);
    json_write_int(&out, "uptime_s", (loop_wall_ms() - core->started_at_ms) / 1000);
    json_write_hex(&out, "identity", identity_fingerprint(core->identity), IDENTITY_HASH_LEN);
    json_write_text(&out, "libvirt", libvirt ? "up" : "down");
    json_write_text(&out, "edge", core->edge_up ? "up" : "down");
    json_write_int(&out, "edge_certificate_expires", core->edge_certificate_expires_ms);
    write_store(&out, ask->verbs);
    write_count(&out, ask->verbs, "vms", count_living(core));
    write_count(&out, ask->verbs, "recovering", (int64_t)core->recovering);
    write_count(&out, ask->verbs, "orphans", (int64_t)reconcile_orphans(core));
    json_write_int(&out, "stalls", (int64_t)core->stalls);
    write_count(&out, ask->verbs, "queue", (int64_t)core_boot_queue(core));
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
}

void verb_daemon_reload(struct ask *ask)
{
    char error[CONFIG_ERROR_MAX];
    if (verbs_reload(ask->verbs, error))
        ask_refuse(ask, CODE_CONFIG_WRONG, error);
    else
        ask_send_empty(ask);
}
