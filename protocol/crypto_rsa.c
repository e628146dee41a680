/*
 * RSA keys, PSS and OAEP over mbedTLS. See crypto.h.
 */
#include "protocol/crypto.h"

#include <errno.h>
#include <stdlib.h>

#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/version.h>

#include "protocol/crypto_key.h"

enum { SALT_BYTES = 32, EXPONENT = 65537, BITS_MIN = 2048, BITS_MAX = 4096 };

struct crypto_rsa {
    mbedtls_pk_context pk;
};

/* mbedTLS 3 dropped the mode parameter and the padding of init. */
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define WITH_MODE(mode)
#else
#define WITH_MODE(mode) mode,
#endif

static struct crypto_rsa *key_new(void)
{
    struct crypto_rsa *key = malloc(sizeof *key);
    if (key)
        mbedtls_pk_init(&key->pk);
    return key;
}

void crypto_rsa_destroy(struct crypto_rsa *key)
{
    if (!key)
        return;
    mbedtls_pk_free(&key->pk);
    free(key);
}

static int exponent_check(mbedtls_rsa_context *rsa)
{
    mbedtls_mpi exponent;
    mbedtls_mpi_init(&exponent);
    int error = mbedtls_rsa_export(rsa, NULL, NULL, NULL, NULL, &exponent) != 0 ||
                mbedtls_mpi_cmp_int(&exponent, EXPONENT) != 0;
    mbedtls_mpi_free(&exponent);
    return error ? -EBADMSG : 0;
}

/* Whether the key is one that README 1.5 allows; sets the padding. */
static int key_check(struct crypto_rsa *key, bool private)
{
    if (mbedtls_pk_get_type(&key->pk) != MBEDTLS_PK_RSA)
        return -EBADMSG;
    mbedtls_rsa_context *rsa = mbedtls_pk_rsa(key->pk);
    size_t bits = mbedtls_pk_get_bitlen(&key->pk);
    if (bits < BITS_MIN || bits > BITS_MAX || exponent_check(rsa) < 0)
        return -EBADMSG;
    if ((private ? mbedtls_rsa_check_privkey(rsa) : mbedtls_rsa_check_pubkey(rsa)) != 0)
        return -EBADMSG;
    mbedtls_rsa_set_padding(rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);
    return 0;
}

/* Hands over a key that was read, if it is good. */
static int key_take(struct crypto_rsa *key, int error, bool private, struct crypto_rsa **ret_key)
{
    if (error == 0)
        error = key_check(key, private);
    if (error) {
        crypto_rsa_destroy(key);
        return error;
    }
    *ret_key = key;
    return 0;
}

int crypto_rsa_generate(unsigned bits, crypto_random *random, void *arg, struct crypto_rsa **ret_key)
{
    struct crypto_rsa *key = key_new();
    if (!key)
        return -ENOMEM;
    int error = mbedtls_pk_setup(&key->pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
    if (error == 0)
        error = mbedtls_rsa_gen_key(mbedtls_pk_rsa(key->pk), random, arg, bits, EXPONENT);
    return key_take(key, error ? -EIO : 0, true, ret_key);
}

int crypto_rsa_decode_public(const void *spki, size_t len, struct crypto_rsa **ret_key)
{
    struct crypto_rsa *key = key_new();
    if (!key)
        return -ENOMEM;
    return key_take(key, crypto_key_decode_public(&key->pk, spki, len), false, ret_key);
}

int crypto_rsa_encode_public(const struct crypto_rsa *key, uint8_t out[CRYPTO_SPKI_MAX], size_t *ret_len)
{
    mbedtls_pk_context pk = key->pk;
    return crypto_key_encode_public(&pk, out, ret_len);
}

int crypto_rsa_fingerprint(const struct crypto_rsa *key, uint8_t out[CRYPTO_HASH_BYTES])
{
    uint8_t spki[CRYPTO_SPKI_MAX];
    size_t len;
    int error = crypto_rsa_encode_public(key, spki, &len);
    if (error == 0)
        crypto_fingerprint(spki, len, out);
    return error;
}

unsigned crypto_rsa_bits(const struct crypto_rsa *key)
{
    return (unsigned)mbedtls_pk_get_bitlen(&key->pk);
}

bool crypto_rsa_is_private(const struct crypto_rsa *key)
{
    return mbedtls_rsa_check_privkey(mbedtls_pk_rsa(key->pk)) == 0;
}

int crypto_rsa_encode_private(const struct crypto_rsa *key, uint8_t out[CRYPTO_PRIVATE_MAX], size_t *ret_len)
{
    mbedtls_pk_context pk = key->pk;
    if (!crypto_rsa_is_private(key))
        return -EINVAL;
    return crypto_key_encode_private(&pk, out, ret_len);
}

int crypto_rsa_decode_private(const void *der, size_t len, struct crypto_rsa **ret_key)
{
    struct crypto_rsa *key = key_new();
    if (!key)
        return -ENOMEM;
    return key_take(key, crypto_key_decode_private(&key->pk, der, len, NULL, NULL), true, ret_key);
}

/* Where memory runs out, mbedTLS leaves the numbers half made that it blinds with, and the key would never
 * sign again; it makes new ones when there are none. */
static int private_failed(mbedtls_rsa_context *rsa, int error)
{
    mbedtls_mpi_free(&rsa->MBEDTLS_PRIVATE(Vi));
    mbedtls_mpi_free(&rsa->MBEDTLS_PRIVATE(Vf));
    return error;
}

int crypto_rsa_sign(struct crypto_rsa *key, crypto_random *random, void *arg, const void *bytes, size_t len,
                    uint8_t out[CRYPTO_SIGNATURE_MAX], size_t *ret_len)
{
    mbedtls_rsa_context *rsa = mbedtls_pk_rsa(key->pk);
    uint8_t hash[CRYPTO_HASH_BYTES];
    crypto_hash(bytes, len, hash);
    if (mbedtls_rsa_rsassa_pss_sign_ext(rsa, random, arg, MBEDTLS_MD_SHA256, sizeof hash, hash, SALT_BYTES,
                                        out))
        return private_failed(rsa, -EIO);
    *ret_len = mbedtls_rsa_get_len(rsa);
    return 0;
}

int crypto_rsa_verify(const struct crypto_rsa *key, const void *bytes, size_t len, const void *signature,
                      size_t signature_len)
{
    mbedtls_rsa_context *rsa = mbedtls_pk_rsa(key->pk);
    uint8_t hash[CRYPTO_HASH_BYTES];
    if (signature_len != mbedtls_rsa_get_len(rsa))
        return -EACCES;
    crypto_hash(bytes, len, hash);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    int error = mbedtls_rsa_rsassa_pss_verify_ext(rsa, MBEDTLS_MD_SHA256, sizeof hash, hash,
                                                  MBEDTLS_MD_SHA256, SALT_BYTES, signature);
#else
    int error =
        mbedtls_rsa_rsassa_pss_verify_ext(rsa, NULL, NULL, MBEDTLS_RSA_PUBLIC, MBEDTLS_MD_SHA256, sizeof hash,
                                          hash, MBEDTLS_MD_SHA256, SALT_BYTES, signature);
#endif
    return error ? -EACCES : 0;
}

int crypto_rsa_encrypt(const struct crypto_rsa *key, crypto_random *random, void *arg, const void *plain,
                       size_t len, uint8_t out[CRYPTO_SIGNATURE_MAX], size_t *ret_len)
{
    mbedtls_rsa_context *rsa = mbedtls_pk_rsa(key->pk);
    if (mbedtls_rsa_rsaes_oaep_encrypt(rsa, random, arg, WITH_MODE(MBEDTLS_RSA_PUBLIC) NULL, 0, len, plain,
                                       out))
        return -EIO;
    *ret_len = mbedtls_rsa_get_len(rsa);
    return 0;
}

int crypto_rsa_decrypt(struct crypto_rsa *key, crypto_random *random, void *arg, const void *sealed,
                       size_t sealed_len, uint8_t *out, size_t max, size_t *ret_len)
{
    mbedtls_rsa_context *rsa = mbedtls_pk_rsa(key->pk);
    if (sealed_len != mbedtls_rsa_get_len(rsa))
        return -EACCES;
    if (mbedtls_rsa_rsaes_oaep_decrypt(rsa, random, arg, WITH_MODE(MBEDTLS_RSA_PRIVATE) NULL, 0, ret_len,
                                       sealed, out, max))
        return private_failed(rsa, -EACCES);
    return 0;
}
