/* links: kiln_protocol */
/* Bindings and public keys: what decodes encodes to the same bytes. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_binding(data, size);
    check_keys(data, size);
    return 0;
}
