/*
 * What the host identity signs (README 5): bindings, vouches, the edge's certificate; and the brick hash
 * (8.1). In: structs. Out: the signed bytes, signatures, verdicts. Nothing is kept. Binding bytes are handed
 * on as they came.
 */
#ifndef KILN_PROTOCOL_BINDING_H
#define KILN_PROTOCOL_BINDING_H

#include "protocol/crypto.h"

enum {
    BINDING_MAX = 512,          /* bytes of an encoded binding */
    BINDING_SIGNATURE_MAX = 80, /* ECDSA P-256 in DER */
    BINDING_NONCE_BYTES = 32,
    BRICK_CMDLINE_MAX = 2048, /* of a command line that is hashed; bytes beyond are not looked at */
};

struct binding {
    uint8_t uuid[UUID_BYTES];
    uint8_t vm_key[CRYPTO_HASH_BYTES]; /* fingerprints */
    uint8_t owner_key[CRYPTO_HASH_BYTES];
    uint8_t brick[CRYPTO_HASH_BYTES];
    uint64_t assignment;
    uint8_t nonce_v[BINDING_NONCE_BYTES]; /* of the registration */
    uint8_t manifest[CRYPTO_HASH_BYTES];
    uint8_t config[CRYPTO_HASH_BYTES];
};

struct binding_signature {
    uint8_t bytes[BINDING_SIGNATURE_MAX];
    size_t len;
};

/* Always the same length, below BINDING_MAX. */
size_t binding_encode(const struct binding *binding, uint8_t out[BINDING_MAX]);
/* -EBADMSG; also for a version that is not 1. */
int binding_decode(const void *bytes, size_t len, struct binding *ret_binding);
/* Signatures over the encoded bytes. Checks: 0, or -EACCES. */
int binding_sign(struct crypto_ec *identity, crypto_random *random, void *arg, struct bytes binding,
                 struct binding_signature *ret_signature);
int binding_verify(const struct crypto_ec *identity, struct bytes binding, struct bytes signature);
/* Signature good and every member as in EXPECTED (assignment is not compared). 0, -EACCES, -EBADMSG. */
int binding_check(const struct crypto_ec *identity, struct bytes binding, struct bytes signature,
                  const struct binding *expected, uint64_t *ret_assignment);

/* Over block("kiln/1 vouch", nonce_o, binding). */
int vouch_sign(struct crypto_ec *identity, crypto_random *random, void *arg,
               const uint8_t nonce_o[BINDING_NONCE_BYTES], struct bytes binding,
               struct binding_signature *ret_signature);
int vouch_verify(const struct crypto_ec *identity, const uint8_t nonce_o[BINDING_NONCE_BYTES],
                 struct bytes binding, struct bytes signature);

/* Over block("kiln/1 edge", certificate fingerprint). */
int edge_certificate_sign(struct crypto_ec *identity, crypto_random *random, void *arg,
                          const uint8_t fingerprint[CRYPTO_HASH_BYTES],
                          struct binding_signature *ret_signature);
int edge_certificate_verify(const struct crypto_ec *identity, const uint8_t fingerprint[CRYPTO_HASH_BYTES],
                            struct bytes signature);

/* README 8.1; KERNEL and INITRD NULL where there is none, CMDLINE "" too. */
void brick_hash(const uint8_t image[CRYPTO_HASH_BYTES], const uint8_t *kernel, const uint8_t *initrd,
                const char *cmdline, uint8_t out[CRYPTO_HASH_BYTES]);

#endif
