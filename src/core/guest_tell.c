/*
 * What a guest is told on its link (protocol/README 6.4): its owner, its drives, that it ends, that an update
 * is there.
 *
 * In: a VM's record. Out: notifications, when the VM has a link. Kept: nothing.
 */
#include <string.h>

#include "protocol/json_write.h"
#include "src/core/guest_link_private.h"
#include "src/core/object.h"
#include "src/core/vouch.h"
#include "src/io/log.h"

void guest_links_assign(struct guest_links *links, const struct vm *vm)
{
    struct core *core = links->verbs->core;
    struct guest_link *link = guest_link_find(links, vm->uuid);
    const struct user *owner = vm->assigned ? user_find_key(core, vm->owner) : NULL;
    struct vouch vouch;
    if (!link || !owner || !vm->registered)
        return;
    int error = vouch_bind(core, vm, &vouch);
    if (error) {
        log_error("guest", "a binding could not be signed", "vm=%s error=%d", vm->name, error);
        return;
    }
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_base64(&out, "owner_public_key", owner->spki, owner->spki_len_bytes);
    json_write_base64(&out, "binding", vouch.binding, vouch.binding_len);
    json_write_base64(&out, "signature", vouch.binding_signature.bytes, vouch.binding_signature.len);
    json_write_object_end(&out);
    guest_link_notify(link, "host.assign", &out);
}

static bool write_drives(struct json_writer *out, const struct vm *vm)
{
    bool complete = true;
    json_write_array_begin(out, "drives");
    for (int i = 0; i < vm->drives; i++) {
        const struct vm_drive *drive = &vm->drive[i];
        complete = complete && drive->attached;
        if (!drive->attached)
            continue;
        json_write_object_begin(out, NULL);
        json_write_uuid(out, "id", drive->id);
        json_write_text(out, "name", drive->name);
        json_write_text(out, "serial", drive->serial);
        json_write_text(out, "mode", drive->mode == VM_DRIVE_WRITER ? "writer" : "reader");
        json_write_object_end(out);
    }
    json_write_array_end(out);
    return complete;
}

void guest_links_tell_drives(struct guest_links *links, const struct vm *vm)
{
    struct guest_link *link = guest_link_find(links, vm->uuid);
    if (!link)
        return;
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_bool(&out, "complete", write_drives(&out, vm));
    json_write_object_end(&out);
    guest_link_notify(link, "host.drives", &out);
}

void guest_links_shutdown(struct guest_links *links, const struct vm *vm)
{
    struct guest_link *link = guest_link_find(links, vm->uuid);
    if (!link)
        return;
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "reason", vm->head.story);
    json_write_object_end(&out);
    guest_link_notify(link, "host.shutdown", &out);
    guest_link_end(link, "the VM ends");
}

void guest_links_announce_update(struct guest_links *links)
{
    for (struct guest_link *link = links->list; link; link = link->next) {
        if (link->stage != GUEST_LINK_PROVED)
            continue;
        struct json_writer out = json_writer_init(0);
        json_write_object_begin(&out, NULL);
        json_write_object_end(&out);
        guest_link_notify(link, "host.update", &out);
    }
}
