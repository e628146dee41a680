/*
 * AES-256-GCM over mbedTLS. See crypto.h.
 */
#include "protocol/crypto.h"

#include <errno.h>
#include <stdlib.h>

#include <mbedtls/gcm.h>

struct crypto_aead {
    mbedtls_gcm_context context;
};

int crypto_aead_create(const uint8_t key[CRYPTO_KEY_BYTES], struct crypto_aead **ret_aead)
{
    struct crypto_aead *aead = malloc(sizeof *aead);
    if (!aead)
        return -ENOMEM;
    mbedtls_gcm_init(&aead->context);
    if (mbedtls_gcm_setkey(&aead->context, MBEDTLS_CIPHER_ID_AES, key, CRYPTO_KEY_BYTES * 8) != 0) {
        crypto_aead_destroy(aead);
        return -EIO;
    }
    *ret_aead = aead;
    return 0;
}

void crypto_aead_destroy(struct crypto_aead *aead)
{
    if (!aead)
        return;
    mbedtls_gcm_free(&aead->context);
    free(aead);
}

int crypto_aead_seal(struct crypto_aead *aead, const uint8_t iv[CRYPTO_IV_BYTES], struct bytes additional,
                     const uint8_t *plain, size_t len, uint8_t *out)
{
    int error =
        mbedtls_gcm_crypt_and_tag(&aead->context, MBEDTLS_GCM_ENCRYPT, len, iv, CRYPTO_IV_BYTES,
                                  additional.bytes, additional.len, plain, out, CRYPTO_TAG_BYTES, out + len);
    return error ? -EIO : 0;
}

int crypto_aead_open(struct crypto_aead *aead, const uint8_t iv[CRYPTO_IV_BYTES], struct bytes additional,
                     const uint8_t *sealed, size_t len, uint8_t *out)
{
    if (len < CRYPTO_TAG_BYTES)
        return -EACCES;
    len -= CRYPTO_TAG_BYTES;
    int error = mbedtls_gcm_auth_decrypt(&aead->context, len, iv, CRYPTO_IV_BYTES, additional.bytes,
                                         additional.len, sealed + len, CRYPTO_TAG_BYTES, sealed, out);
    if (error == 0)
        return 0;
    crypto_wipe(out, len);
    return error == MBEDTLS_ERR_GCM_AUTH_FAILED ? -EACCES : -EIO;
}
