/*
 * What the host identity signs: bindings, vouches, the edge's certificate; the brick hash. See binding.h.
 */
#include "protocol/binding.h"

#include <errno.h>
#include <string.h>

#include "protocol/wire.h"

enum { BINDING_VERSION = 1, SIGNED_MAX = BINDING_MAX + 128 };

size_t binding_encode(const struct binding *binding, uint8_t out[BINDING_MAX])
{
    struct wire_writer writer = wire_writer_init(out, BINDING_MAX);
    wire_write_field_text(&writer, "kiln/1 binding");
    wire_write_field_u64(&writer, BINDING_VERSION);
    wire_write_field(&writer, binding->uuid, UUID_BYTES);
    wire_write_field(&writer, binding->vm_key, CRYPTO_HASH_BYTES);
    wire_write_field(&writer, binding->owner_key, CRYPTO_HASH_BYTES);
    wire_write_field(&writer, binding->brick, CRYPTO_HASH_BYTES);
    wire_write_field_u64(&writer, binding->assignment);
    wire_write_field(&writer, binding->nonce_v, BINDING_NONCE_BYTES);
    wire_write_field(&writer, binding->manifest, CRYPTO_HASH_BYTES);
    wire_write_field(&writer, binding->config, CRYPTO_HASH_BYTES);
    return writer.len;
}

int binding_decode(const void *bytes, size_t len, struct binding *ret_binding)
{
    struct binding binding;
    struct wire_reader reader = wire_reader_init(bytes, len);
    wire_read_label(&reader, "kiln/1 binding");
    if (wire_read_field_u64(&reader) != BINDING_VERSION)
        return -EBADMSG;
    wire_read_field_exact(&reader, binding.uuid, UUID_BYTES);
    wire_read_field_exact(&reader, binding.vm_key, CRYPTO_HASH_BYTES);
    wire_read_field_exact(&reader, binding.owner_key, CRYPTO_HASH_BYTES);
    wire_read_field_exact(&reader, binding.brick, CRYPTO_HASH_BYTES);
    binding.assignment = wire_read_field_u64(&reader);
    wire_read_field_exact(&reader, binding.nonce_v, BINDING_NONCE_BYTES);
    wire_read_field_exact(&reader, binding.manifest, CRYPTO_HASH_BYTES);
    wire_read_field_exact(&reader, binding.config, CRYPTO_HASH_BYTES);
    if (wire_reader_end(&reader) < 0)
        return -EBADMSG;
    *ret_binding = binding;
    return 0;
}

/* Signs what the writer holds. */
static int sign_block(struct crypto_ec *identity, crypto_random *random, void *arg,
                      const struct wire_writer *block, struct binding_signature *ret_signature)
{
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len, block_len;
    int error = wire_writer_end(block, &block_len);
    if (error == 0)
        error = crypto_ec_sign(identity, random, arg, block->bytes, block_len, signature, &len);
    if (error)
        return error;
    if (len > sizeof ret_signature->bytes)
        return -ENOSPC;
    memcpy(ret_signature->bytes, signature, len);
    ret_signature->len = len;
    return 0;
}

static int verify_block(const struct crypto_ec *identity, const struct wire_writer *block,
                        struct bytes signature)
{
    if (block->bad)
        return -EACCES;
    return crypto_ec_verify(identity, block->bytes, block->len, signature.bytes, signature.len);
}

int binding_sign(struct crypto_ec *identity, crypto_random *random, void *arg, struct bytes binding,
                 struct binding_signature *ret_signature)
{
    uint8_t copy[BINDING_MAX];
    struct wire_writer block = wire_writer_init(copy, sizeof copy);
    wire_write_bytes(&block, binding.bytes, binding.len);
    return sign_block(identity, random, arg, &block, ret_signature);
}

int binding_verify(const struct crypto_ec *identity, struct bytes binding, struct bytes signature)
{
    return crypto_ec_verify(identity, binding.bytes, binding.len, signature.bytes, signature.len);
}

int binding_check(const struct crypto_ec *identity, struct bytes binding, struct bytes signature,
                  const struct binding *expected, uint64_t *ret_assignment)
{
    struct binding found, wanted = *expected;
    uint8_t bytes[BINDING_MAX];
    int error = binding_verify(identity, binding, signature);
    if (error == 0)
        error = binding_decode(binding.bytes, binding.len, &found);
    if (error)
        return error;
    wanted.assignment = found.assignment;
    size_t len = binding_encode(&wanted, bytes);
    if (len != binding.len || !wire_equal(bytes, binding.bytes, len))
        return -EACCES;
    if (ret_assignment)
        *ret_assignment = found.assignment;
    return 0;
}

static struct wire_writer vouch_block(uint8_t buffer[SIGNED_MAX], const uint8_t nonce_o[BINDING_NONCE_BYTES],
                                      struct bytes binding)
{
    struct wire_writer block = wire_writer_init(buffer, SIGNED_MAX);
    wire_write_field_text(&block, "kiln/1 vouch");
    wire_write_field(&block, nonce_o, BINDING_NONCE_BYTES);
    wire_write_field(&block, binding.bytes, binding.len);
    return block;
}

int vouch_sign(struct crypto_ec *identity, crypto_random *random, void *arg,
               const uint8_t nonce_o[BINDING_NONCE_BYTES], struct bytes binding,
               struct binding_signature *ret_signature)
{
    uint8_t buffer[SIGNED_MAX];
    struct wire_writer block = vouch_block(buffer, nonce_o, binding);
    return sign_block(identity, random, arg, &block, ret_signature);
}

int vouch_verify(const struct crypto_ec *identity, const uint8_t nonce_o[BINDING_NONCE_BYTES],
                 struct bytes binding, struct bytes signature)
{
    uint8_t buffer[SIGNED_MAX];
    struct wire_writer block = vouch_block(buffer, nonce_o, binding);
    return verify_block(identity, &block, signature);
}

static struct wire_writer edge_block(uint8_t buffer[SIGNED_MAX], const uint8_t fingerprint[CRYPTO_HASH_BYTES])
{
    struct wire_writer block = wire_writer_init(buffer, SIGNED_MAX);
    wire_write_field_text(&block, "kiln/1 edge");
    wire_write_field(&block, fingerprint, CRYPTO_HASH_BYTES);
    return block;
}

int edge_certificate_sign(struct crypto_ec *identity, crypto_random *random, void *arg,
                          const uint8_t fingerprint[CRYPTO_HASH_BYTES],
                          struct binding_signature *ret_signature)
{
    uint8_t buffer[SIGNED_MAX];
    struct wire_writer block = edge_block(buffer, fingerprint);
    return sign_block(identity, random, arg, &block, ret_signature);
}

int edge_certificate_verify(const struct crypto_ec *identity, const uint8_t fingerprint[CRYPTO_HASH_BYTES],
                            struct bytes signature)
{
    uint8_t buffer[SIGNED_MAX];
    struct wire_writer block = edge_block(buffer, fingerprint);
    return verify_block(identity, &block, signature);
}

void brick_hash(const uint8_t image[CRYPTO_HASH_BYTES], const uint8_t *kernel, const uint8_t *initrd,
                const char *cmdline, uint8_t out[CRYPTO_HASH_BYTES])
{
    uint8_t buffer[BRICK_CMDLINE_MAX + 256];
    struct wire_writer block = wire_writer_init(buffer, sizeof buffer);
    wire_write_field_text(&block, "kiln/1 brick");
    wire_write_field(&block, image, CRYPTO_HASH_BYTES);
    wire_write_field(&block, kernel, kernel ? CRYPTO_HASH_BYTES : 0);
    wire_write_field(&block, initrd, initrd ? CRYPTO_HASH_BYTES : 0);
    wire_write_field(&block, cmdline, strnlen(cmdline, BRICK_CMDLINE_MAX));
    crypto_hash(buffer, block.len, out);
}
