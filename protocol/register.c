/*
 * Registration: derivations, request and reply with their proofs. See register.h.
 */
#include "protocol/register.h"

#include <errno.h>
#include <string.h>

#include "protocol/wire.h"

enum {
    BLOCK_MAX = 4096, /* either block: SPKI, texts of bounded length, hashes */
    ADDRESSES_BYTES = REGISTER_ADDRESSES_MAX * REGISTER_ADDRESS_BYTES,
};

void register_derive_boot_secret(const uint8_t master[32], const uint8_t uuid[UUID_BYTES], uint64_t boot,
                                 uint8_t out[REGISTER_SECRET_BYTES])
{
    uint8_t block[128];
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    wire_write_field_text(&writer, "kiln/1 boot secret");
    wire_write_field(&writer, uuid, UUID_BYTES);
    wire_write_field_u64(&writer, boot);
    crypto_hmac(master, 32, block, writer.len, out);
}

void register_derive_key(const uint8_t boot_secret[REGISTER_SECRET_BYTES], uint8_t out[CRYPTO_KEY_BYTES])
{
    static const char info[] = "kiln/1 registration";
    crypto_hkdf((struct bytes){boot_secret, REGISTER_SECRET_BYTES}, (struct bytes){NULL, 0},
                (struct bytes){(const uint8_t *)info, sizeof info - 1}, out, CRYPTO_KEY_BYTES);
}

void register_derive_token(const uint8_t key[CRYPTO_KEY_BYTES], const uint8_t uuid[UUID_BYTES],
                           uint8_t out[CRYPTO_HASH_BYTES])
{
    uint8_t block[128];
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    wire_write_field_text(&writer, "kiln/1 guest token");
    wire_write_field(&writer, uuid, UUID_BYTES);
    crypto_hmac(key, CRYPTO_KEY_BYTES, block, writer.len, out);
}

/* Copies the member if it fits and is printable ASCII without a comma, which separates addresses where they
 * are joined. */
static void read_word(struct json_reader *reader, const char *key, const char *text, char *out, size_t max)
{
    size_t len = strlen(text);
    bool good = len < max;
    for (size_t i = 0; i < len; i++)
        good = good && text[i] > ' ' && text[i] < 0x7f && text[i] != ',';
    if (good)
        memcpy(out, text, len + 1);
    else
        json_reader_fail(reader, key);
}

static void read_addresses(struct json_reader *reader, struct register_request *request)
{
    const struct json *list = json_read_array(reader, "addresses");
    if (json_count(list) > REGISTER_ADDRESSES_MAX) {
        json_reader_fail(reader, "addresses");
        return;
    }
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *item = json_at(list, i);
        const char *text = json_is_text(item) ? json_text(item) : "";
        if (!*text)
            json_reader_fail(reader, "addresses");
        read_word(reader, "addresses", text, request->addresses[i], REGISTER_ADDRESS_BYTES);
    }
    request->naddresses = json_count(list);
}

int register_request_decode(const struct json *object, struct register_request *ret_request,
                            const char **ret_wrong)
{
    struct register_request request = {.naddresses = 0};
    struct json_reader reader = json_reader_init(object);
    json_read_uuid(&reader, "uuid", request.uuid);
    request.public_key_len = json_read_base64(&reader, "public_key", request.public_key, CRYPTO_SPKI_MAX);
    json_read_hex(&reader, "nonce_v", request.nonce_v, sizeof request.nonce_v);
    read_addresses(&reader, &request);
    read_word(&reader, "stub_version", json_read_text(&reader, "stub_version"), request.stub_version,
              REGISTER_VERSION_BYTES);
    read_word(&reader, "controller_version", json_read_text(&reader, "controller_version"),
              request.controller_version, REGISTER_VERSION_BYTES);
    json_read_hex(&reader, "manifest", request.manifest, sizeof request.manifest);
    json_read_hex(&reader, "config", request.config, sizeof request.config);
    json_read_hex(&reader, "proof", request.proof, sizeof request.proof);
    if (json_reader_end(&reader) < 0) {
        if (ret_wrong)
            *ret_wrong = reader.wrong;
        return -EINVAL;
    }
    *ret_request = request;
    return 0;
}

void register_request_write(struct json_writer *writer, const char *key,
                            const struct register_request *request)
{
    json_write_object_begin(writer, key);
    json_write_uuid(writer, "uuid", request->uuid);
    json_write_base64(writer, "public_key", request->public_key, request->public_key_len);
    json_write_hex(writer, "nonce_v", request->nonce_v, sizeof request->nonce_v);
    json_write_array_begin(writer, "addresses");
    for (size_t i = 0; i < request->naddresses; i++)
        json_write_text(writer, NULL, request->addresses[i]);
    json_write_array_end(writer);
    json_write_text(writer, "stub_version", request->stub_version);
    json_write_text(writer, "controller_version", request->controller_version);
    json_write_hex(writer, "manifest", request->manifest, sizeof request->manifest);
    json_write_hex(writer, "config", request->config, sizeof request->config);
    json_write_hex(writer, "proof", request->proof, sizeof request->proof);
    json_write_object_end(writer);
}

static void write_addresses(struct wire_writer *writer, const struct register_request *request)
{
    char joined[ADDRESSES_BYTES] = "";
    size_t len = 0;
    for (size_t i = 0; i < request->naddresses; i++) {
        size_t more = strlen(request->addresses[i]);
        if (i > 0)
            joined[len++] = ',';
        memcpy(joined + len, request->addresses[i], more);
        len += more;
    }
    wire_write_field(writer, joined, len);
}

static size_t request_block(const struct register_request *request, uint8_t out[BLOCK_MAX])
{
    struct wire_writer writer = wire_writer_init(out, BLOCK_MAX);
    wire_write_field_text(&writer, "kiln/1 register");
    wire_write_field(&writer, request->uuid, UUID_BYTES);
    wire_write_field(&writer, request->public_key, request->public_key_len);
    wire_write_field(&writer, request->nonce_v, sizeof request->nonce_v);
    write_addresses(&writer, request);
    wire_write_field_text(&writer, request->stub_version);
    wire_write_field_text(&writer, request->controller_version);
    wire_write_field(&writer, request->manifest, sizeof request->manifest);
    wire_write_field(&writer, request->config, sizeof request->config);
    return writer.len;
}

static void request_proof(const struct register_request *request, const uint8_t key[CRYPTO_KEY_BYTES],
                          uint8_t out[CRYPTO_HASH_BYTES])
{
    uint8_t block[BLOCK_MAX];
    size_t len = request_block(request, block);
    crypto_hmac(key, CRYPTO_KEY_BYTES, block, len, out);
}

void register_request_hash(const struct register_request *request, uint8_t out[CRYPTO_HASH_BYTES])
{
    uint8_t block[BLOCK_MAX];
    size_t len = request_block(request, block);
    crypto_hash(block, len, out);
}

void register_request_prove(struct register_request *request, const uint8_t key[CRYPTO_KEY_BYTES])
{
    request_proof(request, key, request->proof);
}

int register_request_check(const struct register_request *request, const uint8_t key[CRYPTO_KEY_BYTES])
{
    uint8_t proof[CRYPTO_HASH_BYTES];
    request_proof(request, key, proof);
    return wire_equal(proof, request->proof, sizeof proof) ? 0 : -EACCES;
}

static void read_settings(struct json_reader *reader, struct register_reply *reply)
{
    const char *text = json_read_text(reader, "settings");
    size_t len = strlen(text);
    if (len < sizeof reply->settings)
        memcpy(reply->settings, text, len + 1);
    else
        json_reader_fail(reader, "settings");
}

int register_reply_decode(const struct json *object, struct register_reply *ret_reply, const char **ret_wrong)
{
    struct register_reply reply = {.settings = ""};
    struct json_reader reader = json_reader_init(object);
    read_settings(&reader, &reply);
    reply.owner_public_key_len =
        json_read_base64(&reader, "owner_public_key", reply.owner_public_key, CRYPTO_SPKI_MAX);
    reply.host_identity_len =
        json_read_base64(&reader, "host_identity", reply.host_identity, CRYPTO_SPKI_MAX);
    reply.binding_len = json_read_base64(&reader, "binding", reply.binding, BINDING_MAX);
    reply.signature_len = json_read_base64(&reader, "signature", reply.signature, BINDING_SIGNATURE_MAX);
    json_read_hex(&reader, "proof", reply.proof, sizeof reply.proof);
    if (json_reader_end(&reader) < 0) {
        if (ret_wrong)
            *ret_wrong = reader.wrong;
        return -EINVAL;
    }
    *ret_reply = reply;
    return 0;
}

void register_reply_write(struct json_writer *writer, const char *key, const struct register_reply *reply)
{
    json_write_object_begin(writer, key);
    json_write_text(writer, "settings", reply->settings);
    json_write_base64(writer, "owner_public_key", reply->owner_public_key, reply->owner_public_key_len);
    json_write_base64(writer, "host_identity", reply->host_identity, reply->host_identity_len);
    json_write_base64(writer, "binding", reply->binding, reply->binding_len);
    json_write_base64(writer, "signature", reply->signature, reply->signature_len);
    json_write_hex(writer, "proof", reply->proof, sizeof reply->proof);
    json_write_object_end(writer);
}

static void reply_proof(const struct register_reply *reply, const uint8_t key[CRYPTO_KEY_BYTES],
                        const uint8_t request_hash[CRYPTO_HASH_BYTES], uint8_t out[CRYPTO_HASH_BYTES])
{
    uint8_t block[BLOCK_MAX];
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    wire_write_field_text(&writer, "kiln/1 registered");
    wire_write_field(&writer, request_hash, CRYPTO_HASH_BYTES);
    wire_write_field_text(&writer, reply->settings);
    wire_write_field(&writer, reply->owner_public_key, reply->owner_public_key_len);
    wire_write_field(&writer, reply->host_identity, reply->host_identity_len);
    wire_write_field(&writer, reply->binding, reply->binding_len);
    wire_write_field(&writer, reply->signature, reply->signature_len);
    crypto_hmac(key, CRYPTO_KEY_BYTES, block, writer.len, out);
}

void register_reply_prove(struct register_reply *reply, const uint8_t key[CRYPTO_KEY_BYTES],
                          const uint8_t request_hash[CRYPTO_HASH_BYTES])
{
    reply_proof(reply, key, request_hash, reply->proof);
}

int register_reply_check(const struct register_reply *reply, const uint8_t key[CRYPTO_KEY_BYTES],
                         const uint8_t request_hash[CRYPTO_HASH_BYTES])
{
    uint8_t proof[CRYPTO_HASH_BYTES];
    reply_proof(reply, key, request_hash, proof);
    return wire_equal(proof, reply->proof, sizeof proof) ? 0 : -EACCES;
}
