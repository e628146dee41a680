/*
 * P-256 keys and ECDSA over mbedTLS. See crypto.h.
 */
#include "protocol/crypto.h"

#include <errno.h>
#include <stdlib.h>

#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>

#include "protocol/crypto_key.h"
#include "protocol/pem.h"

struct crypto_ec {
    mbedtls_pk_context pk;
};

static struct crypto_ec *key_new(void)
{
    struct crypto_ec *key = malloc(sizeof *key);
    if (key)
        mbedtls_pk_init(&key->pk);
    return key;
}

void crypto_ec_destroy(struct crypto_ec *key)
{
    if (!key)
        return;
    mbedtls_pk_free(&key->pk);
    free(key);
}

bool crypto_ec_is_private(const struct crypto_ec *key)
{
    return mbedtls_mpi_cmp_int(&mbedtls_pk_ec(key->pk)->MBEDTLS_PRIVATE(d), 0) != 0;
}

/* Hands over a key that was read or made, if it is on P-256; its point was checked by who made it. */
static int key_take(struct crypto_ec *key, int error, struct crypto_ec **ret_key)
{
    if (error == 0 && (mbedtls_pk_get_type(&key->pk) != MBEDTLS_PK_ECKEY ||
                       mbedtls_pk_ec(key->pk)->MBEDTLS_PRIVATE(grp).id != MBEDTLS_ECP_DP_SECP256R1))
        error = -EBADMSG;
    if (error) {
        crypto_ec_destroy(key);
        return error;
    }
    *ret_key = key;
    return 0;
}

int crypto_ec_generate(crypto_random *random, void *arg, struct crypto_ec **ret_key)
{
    struct crypto_ec *key = key_new();
    if (!key)
        return -ENOMEM;
    int error = mbedtls_pk_setup(&key->pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (error == 0)
        error = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key->pk), random, arg);
    return key_take(key, error ? -EIO : 0, ret_key);
}

int crypto_ec_decode_public(const void *spki, size_t len, struct crypto_ec **ret_key)
{
    struct crypto_ec *key = key_new();
    if (!key)
        return -ENOMEM;
    return key_take(key, crypto_key_decode_public(&key->pk, spki, len), ret_key);
}

int crypto_ec_encode_public(const struct crypto_ec *key, uint8_t out[CRYPTO_SPKI_MAX], size_t *ret_len)
{
    mbedtls_pk_context pk = key->pk;
    return crypto_key_encode_public(&pk, out, ret_len);
}

int crypto_ec_fingerprint(const struct crypto_ec *key, uint8_t out[CRYPTO_HASH_BYTES])
{
    uint8_t spki[CRYPTO_SPKI_MAX];
    size_t len;
    int error = crypto_ec_encode_public(key, spki, &len);
    if (error == 0)
        crypto_fingerprint(spki, len, out);
    return error;
}

int crypto_ec_encode_pem(const struct crypto_ec *key, char out[CRYPTO_PEM_MAX])
{
    uint8_t der[CRYPTO_PRIVATE_MAX];
    mbedtls_pk_context pk = key->pk;
    size_t len;
    if (!crypto_ec_is_private(key))
        return -EINVAL;
    int error = crypto_key_encode_private(&pk, der, &len);
    if (error == 0)
        error = pem_encode("EC PRIVATE KEY", der, len, out, CRYPTO_PEM_MAX);
    crypto_wipe(der, sizeof der);
    return error;
}

/* Whether the public half is that of the private one: a damaged file would sign what nobody can verify. */
static int pair_check(const struct crypto_ec *key, crypto_random *random, void *arg)
{
    const mbedtls_ecp_keypair *pair = mbedtls_pk_ec(key->pk);
    if (mbedtls_pk_get_type(&key->pk) != MBEDTLS_PK_ECKEY)
        return -EBADMSG;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_ecp_check_pub_priv(pair, pair, random, arg) ? -EBADMSG : 0;
#else
    (void)random;
    (void)arg;
    return mbedtls_ecp_check_pub_priv(pair, pair) ? -EBADMSG : 0;
#endif
}

int crypto_ec_decode_pem(const char *pem, crypto_random *random, void *arg, struct crypto_ec **ret_key)
{
    uint8_t der[CRYPTO_PRIVATE_MAX];
    size_t len;
    if (pem_decode(pem, "PUBLIC KEY", der, sizeof der, &len) == 0)
        return crypto_ec_decode_public(der, len, ret_key);
    if (pem_decode(pem, "EC PRIVATE KEY", der, sizeof der, &len) < 0 &&
        pem_decode(pem, "PRIVATE KEY", der, sizeof der, &len) < 0)
        return -EBADMSG;
    struct crypto_ec *key = key_new();
    int error = key ? crypto_key_decode_private(&key->pk, der, len, random, arg) : -ENOMEM;
    crypto_wipe(der, sizeof der);
    if (error == 0)
        error = pair_check(key, random, arg);
    return key ? key_take(key, error, ret_key) : error;
}

int crypto_ec_sign(struct crypto_ec *key, crypto_random *random, void *arg, const void *bytes, size_t len,
                   uint8_t out[CRYPTO_SIGNATURE_MAX], size_t *ret_len)
{
    uint8_t hash[CRYPTO_HASH_BYTES];
    if (!crypto_ec_is_private(key))
        return -EINVAL;
    crypto_hash(bytes, len, hash);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    int error = mbedtls_ecdsa_write_signature(mbedtls_pk_ec(key->pk), MBEDTLS_MD_SHA256, hash, sizeof hash,
                                              out, CRYPTO_SIGNATURE_MAX, ret_len, random, arg);
#else
    int error = mbedtls_ecdsa_write_signature(mbedtls_pk_ec(key->pk), MBEDTLS_MD_SHA256, hash, sizeof hash,
                                              out, ret_len, random, arg);
#endif
    return error ? -EIO : 0;
}

int crypto_ec_verify(const struct crypto_ec *key, const void *bytes, size_t len, const void *signature,
                     size_t signature_len)
{
    uint8_t hash[CRYPTO_HASH_BYTES];
    crypto_hash(bytes, len, hash);
    return mbedtls_ecdsa_read_signature(mbedtls_pk_ec(key->pk), hash, sizeof hash, signature, signature_len)
               ? -EACCES
               : 0;
}
