/*
 * Views of VMs and of their changes, and pages: views.h says what they are.
 */
#include "src/core/views.h"

#include "protocol/text.h"

const char *view_code_name(int32_t code)
{
    const struct code_info *info = code == CODE_NONE ? NULL : code_info(code);
    return info ? info->name : "";
}

const char *view_user_name(const struct core *core, const uint8_t fingerprint[RECORD_HASH_LEN],
                           char ret_name[VM_WHO_LEN])
{
    const struct user *user = user_find_key(core, fingerprint);
    if (user)
        return user->name;
    hex_encode(fingerprint, RECORD_HASH_LEN, ret_name);
    return ret_name;
}

static void write_vm_drives(struct json_writer *out, const struct vm *vm, bool events)
{
    json_write_array_begin(out, "drives");
    for (int i = 0; i < vm->drives; i++) {
        const struct vm_drive *drive = &vm->drive[i];
        json_write_object_begin(out, NULL);
        json_write_uuid(out, "id", drive->id);
        json_write_text(out, "name", drive->name);
        json_write_text(out, "mode", drive->mode == VM_DRIVE_WRITER ? "writer" : "reader");
        json_write_text(out, "status", vm_drive_status_name(drive->status));
        json_write_text(out, "code", view_code_name(drive->code));
        if (!events)
            json_write_text(out, "detail", drive->detail);
        json_write_object_end(out);
    }
    json_write_array_end(out);
}

static void write_vm_cause(struct json_writer *out, const struct vm *vm)
{
    json_write_text(out, "story", vm->head.story);
    json_write_text(out, "code", view_code_name(vm->code));
    json_write_text(out, "detail", vm->detail);
}

static void write_vm_people(struct json_writer *out, const struct core *core, const struct vm_slot *slot)
{
    const struct vm *vm = &slot->vm;
    char name[VM_WHO_LEN], address[16];
    json_write_text(out, "owner", vm->assigned ? view_user_name(core, vm->owner, name) : "");
    json_write_bool(out, "unreachable", vm->unreachable);
    json_write_bool(out, "recovering", slot->recovering);
    /* A controller that is gone for good can no longer say that its channels ended. */
    json_write_bool(out, "owner_connected", vm->channels > 0 && vm->link_up);
    json_write_int(out, "bridges", vm->bridges);
    core_vm_address(vm, address);
    json_write_text(out, "address", address);
}

void view_vm(struct json_writer *out, const char *key, const struct core *core, const struct vm_slot *slot)
{
    const struct vm *vm = &slot->vm;
    json_write_object_begin(out, key);
    json_write_uuid(out, "id", vm->uuid);
    json_write_text(out, "name", vm->name);
    json_write_text(out, "brick", vm->brick);
    json_write_text(out, "state", vm_state_name(vm->head.state));
    json_write_int(out, "entered", vm->head.entered_at_ms);
    json_write_int(out, "deadline", vm->head.deadline_at_ms);
    json_write_int(out, "created", vm->created_at_ms);
    write_vm_cause(out, vm);
    write_vm_people(out, core, slot);
    write_vm_drives(out, vm, false);
    json_write_hex(out, "key", vm->registration.key_fingerprint, vm->registered ? VM_HASH_LEN : 0);
    json_write_int(out, "seq", (int64_t)slot->seq);
    json_write_object_end(out);
}

static void write_step(struct json_writer *out, const struct history *history)
{
    json_write_text(out, "from", history->from < 0 ? "" : vm_state_name(history->from));
    json_write_text(out, "to", vm_state_name(history->to));
    json_write_text(out, "event", history->event < 0 ? "created" : vm_event_name(history->event));
    json_write_text(out, "story", history->story);
}

void view_vm_history(struct json_writer *out, const char *key, const struct history *history)
{
    json_write_object_begin(out, key);
    json_write_int(out, "seq", (int64_t)history->seq);
    json_write_int(out, "time", history->at_ms);
    write_step(out, history);
    json_write_text(out, "actor", history->actor);
    json_write_text(out, "code", view_code_name(history->code));
    json_write_text(out, "detail", history->detail);
    json_write_object_end(out);
}

void view_vm_event(struct json_writer *out, const char *key, const struct history *history,
                   const struct vm *vm)
{
    json_write_object_begin(out, key);
    json_write_int(out, "seq", (int64_t)history->seq);
    json_write_int(out, "time", history->at_ms);
    json_write_uuid(out, "vm", history->vm);
    json_write_text(out, "name", history->name);
    write_step(out, history);
    if (history->code != CODE_NONE) {
        json_write_text(out, "code", view_code_name(history->code));
        json_write_text(out, "detail", history->detail);
    }
    if (vm)
        write_vm_drives(out, vm, true);
    json_write_object_end(out);
}

void view_page_begin(struct view_page *page, const char *key)
{
    *page = (struct view_page){.out = json_writer_init(0), .members = 2, .members_max = VIEW_PAGE_MEMBERS};
    json_write_object_begin(&page->out, NULL);
    json_write_array_begin(&page->out, key);
}

bool view_page_full(struct view_page *page, unsigned members)
{
    page->members += members + 1;
    return page->out.len > VIEW_PAGE_BYTES || page->members > page->members_max;
}

void view_page_end(struct view_page *page, const char *next)
{
    json_write_array_end(&page->out);
    if (next)
        json_write_text(&page->out, "next", next);
    json_write_object_end(&page->out);
}
