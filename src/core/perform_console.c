/*
 * Perform: the serial consoles: lines that say why a guest cannot integrate.
 *
 * In: lines of a guest, so of anybody. Out: GUEST_FAILED, at most one a second for each VM.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/console_line.h"
#include "src/core/machine.h"
#include "src/core/perform_private.h"
#include "src/core/virt_ops.h"
#include "src/io/loop.h"

enum { FAILURE_EVERY_MS = 1000 };

static void line_read(void *arg, const char *uuid_text, const char *line)
{
    struct core *core = arg;
    struct console_failure failure;
    uint8_t uuid[VM_UUID_LEN];
    if (console_line_parse(line, strlen(line), &failure) || core_uuid_parse(uuid_text, uuid))
        return;
    struct vm_slot *slot = index_find(&core->vms, uuid);
    int64_t now_ms = loop_monotonic_ms();
    if (!slot || (slot->perform->console_at_ms && now_ms - slot->perform->console_at_ms < FAILURE_EVERY_MS))
        return;
    slot->perform->console_at_ms = now_ms;

    char detail[VM_DETAIL_LEN];
    const struct code_info *info = code_find(failure.code);
    /* A guest of a later version may know codes that we do not. */
    if (info)
        fsm_text_keep(detail, sizeof detail, failure.detail);
    else
        snprintf(detail, sizeof detail, "%.32s: %.150s", failure.code, failure.detail);
    machine_post_trouble(core, uuid, VM_ON_GUEST_FAILED, info ? info->code : CODE_INTERNAL, detail,
                         CORE_ACTOR_GUEST);
}

static void console_answered(void *arg, const struct virt_answer *answer)
{
    struct vm_slot *slot = perform_ask_answered(arg);
    bool lives = slot && slot->vm.head.state >= VM_BOOTED && slot->vm.head.state != VM_DESTROYED;
    if (lives && answer->error && !perform_undone(slot, VM_FX_ENSURE_CONSOLE, answer->error))
        perform_again(slot, VM_FX_ENSURE_CONSOLE, answer->words);
}

void perform_console(struct vm_slot *slot)
{
    char uuid[VIRT_UUID_BYTES];
    /* Before its start there is none, and the start asks for it. */
    if (slot->vm.head.state == VM_IMAGE_CREATED && slot->perform->boot != BOOT_STARTS)
        return;
    struct perform_ask *ask = perform_ask_begin(slot, VM_FX_ENSURE_CONSOLE);
    core_uuid_text(slot->vm.uuid, uuid);
    int rc = ask ? slot->core->virt_ops->ensure_console(slot->core->virt, uuid, line_read, slot->core,
                                                        console_answered, ask)
                 : -ENOMEM;
    if (!rc)
        return;
    if (ask)
        perform_ask_answered(ask);
    perform_again(slot, VM_FX_ENSURE_CONSOLE, "no memory");
}
