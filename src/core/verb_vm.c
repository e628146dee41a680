/*
 * VMs: what can be read about them. verb_vm.h says what is asked.
 */
#include "src/core/verb_vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json.h"
#include "src/core/perform.h"
#include "src/core/views.h"

enum {
    VM_MEMBERS = 19, /* each beside the object that it is in */
    VM_DRIVE_MEMBERS = 7,
    VM_PAGE_MEMBERS = 900, /* of the 1,024 of README 1.7: a VM with all its drives still fits behind them */
    VM_FETCHED_AHEAD = 3,
    VM_SHOWN_BYTES = 1152, /* of a slot: up to its long members */
    CACHE_LINE_BYTES = 64,
    HISTORY_MEMBERS = 9,
    SEQ_DIGITS_MAX = 19,
    CONSOLE_LINES_MAX = 40
};

/* What is shown of a VM some places on is fetched while this one is written: in the order of their ids they lie
 * anywhere. */
static void vm_fetch(const struct core *core, size_t index)
{
    const char *slot = (const char *)core_vm_at(core, index);
    for (size_t at = 0; slot && at < VM_SHOWN_BYTES; at += CACHE_LINE_BYTES)
        __builtin_prefetch(slot + at);
}

void verb_vm_list(struct ask *ask, const char *after)
{
    const struct core *core = ask->verbs->core;
    const struct vm_slot *slot;
    struct view_page page;
    uint8_t id[VM_UUID_LEN];
    char next[VIRT_UUID_BYTES] = "";
    if (after && core_uuid_parse(after, id)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, "after");
        return;
    }
    view_page_begin(&page, "vms");
    page.members_max = VM_PAGE_MEMBERS;
    for (size_t i = after ? core_vm_after(core, id) : 0; !next[0] && (slot = core_vm_at(core, i)); i++) {
        vm_fetch(core, i + VM_FETCHED_AHEAD);
        if (slot->fresh || !caller_sees_vm(&ask->caller, &slot->vm))
            continue;
        view_vm(&page.out, NULL, core, slot);
        if (view_page_full(&page, VM_MEMBERS + VM_DRIVE_MEMBERS * slot->vm.drives))
            core_uuid_text(slot->vm.uuid, next);
    }
    view_page_end(&page, next[0] ? next : NULL);
    ask_send(ask, 200, &page.out);
}

void verb_vm_show(struct ask *ask, const struct vm_slot *slot)
{
    struct json_writer out = json_writer_init(0);
    view_vm(&out, NULL, ask->verbs->core, slot);
    ask_send(ask, 200, &out);
}

struct history_walk {
    struct view_page page;
    uint64_t last;
    bool full;
};

static int add_history(void *arg, const struct history *history)
{
    struct history_walk *walk = arg;
    view_vm_history(&walk->page.out, NULL, history);
    walk->last = history->seq;
    walk->full = view_page_full(&walk->page, HISTORY_MEMBERS);
    return walk->full;
}

/* A number of a change, in digits alone. */
static bool seq_parse(const char *text, uint64_t *ret_seq)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > SEQ_DIGITS_MAX || text[digits])
        return false;
    *ret_seq = strtoull(text, NULL, 10);
    return true;
}

void verb_vm_history(struct ask *ask, const struct vm_slot *slot, const char *after)
{
    struct history_walk walk = {0};
    char next[24];
    uint64_t since = 0;
    if (after && !seq_parse(after, &since)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, "after");
        return;
    }
    view_page_begin(&walk.page, "history");
    int rc = core_history(slot, since, add_history, &walk);
    if (rc < 0) {
        json_writer_finish(&walk.page.out);
        ask_refuse_errno(ask, rc);
        return;
    }
    snprintf(next, sizeof next, "%llu", (unsigned long long)walk.last);
    view_page_end(&walk.page, walk.full ? next : NULL);
    ask_send(ask, 200, &walk.page.out);
}

/* The last lines of TEXT, as an array. */
static void write_lines(struct json_writer *out, const char *text)
{
    const char *start = text + strlen(text);
    int lines = 0;
    while (start > text && lines < CONSOLE_LINES_MAX + 1)
        if (*--start == '\n')
            lines++;
    json_write_array_begin(out, "console");
    for (start += lines > CONSOLE_LINES_MAX; *start;) {
        size_t length = strcspn(start, "\n");
        json_write_text_bytes(out, NULL, start, length);
        start += length + (start[length] == '\n');
    }
    json_write_array_end(out);
}

static void write_console(struct json_writer *out, struct core *core, const struct vm *vm)
{
    char text[VIRT_CONSOLE_TAIL_BYTES] = "";
    core_vm_console(core, vm->uuid, text, sizeof text);
    write_lines(out, text);
}

void verb_vm_console(struct ask *ask, const struct vm_slot *slot)
{
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    write_console(&out, ask->verbs->core, &slot->vm);
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
}

void verb_vm_why(struct ask *ask, const struct vm_slot *slot)
{
    const struct vm *vm = &slot->vm;
    const struct code_info *info = vm->code == CODE_NONE ? NULL : code_info(vm->code);
    char words[VIRT_WORDS_BYTES] = "";
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "state", vm_state_name(vm->head.state));
    json_write_text(&out, "story", vm->head.story);
    json_write_text(&out, "waiting_for", core_vm_waiting_for(ask->verbs->core, slot, words, sizeof words));
    json_write_int(&out, "queue_position", (int64_t)perform_boot_position(slot));
    json_write_int(&out, "deadline", vm->head.deadline_at_ms);
    json_write_text(&out, "code", view_code_name(vm->code));
    json_write_text(&out, "words", info ? info->words : "");
    json_write_text(&out, "detail", vm->detail);
    write_console(&out, ask->verbs->core, vm);
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
}
