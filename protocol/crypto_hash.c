/*
 * SHA-256, HMAC (RFC 2104) and HKDF (RFC 5869) without allocation, so that they cannot fail. See crypto.h.
 */
#include "protocol/crypto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>

/* mbedTLS 2 gave the names of 3 to functions that are deprecated there. */
#if MBEDTLS_VERSION_NUMBER < 0x03000000
#define mbedtls_sha256_starts mbedtls_sha256_starts_ret
#define mbedtls_sha256_update mbedtls_sha256_update_ret
#define mbedtls_sha256_finish mbedtls_sha256_finish_ret
#endif

enum { BLOCK_BYTES = 64 };

struct crypto_hash {
    mbedtls_sha256_context context;
};

void crypto_wipe(void *bytes, size_t len)
{
    mbedtls_platform_zeroize(bytes, len);
}

static void hash_begin(struct crypto_hash *hash)
{
    mbedtls_sha256_init(&hash->context);
    mbedtls_sha256_starts(&hash->context, 0);
}

static void hash_end(struct crypto_hash *hash, uint8_t out[CRYPTO_HASH_BYTES])
{
    mbedtls_sha256_finish(&hash->context, out);
    mbedtls_sha256_free(&hash->context);
}

void crypto_hash(const void *bytes, size_t len, uint8_t out[CRYPTO_HASH_BYTES])
{
    struct crypto_hash hash;
    hash_begin(&hash);
    crypto_hash_update(&hash, bytes, len);
    hash_end(&hash, out);
}

int crypto_hash_create(struct crypto_hash **ret_hash)
{
    struct crypto_hash *hash = malloc(sizeof *hash);
    if (!hash)
        return -ENOMEM;
    hash_begin(hash);
    *ret_hash = hash;
    return 0;
}

void crypto_hash_update(struct crypto_hash *hash, const void *bytes, size_t len)
{
    if (len > 0)
        mbedtls_sha256_update(&hash->context, bytes, len);
}

void crypto_hash_value(const struct crypto_hash *hash, uint8_t out[CRYPTO_HASH_BYTES])
{
    struct crypto_hash copy;
    mbedtls_sha256_init(&copy.context);
    mbedtls_sha256_clone(&copy.context, &hash->context);
    hash_end(&copy, out);
}

void crypto_hash_destroy(struct crypto_hash *hash)
{
    if (!hash)
        return;
    mbedtls_sha256_free(&hash->context);
    free(hash);
}

void crypto_fingerprint(const void *spki, size_t len, uint8_t out[CRYPTO_HASH_BYTES])
{
    crypto_hash(spki, len, out);
}

/* The inner or the outer hash of HMAC, begun with the key. */
static void hmac_begin(struct crypto_hash *hash, const uint8_t key_block[BLOCK_BYTES], uint8_t pad)
{
    uint8_t block[BLOCK_BYTES];
    for (size_t i = 0; i < BLOCK_BYTES; i++)
        block[i] = key_block[i] ^ pad;
    hash_begin(hash);
    crypto_hash_update(hash, block, sizeof block);
    crypto_wipe(block, sizeof block);
}

/* HMAC over up to three pieces. */
static void hmac_pieces(struct bytes key, const struct bytes pieces[3], uint8_t out[CRYPTO_HASH_BYTES])
{
    uint8_t key_block[BLOCK_BYTES] = {0}, inner[CRYPTO_HASH_BYTES];
    struct crypto_hash hash;
    if (key.len > BLOCK_BYTES)
        crypto_hash(key.bytes, key.len, key_block);
    else if (key.len > 0)
        memcpy(key_block, key.bytes, key.len);
    hmac_begin(&hash, key_block, 0x36);
    for (size_t i = 0; i < 3; i++)
        crypto_hash_update(&hash, pieces[i].bytes, pieces[i].len);
    hash_end(&hash, inner);
    hmac_begin(&hash, key_block, 0x5c);
    crypto_hash_update(&hash, inner, sizeof inner);
    hash_end(&hash, out);
    crypto_wipe(key_block, sizeof key_block);
    crypto_wipe(inner, sizeof inner);
}

void crypto_hmac(const uint8_t *key, size_t key_len, const void *bytes, size_t len,
                 uint8_t out[CRYPTO_HASH_BYTES])
{
    const struct bytes pieces[3] = {{bytes, len}};
    hmac_pieces((struct bytes){key, key_len}, pieces, out);
}

void crypto_hkdf(struct bytes ikm, struct bytes salt, struct bytes info, uint8_t *out, size_t len)
{
    uint8_t extracted[CRYPTO_HASH_BYTES], block[CRYPTO_HASH_BYTES];
    const struct bytes key = {extracted, sizeof extracted};
    crypto_hmac(salt.bytes, salt.len, ikm.bytes, ikm.len, extracted);
    size_t block_len = 0;
    for (uint8_t counter = 1; len > 0; counter++) {
        const struct bytes pieces[3] = {{block, block_len}, info, {&counter, 1}};
        size_t take = len < sizeof block ? len : sizeof block;
        hmac_pieces(key, pieces, block);
        block_len = sizeof block;
        memcpy(out, block, take);
        out += take;
        len -= take;
    }
    crypto_wipe(extracted, sizeof extracted);
    crypto_wipe(block, sizeof block);
}
