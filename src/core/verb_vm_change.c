/*
 * VMs: create and destroy. verb_vm.h says what is asked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json.h"
#include "src/core/create.h"
#include "src/core/verb_vm.h"

static void created(void *arg, int error, const struct vm *vm)
{
    struct ask *ask = arg;
    (void)vm;
    if (error) {
        ask_refuse_errno(ask, error);
        return;
    }
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_uuid(&out, "id", ask->id);
    json_write_object_end(&out);
    ask_send(ask, 201, &out);
}

/* A drive by its id, or by the name that its owner gave it. */
static bool find_drive(const struct core *core, const char *word, const uint8_t *owner,
                       uint8_t ret_id[VM_UUID_LEN])
{
    if (core_uuid_parse(word, ret_id) == 0)
        return true;
    const struct drive *drive = drive_find_name(core, owner, word);
    if (drive)
        memcpy(ret_id, drive->id, VM_UUID_LEN);
    return drive;
}

/* Reads one element of "drives". Returns NULL, or what is wrong with it. */
static const char *read_drive(const struct core *core, const struct json *element, const uint8_t *owner,
                              struct create_drive *ret_drive)
{
    struct json_reader reader = json_reader_init(element);
    const char *word = json_read_text(&reader, "drive");
    const char *mode = json_read_text_or(&reader, "mode", "writer");
    if (json_reader_end(&reader))
        return reader.wrong;
    if (strcmp(mode, "writer") != 0 && strcmp(mode, "reader") != 0)
        return "mode";
    ret_drive->mode = strcmp(mode, "writer") == 0 ? VM_DRIVE_WRITER : VM_DRIVE_READER;
    return find_drive(core, word, owner, ret_drive->id) ? NULL : word;
}

/* Reads "drives" into DRIVES of VM_DRIVES_MAX. Returns false after a refusal. */
static bool read_drives(struct ask *ask, const struct json *array, const uint8_t *owner,
                        struct create_drive *drives)
{
    char detail[VM_DETAIL_LEN];
    if (json_count(array) > VM_DRIVES_MAX) {
        ask_refuse(ask, CODE_BAD_PARAMETER, "drives: at most 8");
        return false;
    }
    for (size_t i = 0; i < json_count(array); i++) {
        const char *wrong = read_drive(ask->verbs->core, json_at(array, i), owner, &drives[i]);
        if (!wrong)
            continue;
        snprintf(detail, sizeof detail, "drives[%zu]: %.100s", i, wrong);
        ask_refuse(ask,
                   strcmp(wrong, "drive") == 0 || strcmp(wrong, "mode") == 0 ? CODE_BAD_PARAMETER
                                                                             : CODE_DRIVE_UNKNOWN,
                   detail);
        return false;
    }
    return true;
}

void verb_vm_create(struct ask *ask, const struct json *params, const uint8_t owner[RECORD_HASH_LEN])
{
    struct create_drive drives[VM_DRIVES_MAX];
    struct json_reader reader = json_reader_init(params);
    struct create_order order = {.owner = owner, .drives = drives};
    char detail[VM_DETAIL_LEN] = "";
    order.name = json_read_name(&reader, "name");
    order.brick = json_read_name(&reader, "brick");
    const struct json *array = json_read_array_or_null(&reader, "drives");
    order.ndrives = json_count(array);
    if (json_reader_end(&reader)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
        return;
    }
    if (!ask_may_store(ask) || !read_drives(ask, array, owner, drives))
        return;
    enum kiln_code code =
        create_vm(ask->verbs->core, &order, ask->caller.actor, created, ask, ask->id, detail);
    if (code != CODE_NONE)
        ask_refuse(ask, code, detail);
}

static void destroy_taken(void *arg, int error, const struct vm *vm)
{
    struct ask *ask = arg;
    if (error) {
        ask_refuse(ask, error == -ENOENT ? CODE_NOT_FOUND : CODE_CONFLICT, "");
        return;
    }
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_uuid(&out, "id", vm->uuid);
    json_write_text(&out, "state", vm_state_name(vm->head.state));
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
}

void verb_vm_destroy(struct ask *ask, const struct vm_slot *slot, const struct json *params)
{
    struct json_reader reader = json_reader_init(params);
    struct vm_event event = {.head = {.on = VM_ON_DESTROY_ASKED}};
    const char *reason = json_read_text_or(&reader, "reason", "");
    event.destroy.force = json_read_bool_or(&reader, "force", false);
    if (json_reader_end(&reader)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
        return;
    }
    if (!ask_may_store(ask))
        return;
    fsm_text_keep(event.destroy.reason, sizeof event.destroy.reason, reason);
    fsm_text_keep(event.destroy.by, sizeof event.destroy.by, ask->caller.actor);
    int error = machine_post(ask->verbs->core, slot->vm.uuid, &event, ask->caller.actor, destroy_taken, ask);
    if (error)
        ask_refuse_errno(ask, error);
}
