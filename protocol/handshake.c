/*
 * The handshake of the channel, both roles. See handshake.h; the names are those of README 7.1.
 */
#include "protocol/handshake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"

enum { TYPE_HELLO_O = 1, TYPE_HELLO_V, TYPE_AUTH_O, TYPE_AUTH_V, VERSION = 1, HASH = CRYPTO_HASH_BYTES };

/* What the next message must be; FAILED takes none. */
enum phase { BEGUN, HELLO_SENT, AUTH_SENT, DONE, FAILED };

struct handshake {
    struct handshake_config config; /* the binding in it points to the copy below */
    uint8_t binding[BINDING_MAX];
    enum phase phase;
    struct crypto_ecdh *ecdh; /* owned */
    uint8_t hello_o[HANDSHAKE_MESSAGE_MAX];
    size_t hello_o_len;
    uint8_t z[32], t2[HASH], t3[HASH], t4[HASH]; /* z is secret */
    struct channel_keys keys;
};

int handshake_create(const struct handshake_config *config, struct handshake **ret_handshake)
{
    if (config->binding.len > BINDING_MAX)
        return -EINVAL;
    struct handshake *handshake = calloc(1, sizeof *handshake);
    if (!handshake)
        return -ENOMEM;
    handshake->config = *config;
    memcpy(handshake->binding, config->binding.bytes, config->binding.len);
    handshake->config.binding.bytes = handshake->binding;
    int error = crypto_ecdh_create(config->random, config->random_arg, &handshake->ecdh);
    if (error) {
        handshake_destroy(handshake);
        return error;
    }
    *ret_handshake = handshake;
    return 0;
}

void handshake_destroy(struct handshake *handshake)
{
    if (!handshake)
        return;
    crypto_ecdh_destroy(handshake->ecdh);
    crypto_wipe(handshake, sizeof *handshake);
    free(handshake);
}

static struct wire_writer message_begin(uint8_t out[HANDSHAKE_MESSAGE_MAX], uint8_t type)
{
    struct wire_writer writer = wire_writer_init(out, HANDSHAKE_MESSAGE_MAX);
    wire_write_u8(&writer, type);
    wire_write_u16(&writer, VERSION);
    return writer;
}

static struct wire_reader message_open(const void *message, size_t len, uint8_t type)
{
    struct wire_reader reader = wire_reader_init(message, len);
    if (wire_read_u8(&reader) != type || wire_read_u16(&reader) != VERSION)
        reader.bad = true;
    return reader;
}

static struct bytes text_bytes(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* HKDF(z, SALT, label). */
static void derive(const struct handshake *handshake, struct bytes salt, const char *label, uint8_t *out,
                   size_t len)
{
    crypto_hkdf((struct bytes){handshake->z, sizeof handshake->z}, salt, text_bytes(label), out, len);
}

/* The shared secret and T2. */
static int agree(struct handshake *handshake, const uint8_t point[CRYPTO_POINT_BYTES], const void *hello_v,
                 size_t hello_v_len)
{
    uint8_t buffer[BINDING_MAX + 2 * HANDSHAKE_MESSAGE_MAX + 16];
    struct wire_writer writer = wire_writer_init(buffer, sizeof buffer);
    const struct handshake_config *config = &handshake->config;
    int error = crypto_ecdh_agree(handshake->ecdh, point, config->random, config->random_arg, handshake->z);
    if (error)
        return error;
    wire_write_field(&writer, config->binding.bytes, config->binding.len);
    wire_write_field(&writer, handshake->hello_o, handshake->hello_o_len);
    wire_write_field(&writer, hello_v, hello_v_len);
    if (writer.bad)
        return -EBADMSG;
    crypto_hash(buffer, writer.len, handshake->t2);
    return 0;
}

/* One side's signature and MAC, and what they are over: T2 for the owner, T3 for the VM. */
struct auth {
    uint8_t type;
    const char *signature_label, *mac_label;
    const uint8_t *before; /* the transcript's hash so far */
    uint8_t *after;        /* with signature and MAC */
};

static struct auth auth_of(struct handshake *handshake, enum handshake_role role)
{
    if (role == HANDSHAKE_OWNER)
        return (struct auth){TYPE_AUTH_O, "kiln/1 owner", "kiln/1 mac owner", handshake->t2, handshake->t3};
    return (struct auth){TYPE_AUTH_V, "kiln/1 vm", "kiln/1 mac vm", handshake->t3, handshake->t4};
}

static void auth_mac(const struct handshake *handshake, const struct auth *auth, struct bytes signature,
                     uint8_t out[HASH])
{
    uint8_t key[CRYPTO_KEY_BYTES], buffer[HANDSHAKE_MESSAGE_MAX];
    struct wire_writer writer = wire_writer_init(buffer, sizeof buffer);
    derive(handshake, (struct bytes){handshake->t2, HASH}, auth->mac_label, key, sizeof key);
    wire_write_field(&writer, auth->before, HASH);
    wire_write_field(&writer, signature.bytes, signature.len);
    crypto_hmac(key, sizeof key, buffer, writer.len, out);
    crypto_wipe(key, sizeof key);
}

static void auth_absorb(const struct auth *auth, struct bytes signature, const uint8_t mac[HASH])
{
    uint8_t buffer[HANDSHAKE_MESSAGE_MAX];
    struct wire_writer writer = wire_writer_init(buffer, sizeof buffer);
    wire_write_field(&writer, auth->before, HASH);
    wire_write_field(&writer, signature.bytes, signature.len);
    wire_write_field(&writer, mac, HASH);
    crypto_hash(buffer, writer.len, auth->after);
}

static size_t auth_block(const struct auth *auth, uint8_t out[64])
{
    struct wire_writer writer = wire_writer_init(out, 64);
    wire_write_field_text(&writer, auth->signature_label);
    wire_write_field(&writer, auth->before, HASH);
    return writer.len;
}

/* Our AUTH message. */
static int auth_make(struct handshake *handshake, uint8_t out[HANDSHAKE_MESSAGE_MAX], size_t *ret_len)
{
    const struct handshake_config *config = &handshake->config;
    struct auth auth = auth_of(handshake, config->role);
    uint8_t block[64], signature[CRYPTO_SIGNATURE_MAX], mac[HASH];
    struct bytes signed_bytes = {signature, 0};
    int error = crypto_rsa_sign(config->own_key, config->random, config->random_arg, block,
                                auth_block(&auth, block), signature, &signed_bytes.len);
    if (error)
        return error;
    auth_mac(handshake, &auth, signed_bytes, mac);
    auth_absorb(&auth, signed_bytes, mac);
    struct wire_writer writer = message_begin(out, auth.type);
    wire_write_field(&writer, signature, signed_bytes.len);
    wire_write_field(&writer, mac, sizeof mac);
    return wire_writer_end(&writer, ret_len);
}

/* Checks the peer's: the MAC, which costs little, before the signature. */
static int auth_check(struct handshake *handshake, const void *message, size_t len)
{
    const struct handshake_config *config = &handshake->config;
    struct auth auth = auth_of(handshake, config->role == HANDSHAKE_OWNER ? HANDSHAKE_VM : HANDSHAKE_OWNER);
    uint8_t block[64], mac[HASH], wanted[HASH];
    struct wire_reader reader = message_open(message, len, auth.type);
    struct bytes signature = wire_read_field(&reader);
    wire_read_field_exact(&reader, mac, sizeof mac);
    if (wire_reader_end(&reader) < 0 || signature.len > CRYPTO_SIGNATURE_MAX)
        return -EBADMSG;
    auth_mac(handshake, &auth, signature, wanted);
    if (!wire_equal(mac, wanted, sizeof mac))
        return -EACCES;
    size_t block_len = auth_block(&auth, block);
    if (crypto_rsa_verify(config->peer_key, block, block_len, signature.bytes, signature.len) < 0)
        return -EACCES;
    auth_absorb(&auth, signature, mac);
    return 0;
}

/* Key and IV of one direction. */
static void derive_direction(const struct handshake *handshake, const char *label,
                             uint8_t key[CRYPTO_KEY_BYTES], uint8_t iv[CRYPTO_IV_BYTES])
{
    uint8_t salt[2 * HASH], out[CRYPTO_KEY_BYTES + CRYPTO_IV_BYTES];
    memcpy(salt, handshake->t2, HASH);
    memcpy(salt + HASH, handshake->t4, HASH);
    derive(handshake, (struct bytes){salt, sizeof salt}, label, out, sizeof out);
    memcpy(key, out, CRYPTO_KEY_BYTES);
    memcpy(iv, out + CRYPTO_KEY_BYTES, CRYPTO_IV_BYTES);
    crypto_wipe(out, sizeof out);
}

static void finish(struct handshake *handshake)
{
    static const char to_vm[] = "kiln/1 owner to vm", to_owner[] = "kiln/1 vm to owner";
    bool owner = handshake->config.role == HANDSHAKE_OWNER;
    struct channel_keys *keys = &handshake->keys;
    derive_direction(handshake, owner ? to_vm : to_owner, keys->send_key, keys->send_iv);
    derive_direction(handshake, owner ? to_owner : to_vm, keys->receive_key, keys->receive_iv);
    crypto_wipe(handshake->z, sizeof handshake->z);
    handshake->phase = DONE;
}

int handshake_start(struct handshake *handshake, uint8_t out[HANDSHAKE_MESSAGE_MAX], size_t *ret_len)
{
    uint8_t point[CRYPTO_POINT_BYTES];
    if (handshake->config.role != HANDSHAKE_OWNER || handshake->phase != BEGUN)
        return -EINVAL;
    crypto_ecdh_public(handshake->ecdh, point);
    struct wire_writer writer = message_begin(out, TYPE_HELLO_O);
    wire_write_field(&writer, point, sizeof point);
    wire_write_field(&writer, handshake->config.nonce_o, HANDSHAKE_NONCE_BYTES);
    wire_write_field(&writer, handshake->config.uuid, UUID_BYTES);
    memcpy(handshake->hello_o, out, writer.len);
    handshake->hello_o_len = writer.len;
    handshake->phase = HELLO_SENT;
    return wire_writer_end(&writer, ret_len);
}

/* VM: HELLO_O in, HELLO_V out. */
static int take_hello_o(struct handshake *handshake, const void *message, size_t len,
                        uint8_t out[HANDSHAKE_MESSAGE_MAX], size_t *ret_len)
{
    uint8_t peer[CRYPTO_POINT_BYTES], own[CRYPTO_POINT_BYTES], nonce[HANDSHAKE_NONCE_BYTES], uuid[UUID_BYTES];
    const struct handshake_config *config = &handshake->config;
    struct wire_reader reader = message_open(message, len, TYPE_HELLO_O);
    wire_read_field_exact(&reader, peer, sizeof peer);
    wire_read_field_exact(&reader, nonce, sizeof nonce);
    wire_read_field_exact(&reader, uuid, sizeof uuid);
    if (wire_reader_end(&reader) < 0 || len > sizeof handshake->hello_o ||
        memcmp(uuid, config->uuid, sizeof uuid) != 0)
        return -EBADMSG;
    memcpy(handshake->hello_o, message, len);
    handshake->hello_o_len = len;
    if (config->random(config->random_arg, nonce, sizeof nonce) != 0)
        return -EIO;
    crypto_ecdh_public(handshake->ecdh, own);
    struct wire_writer writer = message_begin(out, TYPE_HELLO_V);
    wire_write_field(&writer, own, sizeof own);
    wire_write_field(&writer, nonce, sizeof nonce);
    int error = agree(handshake, peer, out, writer.len);
    handshake->phase = HELLO_SENT;
    return error ? error : wire_writer_end(&writer, ret_len);
}

/* Owner: HELLO_V in, AUTH_O out. */
static int take_hello_v(struct handshake *handshake, const void *message, size_t len,
                        uint8_t out[HANDSHAKE_MESSAGE_MAX], size_t *ret_len)
{
    uint8_t peer[CRYPTO_POINT_BYTES], nonce[HANDSHAKE_NONCE_BYTES];
    struct wire_reader reader = message_open(message, len, TYPE_HELLO_V);
    wire_read_field_exact(&reader, peer, sizeof peer);
    wire_read_field_exact(&reader, nonce, sizeof nonce);
    if (wire_reader_end(&reader) < 0)
        return -EBADMSG;
    int error = agree(handshake, peer, message, len);
    handshake->phase = AUTH_SENT;
    return error ? error : auth_make(handshake, out, ret_len);
}

/* VM: AUTH_O in, AUTH_V out, done. */
static int take_auth_o(struct handshake *handshake, const void *message, size_t len,
                       uint8_t out[HANDSHAKE_MESSAGE_MAX], size_t *ret_len)
{
    int error = auth_check(handshake, message, len);
    if (error == 0)
        error = auth_make(handshake, out, ret_len);
    if (error == 0)
        finish(handshake);
    return error;
}

/* Owner: AUTH_V in, done. */
static int take_auth_v(struct handshake *handshake, const void *message, size_t len,
                       uint8_t out[HANDSHAKE_MESSAGE_MAX], size_t *ret_len)
{
    int error = auth_check(handshake, message, len);
    (void)out;
    if (error)
        return error;
    finish(handshake);
    *ret_len = 0;
    return 0;
}

typedef int take_message(struct handshake *handshake, const void *message, size_t len,
                         uint8_t out[HANDSHAKE_MESSAGE_MAX], size_t *ret_len);

static take_message *const takers[2][FAILED + 1] = {
    [HANDSHAKE_OWNER] = {[HELLO_SENT] = take_hello_v, [AUTH_SENT] = take_auth_v},
    [HANDSHAKE_VM] = {[BEGUN] = take_hello_o, [HELLO_SENT] = take_auth_o},
};

int handshake_feed(struct handshake *handshake, const void *message, size_t len,
                   uint8_t out[HANDSHAKE_MESSAGE_MAX], size_t *ret_len)
{
    take_message *take = takers[handshake->config.role][handshake->phase];
    int error = take && len <= HANDSHAKE_MESSAGE_MAX ? take(handshake, message, len, out, ret_len) : -EBADMSG;
    if (error) {
        handshake->phase = FAILED;
        crypto_wipe(handshake->z, sizeof handshake->z);
        crypto_wipe(&handshake->keys, sizeof handshake->keys);
    }
    return error;
}

bool handshake_done(const struct handshake *handshake)
{
    return handshake->phase == DONE;
}

int handshake_keys(const struct handshake *handshake, struct channel_keys *ret_keys)
{
    if (handshake->phase != DONE)
        return -EAGAIN;
    *ret_keys = handshake->keys;
    return 0;
}
