/* links: kiln_protocol */
/* Bindings, public keys and command lines: what decodes encodes to the same bytes; a signature is of one
 * thing; a hash too.
 */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/binding.h"

static void check_binding(const uint8_t *data, size_t size)
{
    struct binding binding;
    uint8_t again[BINDING_MAX];
    if (binding_decode(data, size, &binding) < 0)
        return;
    CLAIM(binding_encode(&binding, again) == size && memcmp(again, data, size) == 0);
}

static void check_keys(const uint8_t *data, size_t size)
{
    struct crypto_rsa *rsa;
    struct crypto_ec *ec;
    uint8_t spki[CRYPTO_SPKI_MAX];
    size_t len;
    if (crypto_rsa_decode_public(data, size, &rsa) == 0) {
        CLAIM(crypto_rsa_bits(rsa) >= 2048 && crypto_rsa_bits(rsa) <= 4096 && !crypto_rsa_is_private(rsa));
        CLAIM(crypto_rsa_encode_public(rsa, spki, &len) == 0 && len == size && memcmp(spki, data, len) == 0);
        crypto_rsa_destroy(rsa);
    }
    if (crypto_ec_decode_public(data, size, &ec) == 0) {
        CLAIM(!crypto_ec_is_private(ec));
        CLAIM(crypto_ec_encode_public(ec, spki, &len) == 0 && len == size && memcmp(spki, data, len) == 0);
        CLAIM(crypto_ec_verify(ec, "", 0, data, size) != 0);
        crypto_ec_destroy(ec);
    }
}

static int fill(void *arg, uint8_t *out, size_t len)
{
    (void)arg;
    memset(out, 0x5a, len);
    return 0;
}

/* The identity's word on these bytes is its word on no others, and on nothing else that it signs. */
static void check_signatures(const uint8_t *data, size_t size)
{
    static struct crypto_ec *identity;
    static const uint8_t nonce[BINDING_NONCE_BYTES] = {1}, other[BINDING_NONCE_BYTES] = {2};
    struct binding_signature binding, vouch;
    struct bytes bytes = {data, size}, none = {data, 0};
    struct binding decoded;
    uint64_t assignment;
    if (!identity)
        CLAIM(crypto_ec_generate(fill, NULL, &identity) == 0);
    if (size == 0 || size > BINDING_MAX)
        return;
    CLAIM(binding_sign(identity, fill, NULL, bytes, &binding) == 0);
    CLAIM(vouch_sign(identity, fill, NULL, nonce, bytes, &vouch) == 0);
    struct bytes bound = {binding.bytes, binding.len}, vouched = {vouch.bytes, vouch.len};
    CLAIM(binding_verify(identity, bytes, bound) == 0 && binding_verify(identity, none, bound) != 0);
    CLAIM(binding_verify(identity, bytes, vouched) != 0 && binding_verify(identity, bytes, bytes) != 0);
    CLAIM(vouch_verify(identity, nonce, bytes, vouched) == 0 &&
          vouch_verify(identity, other, bytes, vouched) != 0);
    CLAIM(vouch_verify(identity, nonce, bytes, bound) != 0);
    if (binding_decode(data, size, &decoded) == 0) {
        CLAIM(binding_check(identity, bytes, bound, &decoded, &assignment) == 0 &&
              assignment == decoded.assignment);
        decoded.vm_key[0] ^= 1;
        CLAIM(binding_check(identity, bytes, bound, &decoded, &assignment) != 0);
    }
}

/* The edge's certificate has a signature that is good for it alone. */
static void check_edge(const uint8_t *data, size_t size)
{
    static struct crypto_ec *identity;
    uint8_t fingerprint[CRYPTO_HASH_BYTES];
    struct binding_signature signature;
    if (!identity)
        CLAIM(crypto_ec_generate(fill, NULL, &identity) == 0);
    crypto_fingerprint(data, size, fingerprint);
    CLAIM(edge_certificate_sign(identity, fill, NULL, fingerprint, &signature) == 0);
    struct bytes certified = {signature.bytes, signature.len};
    CLAIM(edge_certificate_verify(identity, fingerprint, certified) == 0);
    CLAIM(binding_verify(identity, (struct bytes){fingerprint, sizeof fingerprint}, certified) != 0);
    fingerprint[size % sizeof fingerprint] ^= 1;
    CLAIM(edge_certificate_verify(identity, fingerprint, certified) != 0);
}

/* No part of a brick can pass for another one. */
static void check_brick(const uint8_t *data, size_t size)
{
    static const uint8_t file[CRYPTO_HASH_BYTES] = {1};
    uint8_t hashes[4][CRYPTO_HASH_BYTES];
    char cmdline[BRICK_CMDLINE_MAX + 1] = "";
    memcpy(cmdline, data, size < BRICK_CMDLINE_MAX ? size : BRICK_CMDLINE_MAX);
    brick_hash(file, NULL, NULL, cmdline, hashes[0]);
    brick_hash(file, file, NULL, cmdline, hashes[1]);
    brick_hash(file, NULL, file, cmdline, hashes[2]);
    cmdline[strlen(cmdline) / 2] ^= 1;
    brick_hash(file, NULL, NULL, cmdline, hashes[3]);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            CLAIM(memcmp(hashes[i], hashes[j], CRYPTO_HASH_BYTES) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_binding(data, size);
    check_keys(data, size);
    check_signatures(data, size);
    check_edge(data, size);
    if (size > 0)
        check_brick(data, size);
    return 0;
}
