/*
 * make.c - prints new test vectors of the wire: tests/vectors/wire.json.
 *
 * In: nothing; keys and nonces come from a fixed seed. Out: one JSON object. tests/unit/protocol_vectors.c
 * checks it by a second reading of protocol/README.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/bridge_line.h"
#include "protocol/envelope.h"
#include "protocol/handshake.h"
#include "protocol/json.h"
#include "protocol/link.h"
#include "protocol/login.h"
#include "protocol/manifest.h"
#include "protocol/register.h"
#include "tests/unit/protocol_random.h"

static struct fixed_random source = {28, 0};

/* Random bytes that are also kept: the first 32 of an ECDH key are its private number (FIPS 186-4 B.4.2 by
 * rejection). */
struct kept_random {
    uint8_t first[32];
    bool kept;
};

static int fill_and_keep(void *arg, uint8_t *out, size_t len)
{
    struct kept_random *kept = arg;
    fixed_random_fill(&source, out, len);
    if (!kept->kept && len == 32)
        memcpy(kept->first, out, 32);
    kept->kept |= len == 32;
    return 0;
}

static void write_rsa(struct json_writer *out, const char *name, struct crypto_rsa *key)
{
    uint8_t bytes[CRYPTO_PRIVATE_MAX], spki[CRYPTO_SPKI_MAX];
    size_t len;
    json_write_object_begin(out, name);
    crypto_rsa_encode_private(key, bytes, &len);
    json_write_base64(out, "private_pkcs1", bytes, len);
    crypto_rsa_encode_public(key, spki, &len);
    json_write_base64(out, "public_spki", spki, len);
    crypto_rsa_fingerprint(key, bytes);
    json_write_hex(out, "fingerprint", bytes, 32);
    json_write_object_end(out);
}

struct made {
    struct crypto_rsa *owner, *vm;
    struct crypto_ec *identity;
    struct register_request request;
    uint8_t boot_secret[32], request_hash[32];
    uint8_t binding[BINDING_MAX];
    size_t binding_len;
};

static void make_keys(struct made *made, struct json_writer *out)
{
    uint8_t spki[CRYPTO_SPKI_MAX];
    char pem[CRYPTO_PEM_MAX];
    size_t len;
    if (crypto_rsa_generate(2048, fixed_random_fill, &source, &made->owner) < 0 ||
        crypto_rsa_generate(2048, fixed_random_fill, &source, &made->vm) < 0 ||
        crypto_ec_generate(fixed_random_fill, &source, &made->identity) < 0)
        abort();
    write_rsa(out, "owner_key", made->owner);
    write_rsa(out, "vm_key", made->vm);
    json_write_object_begin(out, "host_identity");
    crypto_ec_encode_pem(made->identity, pem);
    json_write_text(out, "private_pem", pem);
    crypto_ec_encode_public(made->identity, spki, &len);
    json_write_base64(out, "public_spki", spki, len);
    json_write_object_end(out);
}

static void make_registration(struct made *made, struct json_writer *out)
{
    uint8_t master[32], key[32], token[32];
    struct register_request *request = &made->request;
    fixed_random_fill(&source, master, 32);
    fixed_random_fill(&source, request->uuid, 16);
    fixed_random_fill(&source, request->nonce_v, 32);
    fixed_random_fill(&source, request->manifest, 32);
    fixed_random_fill(&source, request->config, 32);
    crypto_rsa_encode_public(made->vm, request->public_key, &request->public_key_len);
    strcpy(request->addresses[0], "10.77.0.5");
    strcpy(request->addresses[1], "fe80::5054:ff:fe12:3456");
    request->naddresses = 2;
    strcpy(request->stub_version, "0.1.0");
    strcpy(request->controller_version, "0.1.0");
    register_derive_boot_secret(master, request->uuid, 1, made->boot_secret);
    register_derive_key(made->boot_secret, key);
    register_derive_token(key, request->uuid, token);
    register_request_prove(request, key);
    register_request_hash(request, made->request_hash);
    json_write_object_begin(out, "register");
    json_write_hex(out, "master", master, 32);
    json_write_int(out, "boot", 1);
    json_write_hex(out, "boot_secret", made->boot_secret, 32);
    json_write_hex(out, "k_reg", key, 32);
    json_write_hex(out, "guest_token", token, 32);
    register_request_write(out, "request", request);
    json_write_hex(out, "request_hash", made->request_hash, 32);
    json_write_object_end(out);
}

static void make_binding(struct made *made, struct json_writer *out)
{
    struct binding binding = {.assignment = 41};
    struct binding_signature signature;
    uint8_t nonce_o[32];
    memcpy(binding.uuid, made->request.uuid, 16);
    crypto_rsa_fingerprint(made->vm, binding.vm_key);
    crypto_rsa_fingerprint(made->owner, binding.owner_key);
    memset(binding.brick, 0xb1, 32);
    memcpy(binding.nonce_v, made->request.nonce_v, 32);
    memcpy(binding.manifest, made->request.manifest, 32);
    memcpy(binding.config, made->request.config, 32);
    made->binding_len = binding_encode(&binding, made->binding);
    struct bytes bytes = {made->binding, made->binding_len};
    memset(nonce_o, 0x0a, 32);
    json_write_object_begin(out, "binding");
    json_write_hex(out, "brick", binding.brick, 32);
    json_write_int(out, "assignment", 41);
    json_write_base64(out, "bytes", made->binding, made->binding_len);
    binding_sign(made->identity, fixed_random_fill, &source, bytes, &signature);
    json_write_base64(out, "signature", signature.bytes, signature.len);
    json_write_hex(out, "nonce_o", nonce_o, 32);
    vouch_sign(made->identity, fixed_random_fill, &source, nonce_o, bytes, &signature);
    json_write_base64(out, "vouch", signature.bytes, signature.len);
    json_write_object_end(out);
}

static void make_link(struct made *made, struct json_writer *out)
{
    struct link_session session;
    uint8_t nonces[64], record[128];
    size_t len;
    fixed_random_fill(&source, nonces, sizeof nonces);
    link_session_init(&session, LINK_GUEST, made->boot_secret, made->request_hash, nonces, nonces + 32);
    json_write_object_begin(out, "link");
    json_write_hex(out, "nonce_g", nonces, 32);
    json_write_hex(out, "nonce_h", nonces + 32, 32);
    json_write_hex(out, "k_link", session.key, 32);
    json_write_array_begin(out, "guest_records");
    for (int i = 0; i < 2; i++) {
        link_session_seal(&session, "{}", 2, record, sizeof record, &len);
        json_write_hex(out, NULL, record, len);
    }
    json_write_array_end(out);
    json_write_object_end(out);
}

static void make_login(struct made *made, struct json_writer *out)
{
    uint8_t host[32], nonce[32], signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    char header[REQUEST_HEADER_MAX];
    struct request_signature request;
    crypto_ec_fingerprint(made->identity, host);
    memset(nonce, 0x1c, 32);
    login_sign(made->owner, fixed_random_fill, &source, host, nonce, signature, &len);
    json_write_object_begin(out, "login");
    json_write_hex(out, "nonce", nonce, 32);
    json_write_base64(out, "signature", signature, len);
    json_write_object_end(out);
    struct request_target target = {host, "POST", "/v1/vms", {(const uint8_t *)"{\"name\":\"a\"}", 12}};
    request_signature_sign(made->owner, fixed_random_fill, &source, &target, 1795000000000, &request);
    request_signature_format(&request, header);
    json_write_object_begin(out, "request");
    json_write_text(out, "method", target.method);
    json_write_text(out, "path", target.path);
    json_write_text(out, "body", "{\"name\":\"a\"}");
    json_write_text(out, "header", header);
    json_write_object_end(out);
}

static void write_key_set(struct json_writer *out, const struct channel_keys *keys)
{
    json_write_hex(out, "owner_to_vm_key", keys->send_key, 32);
    json_write_hex(out, "owner_to_vm_iv", keys->send_iv, 12);
    json_write_hex(out, "vm_to_owner_key", keys->receive_key, 32);
    json_write_hex(out, "vm_to_owner_iv", keys->receive_iv, 12);
}

static void make_records(struct json_writer *out, const struct channel_keys *keys)
{
    static const char message[] = "\0\0\0\002{}";
    static uint8_t record[CHANNEL_RECORD_MAX];
    struct channel *channel;
    size_t len;
    if (channel_create(keys, &channel) < 0)
        abort();
    json_write_array_begin(out, "owner_records");
    channel_seal(channel, 0, CHANNEL_DATA, message, 6, record, &len);
    json_write_hex(out, NULL, record, len);
    channel_seal_credit(channel, 1, 65536, record, &len);
    json_write_hex(out, NULL, record, len);
    channel_seal(channel, 0, CHANNEL_CLOSE, NULL, 0, record, &len);
    json_write_hex(out, NULL, record, len);
    json_write_array_end(out);
    channel_destroy(channel);
}

static void make_handshake(struct made *made, struct json_writer *out)
{
    struct kept_random kept[2] = {{{0}, false}, {{0}, false}};
    struct handshake *side[2];
    uint8_t messages[5][HANDSHAKE_MESSAGE_MAX];
    size_t lengths[5];
    struct channel_keys keys;
    for (int i = 0; i < 2; i++) {
        struct handshake_config config = {.role = i ? HANDSHAKE_VM : HANDSHAKE_OWNER,
                                          .own_key = i ? made->vm : made->owner,
                                          .peer_key = i ? made->owner : made->vm,
                                          .binding = {made->binding, made->binding_len},
                                          .random = fill_and_keep,
                                          .random_arg = &kept[i]};
        memcpy(config.uuid, made->request.uuid, 16);
        memset(config.nonce_o, 0x0a, 32);
        if (handshake_create(&config, &side[i]) < 0)
            abort();
    }
    handshake_start(side[0], messages[0], &lengths[0]);
    for (int i = 0; i < 4; i++)
        if (handshake_feed(side[(i + 1) % 2], messages[i], lengths[i], messages[i + 1], &lengths[i + 1]) < 0)
            abort();
    json_write_object_begin(out, "handshake");
    json_write_hex(out, "eph_o_private", kept[0].first, 32);
    json_write_hex(out, "eph_v_private", kept[1].first, 32);
    json_write_array_begin(out, "messages");
    for (int i = 0; i < 4; i++)
        json_write_hex(out, NULL, messages[i], lengths[i]);
    json_write_array_end(out);
    handshake_keys(side[0], &keys);
    write_key_set(out, &keys);
    make_records(out, &keys);
    json_write_object_end(out);
    handshake_destroy(side[0]);
    handshake_destroy(side[1]);
}

static void make_files(struct made *made, struct json_writer *out)
{
    uint8_t key[32], drive[UUID_BYTES], sealed[ENVELOPE_MAX], image[32], hash[32];
    size_t len;
    struct manifest manifest = {.version = 7};
    memset(key, 0xd5, 32);
    memset(drive, 0xdd, sizeof drive);
    envelope_seal(made->owner, made->owner, fixed_random_fill, &source, drive, key, sealed, &len);
    json_write_object_begin(out, "envelope");
    json_write_hex(out, "drive_key", key, 32);
    json_write_hex(out, "drive", drive, sizeof drive);
    json_write_base64(out, "envelope", sealed, len);
    json_write_object_end(out);
    memset(image, 0x11, 32);
    brick_hash(image, NULL, NULL, "console=ttyS0", hash);
    json_write_object_begin(out, "brick");
    json_write_hex(out, "image", image, 32);
    json_write_text(out, "cmdline", "console=ttyS0");
    json_write_hex(out, "hash", hash, 32);
    json_write_object_end(out);
    manifest_add_controller(&manifest, "x86_64", image);
    manifest_sign(&manifest, made->identity, fixed_random_fill, &source);
    manifest_hash(&manifest, hash);
    struct json_writer text = json_writer_init(0);
    manifest_write(&text, &manifest);
    json_write_object_begin(out, "manifest");
    json_write_text(out, "signed_by", "host_identity");
    json_write_text(out, "file", text.text);
    json_write_hex(out, "hash", hash, 32);
    json_write_object_end(out);
    json_writer_finish(&text);
}

static void make_bridge(struct json_writer *out)
{
    uint8_t ticket[BRIDGE_TICKET_BYTES];
    char line[BRIDGE_LINE_BYTES + 1], answer[BRIDGE_ANSWER_MAX];
    memset(ticket, 0x7c, sizeof ticket);
    bridge_line_format(ticket, line);
    json_write_object_begin(out, "bridge");
    json_write_hex(out, "ticket", ticket, sizeof ticket);
    json_write_text(out, "line", line);
    bridge_answer_format(CODE_NONE, answer);
    json_write_text(out, "taken", answer);
    bridge_answer_format(CODE_TICKET_WRONG, answer);
    json_write_text(out, "refused", answer);
    json_write_object_end(out);
}

int main(void)
{
    struct made made = {.binding_len = 0};
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    make_keys(&made, &out);
    make_registration(&made, &out);
    make_binding(&made, &out);
    make_link(&made, &out);
    make_login(&made, &out);
    make_handshake(&made, &out);
    make_files(&made, &out);
    make_bridge(&out);
    json_write_object_end(&out);
    puts(out.text);
    json_writer_finish(&out);
    crypto_rsa_destroy(made.owner);
    crypto_rsa_destroy(made.vm);
    crypto_ec_destroy(made.identity);
    return 0;
}
