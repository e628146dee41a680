/*
 * Key encodings over mbedTLS's pk, and SPKI as PEM. See crypto_key.h and crypto.h.
 */
#include "protocol/crypto_key.h"

#include <errno.h>
#include <string.h>

#include <mbedtls/pk.h>
#include <mbedtls/version.h>

#include "protocol/pem.h"

int crypto_key_encode_public(struct mbedtls_pk_context *pk, uint8_t out[CRYPTO_SPKI_MAX], size_t *ret_len)
{
    /* mbedTLS writes to the end of the buffer */
    int len = mbedtls_pk_write_pubkey_der(pk, out, CRYPTO_SPKI_MAX);
    if (len <= 0)
        return -EIO;
    memmove(out, out + CRYPTO_SPKI_MAX - len, (size_t)len);
    *ret_len = (size_t)len;
    return 0;
}

int crypto_key_decode_public(struct mbedtls_pk_context *pk, const void *spki, size_t len)
{
    uint8_t again[CRYPTO_SPKI_MAX];
    size_t again_len;
    if (len == 0 || len > CRYPTO_SPKI_MAX || mbedtls_pk_parse_public_key(pk, spki, len) != 0)
        return -EBADMSG;
    /* A key has one fingerprint: what decodes to it in other bytes is refused. */
    if (crypto_key_encode_public(pk, again, &again_len) < 0 || again_len != len ||
        memcmp(again, spki, len) != 0)
        return -EBADMSG;
    return 0;
}

int crypto_key_encode_private(struct mbedtls_pk_context *pk, uint8_t out[CRYPTO_PRIVATE_MAX], size_t *ret_len)
{
    int len = mbedtls_pk_write_key_der(pk, out, CRYPTO_PRIVATE_MAX);
    if (len <= 0)
        return -EIO;
    memmove(out, out + CRYPTO_PRIVATE_MAX - len, (size_t)len);
    *ret_len = (size_t)len;
    return 0;
}

int crypto_key_decode_private(struct mbedtls_pk_context *pk, const void *der, size_t len,
                              crypto_random *random, void *arg)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    int error = mbedtls_pk_parse_key(pk, der, len, NULL, 0, random, arg);
#else
    int error = mbedtls_pk_parse_key(pk, der, len, NULL, 0);
    (void)random;
    (void)arg;
#endif
    return error ? -EBADMSG : 0;
}

int crypto_spki_decode_pem(const char *pem, uint8_t out[CRYPTO_SPKI_MAX], size_t *ret_len)
{
    return pem_decode(pem, "PUBLIC KEY", out, CRYPTO_SPKI_MAX, ret_len) ? -EBADMSG : 0;
}

int crypto_spki_encode_pem(const void *spki, size_t len, char out[CRYPTO_PEM_MAX])
{
    return pem_encode("PUBLIC KEY", spki, len, out, CRYPTO_PEM_MAX);
}
