/*
 * Log in and signed requests (README 8.2, 8.3). In: what is signed; headers. Out: signatures, the
 * Kiln-Signature header, the token, verdicts. Nothing is kept; whether a nonce or time was seen before is the
 * caller's.
 */
#ifndef KILN_PROTOCOL_LOGIN_H
#define KILN_PROTOCOL_LOGIN_H

#include "protocol/crypto.h"

enum {
    LOGIN_NONCE_BYTES = 32,
    REQUEST_NONCE_BYTES = 16,
    REQUEST_SKEW_MS = 120000,
    REQUEST_HEADER_MAX = 800, /* bytes of the header's value, with the NUL */
    LOGIN_TOKEN_BYTES = 32,
    LOGIN_TOKEN_TEXT = TEXT_HEX_BYTES(LOGIN_TOKEN_BYTES),
};

/* User key over block("kiln/1 login", HOST, nonce); HOST is the identity's fingerprint. Checks: 0 or -EACCES.
 */
int login_sign(struct crypto_rsa *key, crypto_random *random, void *arg,
               const uint8_t host[CRYPTO_HASH_BYTES], const uint8_t nonce[LOGIN_NONCE_BYTES],
               uint8_t out[CRYPTO_SIGNATURE_MAX], size_t *ret_len);
int login_verify(const struct crypto_rsa *key, const uint8_t host[CRYPTO_HASH_BYTES],
                 const uint8_t nonce[LOGIN_NONCE_BYTES], struct bytes signature);

/* The token that a request carries, a guest's too (README 4.3): in AUTHORIZATION ("Bearer <token>"), else
 * among the subprotocols of OFFER ("kiln.v1, kiln.token.<token>"), each the header's value or NULL. Writes
 * the token's text, "" when there is none of the right form. A secret: the caller wipes it. */
void login_token_find(const char *authorization, const char *offer, char out[LOGIN_TOKEN_TEXT]);

/* What of a request is signed. */
struct request_target {
    const uint8_t *host; /* fingerprint of the identity, 32 bytes */
    const char *method, *path;
    struct bytes body;
};

struct request_signature {
    int64_t time_ms;
    uint8_t nonce[REQUEST_NONCE_BYTES];
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t signature_len;
};

/* The value of the header: "time=<ms>,nonce=<hex>,signature=<base64>". -EBADMSG for any other form. */
int request_signature_parse(const char *value, struct request_signature *ret_signature);
void request_signature_format(const struct request_signature *signature, char out[REQUEST_HEADER_MAX]);
/* Takes a fresh nonce from RANDOM and signs. */
int request_signature_sign(struct crypto_rsa *key, crypto_random *random, void *arg,
                           const struct request_target *target, int64_t time_ms,
                           struct request_signature *ret_signature);
/* 0 or -EACCES; says nothing of time and nonce. */
int request_signature_verify(const struct crypto_rsa *key, const struct request_target *target,
                             const struct request_signature *signature);

#endif
