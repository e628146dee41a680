/*
 * Vouch: vouch.h says what is signed.
 */
#include "src/core/vouch.h"

#include <string.h>

#include "protocol/wire.h"
#include "src/core/identity.h"

static int sign(struct core *core, const void *bytes, size_t len, struct binding_signature *ret_signature)
{
    _Static_assert((int)IDENTITY_SIGNATURE_MAX == (int)BINDING_SIGNATURE_MAX, "one room for both");
    return identity_sign(core->identity, bytes, len, ret_signature->bytes, &ret_signature->len);
}

int vouch_bind(struct core *core, const struct vm *vm, struct vouch *ret_vouch)
{
    const struct vm_registration *registration = &vm->registration;
    struct binding binding = {.assignment = vm->assignment_number};
    struct vouch vouch = {0};
    memcpy(binding.uuid, vm->uuid, sizeof binding.uuid);
    memcpy(binding.vm_key, registration->key_fingerprint, sizeof binding.vm_key);
    memcpy(binding.owner_key, vm->owner, sizeof binding.owner_key);
    memcpy(binding.brick, vm->brick_hash, sizeof binding.brick);
    memcpy(binding.nonce_v, registration->nonce_v, sizeof binding.nonce_v);
    memcpy(binding.manifest, registration->manifest_hash, sizeof binding.manifest);
    memcpy(binding.config, registration->config_hash, sizeof binding.config);
    vouch.binding_len = binding_encode(&binding, vouch.binding);
    int error = sign(core, vouch.binding, vouch.binding_len, &vouch.binding_signature);
    if (!error)
        *ret_vouch = vouch;
    return error;
}

static int sign_writer(struct core *core, const struct wire_writer *writer,
                       struct binding_signature *ret_signature)
{
    size_t len;
    int error = wire_writer_end(writer, &len);
    return error ? error : sign(core, writer->bytes, len, ret_signature);
}

int vouch_make(struct core *core, const struct vm *vm, const uint8_t nonce_o[BINDING_NONCE_BYTES],
               struct vouch *ret_vouch)
{
    struct vouch vouch;
    uint8_t block[BINDING_MAX + 128];
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    int error = vouch_bind(core, vm, &vouch);
    if (error)
        return error;
    wire_write_field_text(&writer, "kiln/1 vouch");
    wire_write_field(&writer, nonce_o, BINDING_NONCE_BYTES);
    wire_write_field(&writer, vouch.binding, vouch.binding_len);
    error = sign_writer(core, &writer, &vouch.signature);
    if (!error)
        *ret_vouch = vouch;
    return error;
}

int vouch_edge(struct core *core, struct binding_signature *ret_signature)
{
    uint8_t block[128];
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    wire_write_field_text(&writer, "kiln/1 edge");
    wire_write_field(&writer, core->edge_certificate, sizeof core->edge_certificate);
    return sign_writer(core, &writer, ret_signature);
}
