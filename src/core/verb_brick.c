/*
 * Bricks: verb_object.h says what is asked.
 */
#include <errno.h>
#include <string.h>

#include "protocol/json.h"
#include "src/core/verb_object.h"
#include "src/core/views.h"

enum { BRICK_MEMBERS = 20, VCPUS_MAX = 256, MEMORY_MIB_MAX = 4 * 1024 * 1024, DEADLINE_MAX_S = 366 * 86400 };

void verb_brick_list(struct ask *ask, const char *after, bool whole)
{
    const struct brick *brick;
    const char *next = NULL;
    struct view_page page;
    view_page_begin(&page, "bricks");
    for (size_t i = 0; !next && (brick = brick_at(ask->verbs->core, i)); i++) {
        if (after && strcmp(brick->name, after) <= 0)
            continue;
        if (whole)
            view_brick(&page.out, NULL, brick);
        else
            view_brick_offer(&page.out, NULL, brick);
        if (view_page_full(&page, BRICK_MEMBERS))
            next = brick->name;
    }
    view_page_end(&page, next);
    ask_send(ask, 200, &page.out);
}

void verb_brick_show(struct ask *ask, const char *name)
{
    const struct brick *brick = brick_find(ask->verbs->core, name);
    if (!brick) {
        ask_refuse(ask, CODE_NOT_FOUND, name);
        return;
    }
    struct json_writer out = json_writer_init(0);
    view_brick(&out, NULL, brick);
    ask_send(ask, 200, &out);
}

static void copy_volume(struct json_reader *reader, const char *key, const char *text, char to[128])
{
    if (strlen(text) >= 128 || strchr(text, '/'))
        json_reader_fail(reader, key);
    else
        strcpy(to, text);
}

static void read_deadlines(struct json_reader *reader, struct brick *brick)
{
    const struct json *deadlines = json_read_object_or_null(reader, "deadlines_s");
    for (int state = 0; state < VM_STATE_COUNT; state++)
        brick->timeout_ms[state] = -1;
    for (size_t i = 0; i < json_count(deadlines); i++) {
        int64_t seconds;
        int state = vm_state_find(json_key_at(deadlines, i));
        if (state < 0 || json_int(json_at(deadlines, i), &seconds) || seconds < 0 ||
            seconds > DEADLINE_MAX_S) {
            json_reader_fail(reader, "deadlines_s");
            return;
        }
        brick->timeout_ms[state] = seconds * 1000;
    }
}

static void read_brick(struct json_reader *reader, struct brick *brick)
{
    strncpy(brick->name, json_read_name(reader, "name"), sizeof brick->name - 1);
    copy_volume(reader, "image", json_read_text(reader, "image"), brick->image);
    copy_volume(reader, "kernel", json_read_text_or(reader, "kernel", ""), brick->kernel);
    copy_volume(reader, "initrd", json_read_text_or(reader, "initrd", ""), brick->initrd);
    const char *cmdline = json_read_text_or(reader, "cmdline", "");
    if (strlen(cmdline) >= sizeof brick->cmdline || (*cmdline && !brick->kernel[0]))
        json_reader_fail(reader, "cmdline");
    else
        strcpy(brick->cmdline, cmdline);
    if (brick->initrd[0] && !brick->kernel[0])
        json_reader_fail(reader, "kernel");
    brick->vcpus = (uint16_t)json_read_int(reader, "vcpus", 1, VCPUS_MAX);
    brick->memory_mib = (uint32_t)json_read_int(reader, "memory_mib", 64, MEMORY_MIB_MAX);
    brick->applications = json_read_bool_or(reader, "applications", false);
    read_deadlines(reader, brick);
}

static void added(void *arg, enum kiln_code code, const char *detail)
{
    struct ask *ask = arg;
    if (code == CODE_NONE)
        verb_brick_show(ask, ask->name);
    else
        ask_refuse(ask, code, detail);
}

void verb_brick_add(struct ask *ask, const struct json *params)
{
    struct json_reader reader = json_reader_init(params);
    struct brick brick = {0};
    read_brick(&reader, &brick);
    if (json_reader_end(&reader)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
        return;
    }
    if (!ask_may_store(ask))
        return;
    memcpy(ask->name, brick.name, sizeof ask->name);
    int error = brick_add(ask->verbs->core, &brick, ask->caller.actor, added, ask);
    if (error == -EEXIST)
        ask_refuse(ask, CODE_ALREADY_EXISTS, brick.name);
    else if (error)
        ask_refuse_errno(ask, error);
}

void verb_brick_remove(struct ask *ask, const char *name)
{
    if (!ask_may_store(ask))
        return;
    int error = brick_remove(ask->verbs->core, name, ask->caller.actor, ask_done_empty, ask);
    if (error == -ENOENT)
        ask_refuse(ask, CODE_NOT_FOUND, name);
    else if (error == -EBUSY)
        ask_refuse(ask, CODE_BRICK_IN_USE, name);
    else if (error)
        ask_refuse_errno(ask, error);
}

static void verified(void *arg, enum kiln_code code, const char *detail)
{
    struct ask *ask = arg;
    const struct brick *brick = brick_find(ask->verbs->core, ask->name);
    struct json_writer out = json_writer_init(0);
    if (!brick || (code != CODE_NONE && code != CODE_BRICK_CHANGED)) {
        ask_refuse(ask, code != CODE_NONE ? code : CODE_NOT_FOUND, detail);
        return;
    }
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "name", brick->name);
    json_write_hex(&out, "hash", brick->hash, sizeof brick->hash);
    json_write_bool(&out, "good", code == CODE_NONE);
    json_write_text(&out, "detail", detail);
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
}

void verb_brick_verify(struct ask *ask, const char *name)
{
    fsm_text_keep(ask->name, sizeof ask->name, name);
    int error = brick_verify(ask->verbs->core, name, ask->caller.actor, verified, ask);
    if (error == -ENOENT)
        ask_refuse(ask, CODE_NOT_FOUND, name);
    else if (error)
        ask_refuse_errno(ask, error);
}
