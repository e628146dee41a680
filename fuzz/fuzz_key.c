/* links: kiln_protocol */
/*
 * Key files, envelopes and PEM. Input: a choice, then DER (wrapped in PEM here) or PEM. Claims: a key that is
 * read is of an allowed kind and is written and read again; what is not sealed to a key does not open.
 */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/envelope.h"
#include "protocol/pem.h"
#include "tests/unit/protocol_random.h"

static struct fixed_random source;
static struct crypto_rsa *own;

static void check_rsa(struct crypto_rsa *key)
{
    uint8_t der[CRYPTO_PRIVATE_MAX], spki[CRYPTO_SPKI_MAX];
    size_t len;
    struct crypto_rsa *again;
    CLAIM(crypto_rsa_is_private(key) && crypto_rsa_bits(key) >= 2048 && crypto_rsa_bits(key) <= 4096);
    CLAIM(crypto_rsa_encode_private(key, der, &len) == 0 && crypto_rsa_decode_private(der, len, &again) == 0);
    crypto_rsa_destroy(again);
    CLAIM(crypto_rsa_encode_public(key, spki, &len) == 0 && crypto_rsa_decode_public(spki, len, &again) == 0);
    CLAIM(crypto_rsa_encode_private(again, der, &len) != 0 && !crypto_rsa_is_private(again));
    crypto_rsa_destroy(again);
    crypto_rsa_destroy(key);
}

static void check_ec(struct crypto_ec *key)
{
    char pem[CRYPTO_PEM_MAX];
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    struct crypto_ec *again;
    if (crypto_ec_is_private(key)) {
        CLAIM(crypto_ec_encode_pem(key, pem) == 0 &&
              crypto_ec_decode_pem(pem, fixed_random_fill, &source, &again) == 0);
        CLAIM(crypto_ec_sign(key, fixed_random_fill, &source, "x", 1, signature, &len) == 0);
        CLAIM(crypto_ec_verify(again, "x", 1, signature, len) == 0);
        CLAIM(crypto_ec_verify(again, "y", 1, signature, len) != 0);
        crypto_ec_destroy(again);
    }
    crypto_ec_destroy(key);
}

enum { PATIENCE_ROUNDS = 700000, PARAMETERS_MAX = 112 };

/* Whether an INTEGER among the parameters may ask for millions of rounds: slow, as it must be, not wrong. */
static bool asks_for_patience(const uint8_t *der, size_t len)
{
    for (size_t i = 0; i + 4 < len && i < PARAMETERS_MAX; i++) {
        unsigned rounds = (unsigned)der[i + 2] << 16 | (unsigned)der[i + 3] << 8;
        if (der[i] == 2 &&
            (der[i + 1] == 4 || der[i + 1] == 5 || (der[i + 1] == 3 && rounds > PATIENCE_ROUNDS)))
            return true;
    }
    return false;
}

/* What opens is written again, and opens with its pass phrase alone. */
static void check_file(const struct crypto_rsa *key)
{
    char pem[CRYPTO_PEM_MAX];
    struct crypto_rsa *again;
    uint8_t wanted[CRYPTO_HASH_BYTES], found[CRYPTO_HASH_BYTES];
    CLAIM(crypto_rsa_encode_file(key, "pass phrase", 600000, fixed_random_fill, &source, pem) == 0);
    CLAIM(crypto_rsa_decode_file(pem, "another", &again) != 0);
    CLAIM(crypto_rsa_decode_file(pem, "pass phrase", &again) == 0);
    crypto_rsa_fingerprint(key, wanted);
    crypto_rsa_fingerprint(again, found);
    CLAIM(memcmp(wanted, found, sizeof found) == 0);
    crypto_rsa_destroy(again);
}

static void check_pem(const char *pem)
{
    uint8_t spki[CRYPTO_SPKI_MAX], der[CRYPTO_PRIVATE_MAX];
    char again[CRYPTO_PEM_MAX];
    size_t len, again_len;
    struct crypto_rsa *rsa;
    struct crypto_ec *ec;
    if (crypto_spki_decode_pem(pem, spki, &len) == 0) {
        CLAIM(len <= sizeof spki && crypto_spki_encode_pem(spki, len, again) == 0);
        CLAIM(crypto_spki_decode_pem(again, der, &again_len) == 0 && again_len == len);
        CLAIM(memcmp(der, spki, len) == 0);
    }
    if (crypto_ec_decode_pem(pem, fixed_random_fill, &source, &ec) == 0)
        check_ec(ec);
    if (pem_decode(pem, "ENCRYPTED PRIVATE KEY", der, sizeof der, &len) == 0 &&
        !asks_for_patience(der, len) && crypto_rsa_decode_file(pem, "pass phrase", &rsa) == 0) {
        check_file(rsa);
        check_rsa(rsa);
    }
}

static void check_wrapped(const char *label, const uint8_t *data, size_t size)
{
    char pem[2 * CRYPTO_PEM_MAX];
    if (pem_encode(label, data, size, pem, sizeof pem) == 0)
        check_pem(pem);
}

static void check_envelope(const uint8_t *data, size_t size)
{
    uint8_t key[ENVELOPE_KEY_BYTES], sealed[ENVELOPE_MAX], opened[ENVELOPE_KEY_BYTES];
    uint8_t drive[UUID_BYTES] = {7};
    size_t len;
    CLAIM(envelope_open(own, NULL, fixed_random_fill, &source, drive, (struct bytes){data, size}, opened) <
          0);
    CLAIM(envelope_open(own, own, fixed_random_fill, &source, drive, (struct bytes){data, size}, opened) < 0);
    crypto_hash(data, size, key);
    CLAIM(envelope_seal(own, own, fixed_random_fill, &source, drive, key, sealed, &len) == 0);
    CLAIM(envelope_open(own, own, fixed_random_fill, &source, drive, (struct bytes){sealed, len}, opened) ==
          0);
    CLAIM(memcmp(opened, key, sizeof key) == 0);
    sealed[size % len] ^= 1;
    CLAIM(envelope_open(own, own, fixed_random_fill, &source, drive, (struct bytes){sealed, len}, opened) <
          0);
}

static void check_text(const uint8_t *data, size_t size)
{
    char *text = input_text(data, size);
    check_pem(text);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct crypto_rsa *rsa;
    source.counter = 1;
    if (!own)
        CLAIM(crypto_rsa_generate(2048, fixed_random_fill, &source, &own) == 0);
    if (size == 0)
        return 0;
    uint8_t choice = *data++ % 6;
    size--;
    if (choice == 0)
        check_text(data, size);
    else if (choice == 1)
        check_wrapped("ENCRYPTED PRIVATE KEY", data, size);
    else if (choice == 2)
        check_wrapped("EC PRIVATE KEY", data, size);
    else if (choice == 3)
        check_wrapped("PRIVATE KEY", data, size);
    else if (choice == 4)
        check_envelope(data, size);
    else if (crypto_rsa_decode_private(data, size, &rsa) == 0)
        check_rsa(rsa);
    return 0;
}
