/*
 * Cryptography (README 1.5): the only door to mbedTLS of this room (crypto_*.c). 2.28 and 3.x.
 * In: bytes, keys, a source of randomness. Out: bytes, keys. Kept: keys in handles, wiped by their destroy.
 *
 * Errors: -EBADMSG not a key or not of an allowed kind, -EACCES a check failed (signature, tag, pass phrase,
 * padding), -ENOSPC no room, -ENOMEM, -EIO anything else in the library. RET_ outputs are written on success
 * only.
 */
#ifndef KILN_PROTOCOL_CRYPTO_H
#define KILN_PROTOCOL_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/text.h"

enum {
    CRYPTO_HASH_BYTES = 32,
    CRYPTO_KEY_BYTES = 32,
    CRYPTO_IV_BYTES = 12,
    CRYPTO_TAG_BYTES = 16,
    CRYPTO_POINT_BYTES = 65,    /* P-256, uncompressed */
    CRYPTO_SPKI_MAX = 560,      /* an RSA-4096 key has 550 */
    CRYPTO_SIGNATURE_MAX = 512, /* RSA-4096; ECDSA P-256 in DER has at most 72 */
    CRYPTO_PRIVATE_MAX = 2560,  /* an RSA-4096 private key in DER */
    CRYPTO_PEM_MAX = 4096,      /* any key of ours as PEM, with the NUL */
    CRYPTO_ROUNDS = 600000,     /* of PBKDF2 in a key file */
    CRYPTO_ROUNDS_MAX = 10000000,
};

/* Fills OUT with LEN random bytes; 0, or anything else on failure. (src/io/random.h has the kernel's.) */
typedef int crypto_random(void *arg, uint8_t *out, size_t len);

struct crypto_hash;
struct crypto_aead;
struct crypto_ecdh;
struct crypto_rsa; /* public, or public and private */
struct crypto_ec;  /* the same, P-256 */

/* Overwrites, also where a compiler would see no reason to. */
void crypto_wipe(void *bytes, size_t len);

/* SHA-256; the streaming form is for what is too large for memory. */
void crypto_hash(const void *bytes, size_t len, uint8_t out[CRYPTO_HASH_BYTES]);
int crypto_hash_create(struct crypto_hash **ret_hash);
void crypto_hash_update(struct crypto_hash *hash, const void *bytes, size_t len);
/* What was hashed so far; the hash can go on. */
void crypto_hash_value(const struct crypto_hash *hash, uint8_t out[CRYPTO_HASH_BYTES]);
void crypto_hash_destroy(struct crypto_hash *hash);

void crypto_hmac(const uint8_t *key, size_t key_len, const void *bytes, size_t len,
                 uint8_t out[CRYPTO_HASH_BYTES]);
/* RFC 5869; LEN at most 255 * 32. INFO may hold any bytes. */
void crypto_hkdf(struct bytes ikm, struct bytes salt, struct bytes info, uint8_t *out, size_t len);

/* AES-256-GCM. */
int crypto_aead_create(const uint8_t key[CRYPTO_KEY_BYTES], struct crypto_aead **ret_aead);
void crypto_aead_destroy(struct crypto_aead *aead);
/* OUT gets LEN bytes and then the tag; it may be PLAIN. */
int crypto_aead_seal(struct crypto_aead *aead, const uint8_t iv[CRYPTO_IV_BYTES], struct bytes additional,
                     const uint8_t *plain, size_t len, uint8_t *out);
/* LEN counts the tag, OUT gets LEN - 16 bytes and may be SEALED. -EACCES; OUT is then wiped. */
int crypto_aead_open(struct crypto_aead *aead, const uint8_t iv[CRYPTO_IV_BYTES], struct bytes additional,
                     const uint8_t *sealed, size_t len, uint8_t *out);

/* Ephemeral P-256. The shared secret is the x coordinate; a peer's point that is not on the curve is
 * -EBADMSG. */
int crypto_ecdh_create(crypto_random *random, void *arg, struct crypto_ecdh **ret_ecdh);
void crypto_ecdh_public(const struct crypto_ecdh *ecdh, uint8_t out[CRYPTO_POINT_BYTES]);
int crypto_ecdh_agree(struct crypto_ecdh *ecdh, const uint8_t peer[CRYPTO_POINT_BYTES], crypto_random *random,
                      void *arg, uint8_t ret_secret[32]);
void crypto_ecdh_destroy(struct crypto_ecdh *ecdh);

/* SHA-256 of an SPKI. */
void crypto_fingerprint(const void *spki, size_t len, uint8_t out[CRYPTO_HASH_BYTES]);
/* DER of a "PUBLIC KEY" PEM: at most CRYPTO_SPKI_MAX bytes. Says nothing of its kind. */
int crypto_spki_decode_pem(const char *pem, uint8_t out[CRYPTO_SPKI_MAX], size_t *ret_len);
/* The other way; OUT has CRYPTO_PEM_MAX bytes. */
int crypto_spki_encode_pem(const void *spki, size_t len, char out[CRYPTO_PEM_MAX]);

/* RSA, 2048 to 4096 bits, e = 65537; PSS and OAEP with SHA-256. */
int crypto_rsa_generate(unsigned bits, crypto_random *random, void *arg, struct crypto_rsa **ret_key);
int crypto_rsa_decode_public(const void *spki, size_t len, struct crypto_rsa **ret_key);
int crypto_rsa_encode_public(const struct crypto_rsa *key, uint8_t out[CRYPTO_SPKI_MAX], size_t *ret_len);
int crypto_rsa_fingerprint(const struct crypto_rsa *key, uint8_t out[CRYPTO_HASH_BYTES]);
unsigned crypto_rsa_bits(const struct crypto_rsa *key);
bool crypto_rsa_is_private(const struct crypto_rsa *key);
/* Private half as PKCS#1 DER, for memory that is locked. -EINVAL for a public key. */
int crypto_rsa_encode_private(const struct crypto_rsa *key, uint8_t out[CRYPTO_PRIVATE_MAX], size_t *ret_len);
int crypto_rsa_decode_private(const void *der, size_t len, struct crypto_rsa **ret_key);
void crypto_rsa_destroy(struct crypto_rsa *key);
/* PSS over the bytes (they are hashed here). The signature has bits / 8 bytes. */
int crypto_rsa_sign(struct crypto_rsa *key, crypto_random *random, void *arg, const void *bytes, size_t len,
                    uint8_t out[CRYPTO_SIGNATURE_MAX], size_t *ret_len);
int crypto_rsa_verify(const struct crypto_rsa *key, const void *bytes, size_t len, const void *signature,
                      size_t signature_len);
/* OAEP, empty label. */
int crypto_rsa_encrypt(const struct crypto_rsa *key, crypto_random *random, void *arg, const void *plain,
                       size_t len, uint8_t out[CRYPTO_SIGNATURE_MAX], size_t *ret_len);
int crypto_rsa_decrypt(struct crypto_rsa *key, crypto_random *random, void *arg, const void *sealed,
                       size_t sealed_len, uint8_t *out, size_t max, size_t *ret_len);

/* User key file (README 10.2): PEM under a pass phrase. OUT has CRYPTO_PEM_MAX bytes. ROUNDS at least
 * CRYPTO_ROUNDS but in tests. Reading refuses a file that is not of this form with -EBADMSG, one of
 * fewer rounds with -ERANGE, a wrong pass phrase with -EACCES. */
int crypto_rsa_encode_file(const struct crypto_rsa *key, const char *passphrase, unsigned rounds,
                           crypto_random *random, void *arg, char out[CRYPTO_PEM_MAX]);
int crypto_rsa_decode_file(const char *pem, const char *passphrase, struct crypto_rsa **ret_key);

/* ECDSA P-256, DER signatures; deterministic nonces (RFC 6979), blinded with RANDOM. */
int crypto_ec_generate(crypto_random *random, void *arg, struct crypto_ec **ret_key);
int crypto_ec_decode_public(const void *spki, size_t len, struct crypto_ec **ret_key);
int crypto_ec_encode_public(const struct crypto_ec *key, uint8_t out[CRYPTO_SPKI_MAX], size_t *ret_len);
int crypto_ec_fingerprint(const struct crypto_ec *key, uint8_t out[CRYPTO_HASH_BYTES]);
/* PEM "EC PRIVATE KEY" (written) or "PRIVATE KEY" (read too); a "PUBLIC KEY" is read as a public key. */
int crypto_ec_encode_pem(const struct crypto_ec *key, char out[CRYPTO_PEM_MAX]);
int crypto_ec_decode_pem(const char *pem, crypto_random *random, void *arg, struct crypto_ec **ret_key);
bool crypto_ec_is_private(const struct crypto_ec *key);
int crypto_ec_sign(struct crypto_ec *key, crypto_random *random, void *arg, const void *bytes, size_t len,
                   uint8_t out[CRYPTO_SIGNATURE_MAX], size_t *ret_len);
int crypto_ec_verify(const struct crypto_ec *key, const void *bytes, size_t len, const void *signature,
                     size_t signature_len);
void crypto_ec_destroy(struct crypto_ec *key);

#endif
