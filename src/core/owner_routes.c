/*
 * Owner API: its resources (protocol/README 8.4), each a route and a few lines that find what the path names.
 *
 * In: requests that passed the checks their route asks for. Out: verbs. Kept: nothing.
 * What a caller may not see is answered as what is not there.
 */
#include <string.h>

#include "src/core/identity.h"
#include "src/core/owner_api_private.h"
#include "src/core/owner_events.h"
#include "src/core/verb_object.h"
#include "src/core/verb_vm.h"
#include "src/core/views.h"
#include "src/core/vouch.h"

static void get_host(struct owner_request *request)
{
    struct core *core = request->ask->verbs->core;
    struct binding_signature signature = {.len = 0};
    size_t len;
    const uint8_t *spki = identity_spki(core->identity, &len);
    if (core->edge_certificate_known && vouch_edge(core, &signature)) {
        ask_refuse(request->ask, CODE_INTERNAL, "");
        return;
    }
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_base64(&out, "identity", spki, len);
    json_write_hex(&out, "edge_certificate", core->edge_certificate, sizeof core->edge_certificate);
    json_write_base64(&out, "edge_signature", signature.bytes, signature.len);
    json_write_text(&out, "version", KILN_VERSION);
    json_write_object_end(&out);
    ask_send(request->ask, 200, &out);
}

static void post_logout(struct owner_request *request)
{
    struct verbs *verbs = request->ask->verbs;
    session_close(verbs->sessions, request->token);
    owner_events_check(verbs->owner_events);
    ask_send_empty(request->ask);
}

static void get_me(struct owner_request *request)
{
    struct json_writer out = json_writer_init(0);
    view_user(&out, NULL, user_find_key(request->ask->verbs->core, request->ask->caller.key));
    ask_send(request->ask, 200, &out);
}

static void get_users(struct owner_request *request)
{
    verb_user_list(request->ask, request->after);
}

static void get_bricks(struct owner_request *request)
{
    verb_brick_list(request->ask, request->after, false);
}

/* ---- VMs ---- */

/* The VM of the path if the caller sees it; else answers NOT_FOUND. */
static const struct vm_slot *find_vm(struct owner_request *request)
{
    uint8_t uuid[VM_UUID_LEN];
    const struct vm_slot *slot =
        core_uuid_parse(request->segment[0], uuid) == 0 ? core_vm(request->ask->verbs->core, uuid) : NULL;
    if (slot && caller_sees_vm(&request->ask->caller, &slot->vm))
        return slot;
    ask_refuse(request->ask, CODE_NOT_FOUND, "");
    return NULL;
}

static void get_vms(struct owner_request *request)
{
    verb_vm_list(request->ask, request->after);
}

static void post_vms(struct owner_request *request)
{
    verb_vm_create(request->ask, request->body, request->ask->caller.key);
}

static void get_vm(struct owner_request *request)
{
    const struct vm_slot *slot = find_vm(request);
    if (slot)
        verb_vm_show(request->ask, slot);
}

static void delete_vm(struct owner_request *request)
{
    const struct vm_slot *slot = find_vm(request);
    if (slot)
        verb_vm_destroy(request->ask, slot, request->body);
}

static void get_vm_history(struct owner_request *request)
{
    const struct vm_slot *slot = find_vm(request);
    if (slot)
        verb_vm_history(request->ask, slot, request->after);
}

static void get_vm_why(struct owner_request *request)
{
    const struct vm_slot *slot = find_vm(request);
    if (slot)
        verb_vm_why(request->ask, slot);
}

static void post_vm_vouch(struct owner_request *request)
{
    const struct vm_slot *slot = find_vm(request);
    if (slot)
        verb_vm_vouch(request->ask, slot, request->body);
}

static void post_vm_bridge(struct owner_request *request)
{
    const struct vm_slot *slot = find_vm(request);
    if (slot)
        verb_vm_bridge(request->ask, slot);
}

/* ---- drives ---- */

static const struct drive *find_drive(struct owner_request *request)
{
    uint8_t id[VM_UUID_LEN];
    const struct drive *drive =
        core_uuid_parse(request->segment[0], id) == 0 ? drive_find(request->ask->verbs->core, id) : NULL;
    if (drive && caller_sees_drive(&request->ask->caller, drive))
        return drive;
    ask_refuse(request->ask, CODE_NOT_FOUND, "");
    return NULL;
}

static void get_drives(struct owner_request *request)
{
    verb_drive_list(request->ask, request->after);
}

static void post_drives(struct owner_request *request)
{
    verb_drive_add(request->ask, request->body);
}

static void get_drive(struct owner_request *request)
{
    const struct drive *drive = find_drive(request);
    if (drive)
        verb_drive_show(request->ask, drive);
}

static void delete_drive(struct owner_request *request)
{
    const struct drive *drive = find_drive(request);
    if (drive)
        verb_drive_remove(request->ask, drive);
}

static void put_envelope(struct owner_request *request)
{
    const struct drive *drive = find_drive(request);
    if (drive)
        verb_drive_share(request->ask, drive, request->segment[1], request->body);
}

static void delete_envelope(struct owner_request *request)
{
    const struct drive *drive = find_drive(request);
    if (drive)
        verb_drive_unshare(request->ask, drive, request->segment[1]);
}

const struct owner_route owner_routes[] = {
    {"GET", "/v1/host", OWNER_OPEN, get_host},
    {"POST", "/v1/login/challenge", OWNER_OPEN, owner_login_challenge},
    {"POST", "/v1/login", OWNER_OPEN, owner_login},
    {"POST", "/v1/logout", OWNER_SESSION, post_logout},
    {"GET", "/v1/me", OWNER_SESSION, get_me},
    {"GET", "/v1/users", OWNER_SESSION, get_users},
    {"GET", "/v1/bricks", OWNER_SESSION, get_bricks},
    {"GET", "/v1/vms", OWNER_SESSION, get_vms},
    {"POST", "/v1/vms", OWNER_SIGNED, post_vms},
    {"GET", "/v1/vms/*", OWNER_SESSION, get_vm},
    {"DELETE", "/v1/vms/*", OWNER_SIGNED, delete_vm},
    {"GET", "/v1/vms/*/history", OWNER_SESSION, get_vm_history},
    {"GET", "/v1/vms/*/why", OWNER_SESSION, get_vm_why},
    {"POST", "/v1/vms/*/vouch", OWNER_SESSION, post_vm_vouch},
    {"POST", "/v1/vms/*/bridge", OWNER_SIGNED, post_vm_bridge},
    {"GET", "/v1/drives", OWNER_SESSION, get_drives},
    {"POST", "/v1/drives", OWNER_SIGNED, post_drives},
    {"GET", "/v1/drives/*", OWNER_SESSION, get_drive},
    {"DELETE", "/v1/drives/*", OWNER_SIGNED, delete_drive},
    {"PUT", "/v1/drives/*/envelopes/*", OWNER_SIGNED, put_envelope},
    {"DELETE", "/v1/drives/*/envelopes/*", OWNER_SIGNED, delete_envelope},
    {NULL, NULL, OWNER_OPEN, NULL},
};
