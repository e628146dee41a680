/*
 * What RSA and EC keys have in common, over mbedTLS's pk; for crypto_*.c only.
 */
#ifndef KILN_PROTOCOL_CRYPTO_KEY_H
#define KILN_PROTOCOL_CRYPTO_KEY_H

#include "protocol/crypto.h"

/* Of mbedTLS 3, whose headers come first: how a member is spelled that it calls private. */
#ifndef MBEDTLS_PRIVATE
#define MBEDTLS_PRIVATE(member) member
#endif

struct mbedtls_pk_context;

/* Public half as SPKI. PK is not changed (2.28 lacks the const). */
int crypto_key_encode_public(struct mbedtls_pk_context *pk, uint8_t out[CRYPTO_SPKI_MAX], size_t *ret_len);
/* Reads an SPKI, all of it; PK is initialised. Says nothing of its kind. -EBADMSG. */
int crypto_key_decode_public(struct mbedtls_pk_context *pk, const void *spki, size_t len);
/* Private half in the key kind's own form (PKCS#1 or SEC1). */
int crypto_key_encode_private(struct mbedtls_pk_context *pk, uint8_t out[CRYPTO_PRIVATE_MAX],
                              size_t *ret_len);
/* Reads that or PKCS#8; RANDOM NULL: none at hand, so PK is checked by no random test. -EBADMSG. */
int crypto_key_decode_private(struct mbedtls_pk_context *pk, const void *der, size_t len,
                              crypto_random *random, void *arg);

#endif
