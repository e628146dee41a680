/*
 * Host methods: what kilnd says on the link, as events of the machine (README 6.4).
 * In: checked notifications. Out: ASSIGNED, DRIVES_TOLD, UPDATE_AVAILABLE, SHUTDOWN_ASKED. Nothing is kept
 * here.
 */
#include <string.h>

#include "guest/controller.h"
#include "guest/host_link.h"
#include "guest/owner.h"
#include "protocol/json.h"
#include "src/io/log.h"
#include "src/io/rpc.h"

static void report(struct host_link *link, enum kiln_code code, const char *detail)
{
    struct json_writer out = json_writer_init(0);
    log_warning("link", "the host's word is not taken", "detail=\"%s\"", detail);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "code", code_info(code)->name);
    json_write_text(&out, "detail", detail);
    json_write_object_end(&out);
    host_link_notify(link, "guest.failure", &out);
}

static void handle_assign(struct rpc_request *request, const struct json *params, void *arg)
{
    struct controller *controller = host_link_controller(arg);
    uint8_t key[CRYPTO_SPKI_MAX], binding[BINDING_MAX], signature[BINDING_SIGNATURE_MAX];
    struct json_reader reader = json_reader_init(params);
    struct owner_claim claim = {.host_identity = {controller->host_identity, controller->host_identity_len}};
    claim.public_key = (struct bytes){key, json_read_base64(&reader, "owner_public_key", key, sizeof key)};
    claim.binding = (struct bytes){binding, json_read_base64(&reader, "binding", binding, sizeof binding)};
    claim.signature =
        (struct bytes){signature, json_read_base64(&reader, "signature", signature, sizeof signature)};
    rpc_reply(request, "{}");
    if (json_reader_end(&reader) < 0 || owner_take(controller, &claim) < 0) {
        report(arg, CODE_BINDING_WRONG, "the binding of host.assign does not hold");
        return;
    }
    struct guest_event event = {.head.on = GUEST_ON_ASSIGNED, .owner.known = true};
    memcpy(event.owner.fingerprint, controller->secrets->kept.owner, sizeof event.owner.fingerprint);
    controller_happen(controller, &event);
}

/* The serial becomes part of a path and a mapping's name. */
static bool serial_is_plain(const char *serial)
{
    size_t len = strspn(serial, "0123456789abcdef");
    return len > 0 && len < GUEST_SERIAL_LEN && serial[len] == '\0';
}

static void read_drive(struct json_reader *list, const struct json *value, struct guest_drives *drives)
{
    struct json_reader reader = json_reader_init(value);
    if (drives->count == GUEST_DRIVES_MAX) {
        json_reader_fail(list, "drives");
        return;
    }
    struct guest_drive *drive = &drives->drive[drives->count++];
    json_read_uuid(&reader, "id", drive->id);
    fsm_text_keep(drive->name, sizeof drive->name, json_read_name(&reader, "name"));
    const char *serial = json_read_text(&reader, "serial");
    const char *mode = json_read_text(&reader, "mode");
    drive->writer = strcmp(mode, "writer") == 0;
    if (!serial_is_plain(serial) || (!drive->writer && strcmp(mode, "reader") != 0))
        json_reader_fail(&reader, "serial");
    fsm_text_keep(drive->serial, sizeof drive->serial, serial);
    if (json_reader_end(&reader) < 0)
        json_reader_fail(list, "drives");
}

static void handle_drives(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    struct guest_event event = {.head.on = GUEST_ON_DRIVES_TOLD};
    const struct json *drives = json_read_array(&reader, "drives");
    bool complete = json_read_bool(&reader, "complete");
    for (size_t i = 0; i < json_count(drives); i++)
        read_drive(&reader, json_at(drives, i), &event.drives);
    rpc_reply(request, "{}");
    if (json_reader_end(&reader) < 0)
        report(arg, CODE_BAD_PARAMETER, "host.drives is malformed");
    else if (complete)
        controller_happen(host_link_controller(arg), &event);
}

static void handle_update(struct rpc_request *request, const struct json *params, void *arg)
{
    (void)params;
    rpc_reply(request, "{}");
    controller_happen_plain(host_link_controller(arg), GUEST_ON_UPDATE_AVAILABLE);
}

static void handle_shutdown(struct rpc_request *request, const struct json *params, void *arg)
{
    (void)params;
    rpc_reply(request, "{}");
    controller_happen_plain(host_link_controller(arg), GUEST_ON_SHUTDOWN_ASKED);
}

const struct rpc_method host_methods[] = {{"host.assign", handle_assign},
                                          {"host.drives", handle_drives},
                                          {"host.update", handle_update},
                                          {"host.shutdown", handle_shutdown},
                                          {NULL, NULL}};
