/*
 * Registration (README 2 and 4.2): boot secret, K_reg, guest token, the request and the reply with their
 * proofs. In: JSON objects or structs. Out: the other, hashes, verdicts. Nothing is kept.
 */
#ifndef KILN_PROTOCOL_REGISTER_H
#define KILN_PROTOCOL_REGISTER_H

#include "protocol/binding.h"
#include "protocol/crypto.h"
#include "protocol/json.h"

enum {
    REGISTER_SECRET_BYTES = 32,
    REGISTER_NONCE_BYTES = 32,
    REGISTER_ADDRESSES_MAX = 8,
    REGISTER_ADDRESS_BYTES = 65, /* with the NUL */
    REGISTER_VERSION_BYTES = 33,
    REGISTER_SETTINGS_BYTES = 2048,
};

/* boot_secret = HMAC(master, block("kiln/1 boot secret", uuid, boot)). */
void register_derive_boot_secret(const uint8_t master[32], const uint8_t uuid[UUID_BYTES], uint64_t boot,
                                 uint8_t out[REGISTER_SECRET_BYTES]);
/* K_reg of a boot secret. */
void register_derive_key(const uint8_t boot_secret[REGISTER_SECRET_BYTES], uint8_t out[CRYPTO_KEY_BYTES]);
/* The token that a guest shows at its WebSockets. */
void register_derive_token(const uint8_t key[CRYPTO_KEY_BYTES], const uint8_t uuid[UUID_BYTES],
                           uint8_t out[CRYPTO_HASH_BYTES]);

struct register_request {
    uint8_t uuid[UUID_BYTES];
    uint8_t public_key[CRYPTO_SPKI_MAX];
    size_t public_key_len;
    uint8_t nonce_v[REGISTER_NONCE_BYTES];
    char addresses[REGISTER_ADDRESSES_MAX][REGISTER_ADDRESS_BYTES];
    size_t naddresses;
    char stub_version[REGISTER_VERSION_BYTES], controller_version[REGISTER_VERSION_BYTES];
    uint8_t manifest[CRYPTO_HASH_BYTES], config[CRYPTO_HASH_BYTES];
    uint8_t proof[CRYPTO_HASH_BYTES];
};

/* -EINVAL, RET_WRONG (optional) then names the member. Unknown members are ignored. */
int register_request_decode(const struct json *object, struct register_request *ret_request,
                            const char **ret_wrong);
/* Writes the members, proof included, as one object. */
void register_request_write(struct json_writer *writer, const char *key,
                            const struct register_request *request);
/* H of the request's block; does not depend on the proof. */
void register_request_hash(const struct register_request *request, uint8_t out[CRYPTO_HASH_BYTES]);
/* Fills in the proof. */
void register_request_prove(struct register_request *request, const uint8_t key[CRYPTO_KEY_BYTES]);
/* 0 or -EACCES. */
int register_request_check(const struct register_request *request, const uint8_t key[CRYPTO_KEY_BYTES]);

struct register_reply {
    char settings[REGISTER_SETTINGS_BYTES]; /* JSON text */
    uint8_t owner_public_key[CRYPTO_SPKI_MAX];
    size_t owner_public_key_len; /* 0: nobody's yet; binding and signature are empty then */
    uint8_t host_identity[CRYPTO_SPKI_MAX];
    size_t host_identity_len;
    uint8_t binding[BINDING_MAX];
    size_t binding_len;
    uint8_t signature[BINDING_SIGNATURE_MAX];
    size_t signature_len;
    uint8_t proof[CRYPTO_HASH_BYTES];
};

int register_reply_decode(const struct json *object, struct register_reply *ret_reply,
                          const char **ret_wrong);
void register_reply_write(struct json_writer *writer, const char *key, const struct register_reply *reply);
void register_reply_prove(struct register_reply *reply, const uint8_t key[CRYPTO_KEY_BYTES],
                          const uint8_t request_hash[CRYPTO_HASH_BYTES]);
int register_reply_check(const struct register_reply *reply, const uint8_t key[CRYPTO_KEY_BYTES],
                         const uint8_t request_hash[CRYPTO_HASH_BYTES]);

#endif
