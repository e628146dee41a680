/*
 * VMs: what only the owner of one asks: the vouch and the bridge ticket. verb_vm.h says what is asked.
 */
#include <stdio.h>
#include <string.h>

#include "protocol/crypto.h"
#include "protocol/json.h"
#include "src/core/ticket.h"
#include "src/core/verb_vm.h"
#include "src/core/vouch.h"
#include "src/io/config.h"
#include "src/io/loop.h"

static void send_vouch(struct ask *ask, const struct vm *vm, const struct vouch *vouch)
{
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_base64(&out, "public_key", vm->registration.spki, vm->registration.spki_len_bytes);
    json_write_base64(&out, "binding", vouch->binding, vouch->binding_len);
    json_write_base64(&out, "binding_signature", vouch->binding_signature.bytes,
                      vouch->binding_signature.len);
    json_write_base64(&out, "signature", vouch->signature.bytes, vouch->signature.len);
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
}

/* Answers why, unless the caller owns the VM and the VM is there to be spoken to. */
static bool is_reachable(struct ask *ask, const struct vm *vm)
{
    if (!vm->assigned || !caller_is(&ask->caller, vm->owner)) {
        ask_refuse(ask, CODE_NOT_ALLOWED, "the VM is another's");
        return false;
    }
    if (!vm_link_allowed(vm)) {
        ask_refuse(ask, CODE_CONFLICT, vm_state_name(vm->head.state));
        return false;
    }
    return true;
}

void verb_vm_vouch(struct ask *ask, const struct vm_slot *slot, const struct json *params)
{
    struct json_reader reader = json_reader_init(params);
    uint8_t nonce[BINDING_NONCE_BYTES];
    struct vouch vouch;
    json_read_hex(&reader, "nonce_o", nonce, sizeof nonce);
    if (json_reader_end(&reader)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
        return;
    }
    if (!is_reachable(ask, &slot->vm))
        return;
    int error = vouch_make(ask->verbs->core, &slot->vm, nonce, &vouch);
    if (error)
        ask_refuse_errno(ask, error);
    else
        send_vouch(ask, &slot->vm, &vouch);
}

static void send_ticket(struct ask *ask, const uint8_t *ticket)
{
    struct json_writer out = json_writer_init(0);
    char host[CONFIG_HOST_MAX];
    uint16_t port;
    int error = config_split_address(ask->verbs->core->config.bridge_listen, host, &port);
    if (error) {
        ask_refuse_errno(ask, error);
        return;
    }
    json_write_object_begin(&out, NULL);
    json_write_hex(&out, "ticket", ticket, TICKET_BYTES);
    json_write_text(&out, "host", host);
    json_write_int(&out, "port", port);
    json_write_int(&out, "expires", loop_wall_ms() + TICKET_LIFE_MS);
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
}

void verb_vm_bridge(struct ask *ask, const struct vm_slot *slot)
{
    struct ticket_grant grant;
    uint8_t ticket[TICKET_BYTES];
    const struct vm *vm = &slot->vm;
    if (!is_reachable(ask, vm))
        return;
    if (!vm->offers_applications) {
        ask_refuse(ask, CODE_NO_APPLICATIONS, vm->brick);
        return;
    }
    if (!vm_bridge_allowed(vm)) {
        ask_refuse(ask, CODE_CONFLICT, vm_state_name(vm->head.state));
        return;
    }
    memcpy(grant.vm, vm->uuid, sizeof grant.vm);
    memcpy(grant.user, ask->caller.key, sizeof grant.user);
    if (ticket_issue(ask->verbs->tickets, &grant, loop_monotonic_ms(), ticket)) {
        ask_refuse(ask, CODE_LIMIT_REACHED, "bridge tickets that wait to be used");
        return;
    }
    send_ticket(ask, ticket);
    crypto_wipe(ticket, sizeof ticket);
}
