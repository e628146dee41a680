/*
 * Control: the socket, who is behind it, and its methods as one table. control.h says who may what.
 */
#include "src/core/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/json.h"
#include "src/core/events.h"
#include "src/core/verb_object.h"
#include "src/core/verb_vm.h"
#include "src/io/rpc_socket.h"

enum { HELD_MAX = 48 /* links of 64 of which a call waits for the store to be read */ };

struct control {
    struct verbs *verbs;       /* borrowed */
    struct rpc_server *server; /* owned */
};

/* A call on its way to its verb. */
struct control_call {
    struct ask *ask;
    struct rpc_link *link;
    const struct json *params;
    struct json_reader reader; /* of params */
};

struct control_method {
    const char *name;
    bool changes;                              /* operators only */
    void (*handle)(struct control_call *call); /* answers the ask */
};

static bool is_operator(const struct config *config, uid_t uid)
{
    if (uid == 0 || uid == geteuid())
        return true;
    for (size_t i = 0; i < config->noperators; i++)
        if (config->operators[i] == uid)
            return true;
    return false;
}

/* Whether the parameters were all read well; else answers which is wrong. */
static bool is_whole(struct control_call *call)
{
    if (json_reader_end(&call->reader) == 0)
        return true;
    ask_refuse(call->ask, CODE_BAD_PARAMETER, call->reader.wrong);
    return false;
}

/* ---- VMs ---- */

static const struct vm_slot *find_vm(struct control_call *call)
{
    const char *word = json_read_text(&call->reader, "vm");
    if (!is_whole(call))
        return NULL;
    const struct vm_slot *slot = core_vm_search(call->ask->verbs->core, word);
    if (!slot)
        ask_refuse(call->ask, CODE_NOT_FOUND, word);
    return slot;
}

static const char *read_after(struct control_call *call)
{
    return json_read_text_or(&call->reader, "after", NULL);
}

static void vm_list(struct control_call *call)
{
    const char *after = read_after(call);
    if (is_whole(call))
        verb_vm_list(call->ask, after);
}

static void vm_show(struct control_call *call)
{
    const struct vm_slot *slot = find_vm(call);
    if (slot)
        verb_vm_show(call->ask, slot);
}

static void vm_create(struct control_call *call)
{
    const char *name = json_read_name(&call->reader, "owner");
    if (!is_whole(call))
        return;
    const struct user *owner = user_find(call->ask->verbs->core, name);
    if (owner)
        verb_vm_create(call->ask, call->params, owner->fingerprint);
    else
        ask_refuse(call->ask, CODE_NOT_FOUND, name);
}

static void vm_destroy(struct control_call *call)
{
    const struct vm_slot *slot = find_vm(call);
    if (slot)
        verb_vm_destroy(call->ask, slot, call->params);
}

static void vm_history(struct control_call *call)
{
    const char *after = read_after(call);
    const struct vm_slot *slot = find_vm(call);
    if (slot)
        verb_vm_history(call->ask, slot, after);
}

static void vm_why(struct control_call *call)
{
    const struct vm_slot *slot = find_vm(call);
    if (slot)
        verb_vm_why(call->ask, slot);
}

static void vm_console(struct control_call *call)
{
    const struct vm_slot *slot = find_vm(call);
    if (slot)
        verb_vm_console(call->ask, slot);
}

static void send_event(void *arg, const char *params)
{
    rpc_notify(rpc_link_peer(arg), "vm.event", params);
}

/* The connection's reader, kept with it; one each. */
static void watch(struct control_call *call, const struct events_filter *filter, int64_t since)
{
    struct core *core = call->ask->verbs->core;
    struct rpc_link *link = call->link;
    struct events_reader *reader;
    uint64_t seq;
    if (since > 0 && (uint64_t)since > core_last_seq(core)) {
        ask_refuse(call->ask, CODE_BAD_PARAMETER, "since");
        return;
    }
    if (events_reader_add(call->ask->verbs->events, filter, send_event, link, &reader, &seq)) {
        ask_refuse(call->ask, CODE_INTERNAL, "");
        return;
    }
    rpc_link_set_data(link, reader);
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_int(&out, "seq", (int64_t)seq);
    json_write_object_end(&out);
    ask_send(call->ask, 200, &out);
    if (since >= 0)
        events_reader_replay(reader, (uint64_t)since);
}

static void vm_watch(struct control_call *call)
{
    struct events_filter filter = {.all = true};
    const char *word = json_read_text_or(&call->reader, "vm", NULL);
    int64_t since = json_read_int_or(&call->reader, "since", 0, INT64_MAX, -1);
    if (!is_whole(call))
        return;
    const struct vm_slot *slot = word ? core_vm_search(call->ask->verbs->core, word) : NULL;
    if (word && !slot) {
        ask_refuse(call->ask, CODE_NOT_FOUND, word);
        return;
    }
    if (rpc_link_data(call->link)) {
        ask_refuse(call->ask, CODE_CONFLICT, "this connection watches already");
        return;
    }
    filter.one_vm = slot;
    if (slot)
        memcpy(filter.vm, slot->vm.uuid, sizeof filter.vm);
    watch(call, &filter, since);
}

/* ---- bricks, drives, users ---- */

static void brick_list(struct control_call *call)
{
    const char *after = read_after(call);
    if (is_whole(call))
        verb_brick_list(call->ask, after, true);
}

static void with_name(struct control_call *call, void (*verb)(struct ask *ask, const char *name))
{
    const char *name = json_read_name(&call->reader, "name");
    if (is_whole(call))
        verb(call->ask, name);
}

static void brick_show(struct control_call *call)
{
    with_name(call, verb_brick_show);
}

static void add_brick(struct control_call *call)
{
    verb_brick_add(call->ask, call->params);
}

static void remove_brick(struct control_call *call)
{
    with_name(call, verb_brick_remove);
}

static void verify_brick(struct control_call *call)
{
    with_name(call, verb_brick_verify);
}

static void drive_list(struct control_call *call)
{
    const char *after = read_after(call);
    if (is_whole(call))
        verb_drive_list(call->ask, after);
}

static void remove_drive(struct control_call *call)
{
    uint8_t id[VM_UUID_LEN];
    json_read_uuid(&call->reader, "drive", id);
    if (!is_whole(call))
        return;
    const struct drive *drive = drive_find(call->ask->verbs->core, id);
    if (drive)
        verb_drive_remove(call->ask, drive);
    else
        ask_refuse(call->ask, CODE_NOT_FOUND, "");
}

static void user_list(struct control_call *call)
{
    const char *after = read_after(call);
    if (is_whole(call))
        verb_user_list(call->ask, after);
}

static void add_user(struct control_call *call)
{
    verb_user_add(call->ask, call->params);
}

static void remove_user(struct control_call *call)
{
    with_name(call, verb_user_remove);
}

/* ---- the audit, the store, the daemon ---- */

static void audit_list(struct control_call *call)
{
    int64_t since = json_read_int_or(&call->reader, "since", 0, INT64_MAX, 0);
    if (is_whole(call))
        verb_audit_list(call->ask, (uint64_t)since);
}

static void verify_audit(struct control_call *call)
{
    const char *head = json_read_text_or(&call->reader, "head", NULL);
    if (is_whole(call))
        verb_audit_verify(call->ask, head);
}

static void audit_head(struct control_call *call)
{
    verb_audit_head(call->ask);
}

static void check_store(struct control_call *call)
{
    verb_store_check(call->ask);
}

static void dump_store(struct control_call *call)
{
    const char *only = json_read_text_or(&call->reader, "database", NULL);
    const char *after = read_after(call);
    if (is_whole(call))
        verb_store_dump(call->ask, only, after);
}

static void back_up_store(struct control_call *call)
{
    const char *path = json_read_text(&call->reader, "path");
    if (is_whole(call))
        verb_store_backup(call->ask, path);
}

static void daemon_status(struct control_call *call)
{
    verb_daemon_status(call->ask);
}

static void daemon_reload(struct control_call *call)
{
    verb_daemon_reload(call->ask);
}

static const struct control_method methods[] = {
    {"vm.list", false, vm_list},
    {"vm.show", false, vm_show},
    {"vm.create", true, vm_create},
    {"vm.destroy", true, vm_destroy},
    {"vm.history", false, vm_history},
    {"vm.why", false, vm_why},
    {"vm.console", false, vm_console},
    {"vm.watch", false, vm_watch},
    {"brick.add", true, add_brick},
    {"brick.list", false, brick_list},
    {"brick.show", false, brick_show},
    {"brick.remove", true, remove_brick},
    {"brick.verify", true, verify_brick},
    {"drive.list", false, drive_list},
    {"drive.remove", true, remove_drive},
    {"user.add", true, add_user},
    {"user.list", false, user_list},
    {"user.remove", true, remove_user},
    {"audit.list", false, audit_list},
    {"audit.verify", false, verify_audit},
    {"audit.head", false, audit_head},
    {"store.check", false, check_store},
    {"store.dump", false, dump_store},
    {"store.backup", true, back_up_store},
    {"daemon.status", false, daemon_status},
    {"daemon.reload", true, daemon_reload},
};

/* ---- the socket ---- */

static const struct control_method *find_method(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

static bool is_answered_now(const struct control *control, const char *name)
{
    return control->verbs->serves || strcmp(name, "daemon.status") == 0;
}

static bool dispatch(struct rpc_request *request, const char *name, const struct json *params, void *arg)
{
    struct control *control = rpc_link_server_arg(arg);
    const struct control_method *method = find_method(name);
    struct control_call call = {.link = arg, .params = params, .reader = json_reader_init(params)};
    uid_t uid = rpc_link_uid(arg);
    if (!method)
        return false;
    if (!request || !(call.ask = ask_create(control->verbs, request, false)))
        return true;
    call.ask->caller.sees_all = true;
    call.ask->caller.changes = is_operator(&control->verbs->core->config, uid);
    core_actor_uid(call.ask->caller.actor, (unsigned)uid);
    if (!is_answered_now(control, name))
        ask_refuse(call.ask, CODE_UNAVAILABLE, "kilnd reads its store, and too many wait for it");
    else if (method->changes && !call.ask->caller.changes)
        ask_refuse(call.ask, CODE_NOT_ALLOWED, name);
    else
        method->handle(&call);
    return true;
}

/* Those that wait leave room for who asks why. */
static bool must_wait(const char *name, void *link)
{
    const struct control *control = rpc_link_server_arg(link);
    return !is_answered_now(control, name) && rpc_server_held_links(control->server) < HELD_MAX;
}

static void on_close(struct rpc_link *link, void *arg)
{
    (void)arg;
    events_reader_remove(rpc_link_data(link));
}

int control_create(struct verbs *verbs, const char *path, struct control **ret_control)
{
    struct control *control = calloc(1, sizeof *control);
    if (!control)
        return -ENOMEM;
    struct rpc_server_options options = {
        .fallback = dispatch, .waits = must_wait, .mode = 0660, .on_close = on_close, .arg = control};
    control->verbs = verbs;
    int error = rpc_server_open(verbs->core->loop, path, &options, &control->server);
    if (error) {
        free(control);
        return error;
    }
    *ret_control = control;
    return 0;
}

void control_serve(struct control *control)
{
    rpc_server_resume(control->server);
}

void control_destroy(struct control *control)
{
    if (!control)
        return;
    rpc_server_close(control->server);
    free(control);
}
