/* Cryptography: published vectors, keys through their files, what openssl says of both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/pem.h"
#include "tests/unit/protocol_random.h"
#include "tests/unit/seed.h"

static struct fixed_random source = {1, 0};
static struct crypto_rsa *rsa; /* made once, because it takes time */
static char folder[] = "/tmp/kiln-crypto-XXXXXX";

static int make_key(void **state)
{
    (void)state;
    return crypto_rsa_generate(2048, fixed_random_fill, &source, &rsa) < 0 || !mkdtemp(folder);
}

static int drop_key(void **state)
{
    char command[128];
    (void)state;
    crypto_rsa_destroy(rsa);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *wanted)
{
    char text[512];
    hex_encode(bytes, len, text);
    assert_string_equal(text, wanted);
}

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* FIPS 180-4, RFC 4231 case 2 and 6, RFC 5869 A.1 and A.3. */
static void hashes_are_as_published(void **state)
{
    uint8_t out[64], key[131], ikm[22], salt[13], info[10];
    (void)state;
    crypto_hash("abc", 3, out);
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_hmac((const uint8_t *)"Jefe", 4, "what do ya want for nothing?", 28, out);
    assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    crypto_hmac(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, out);
    assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    memset(ikm, 0x0b, sizeof ikm);
    for (uint8_t i = 0; i < 13; i++)
        salt[i] = i;
    for (uint8_t i = 0; i < 10; i++)
        info[i] = (uint8_t)(0xf0 + i);
    crypto_hkdf((struct bytes){ikm, 22}, (struct bytes){salt, 13}, (struct bytes){info, 10}, out, 42);
    assert_hex(out, 42,
               "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    crypto_hkdf((struct bytes){ikm, 22}, (struct bytes){NULL, 0}, (struct bytes){NULL, 0}, out, 42);
    assert_hex(out, 42,
               "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void a_stream_hashes_like_the_whole(void **state)
{
    struct crypto_hash *hash;
    uint8_t piece[32], whole[32];
    (void)state;
    assert_int_equal(crypto_hash_create(&hash), 0);
    for (const char *c = "dribbled"; *c; c++)
        crypto_hash_update(hash, c, 1);
    crypto_hash_value(hash, piece);
    crypto_hash("dribbled", 8, whole);
    assert_memory_equal(piece, whole, 32);
    crypto_hash_update(hash, "!", 1);
    crypto_hash_value(hash, piece);
    crypto_hash("dribbled!", 9, whole);
    assert_memory_equal(piece, whole, 32);
    crypto_hash_destroy(hash);
}

static void sealed_bytes_open_only_as_they_are(void **state)
{
    struct crypto_aead *aead;
    const uint8_t key[32] = {1}, iv[12] = {2};
    uint8_t sealed[5 + CRYPTO_TAG_BYTES], open[5];
    (void)state;
    assert_int_equal(crypto_aead_create(key, &aead), 0);
    assert_int_equal(crypto_aead_seal(aead, iv, bytes_of("ad"), (const uint8_t *)"hello", 5, sealed), 0);
    assert_int_equal(crypto_aead_open(aead, iv, bytes_of("ad"), sealed, sizeof sealed, open), 0);
    assert_memory_equal(open, "hello", 5);
    assert_int_equal(crypto_aead_open(aead, iv, bytes_of("ae"), sealed, sizeof sealed, open), -EACCES);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        assert_int_equal(crypto_aead_open(aead, iv, bytes_of("ad"), sealed, sizeof sealed, open), -EACCES);
        sealed[i] ^= 1;
        assert_int_equal(crypto_aead_open(aead, iv, bytes_of("ad"), sealed, i, open), -EACCES);
    }
    crypto_aead_destroy(aead);
}

static void both_sides_agree_and_bad_points_are_refused(void **state)
{
    struct crypto_ecdh *a, *b;
    uint8_t point_a[65], point_b[65], z_a[32], z_b[32];
    (void)state;
    assert_int_equal(crypto_ecdh_create(fixed_random_fill, &source, &a), 0);
    assert_int_equal(crypto_ecdh_create(fixed_random_fill, &source, &b), 0);
    crypto_ecdh_public(a, point_a);
    crypto_ecdh_public(b, point_b);
    assert_int_equal(crypto_ecdh_agree(a, point_b, fixed_random_fill, &source, z_a), 0);
    assert_int_equal(crypto_ecdh_agree(b, point_a, fixed_random_fill, &source, z_b), 0);
    assert_memory_equal(z_a, z_b, 32);
    point_b[64] ^= 1;
    assert_int_equal(crypto_ecdh_agree(a, point_b, fixed_random_fill, &source, z_a), -EBADMSG);
    memset(point_b, 0, sizeof point_b);
    assert_int_equal(crypto_ecdh_agree(a, point_b, fixed_random_fill, &source, z_a), -EBADMSG);
    point_b[0] = 4;
    assert_int_equal(crypto_ecdh_agree(a, point_b, fixed_random_fill, &source, z_a), -EBADMSG);
    crypto_ecdh_destroy(a);
    crypto_ecdh_destroy(b);
}

static void rsa_signs_and_seals(void **state)
{
    uint8_t spki[CRYPTO_SPKI_MAX], signature[CRYPTO_SIGNATURE_MAX], key[32] = {5}, back[32];
    size_t spki_len, len, back_len;
    struct crypto_rsa *public;
    (void)state;
    assert_int_equal(crypto_rsa_encode_public(rsa, spki, &spki_len), 0);
    assert_int_equal(crypto_rsa_decode_public(spki, spki_len, &public), 0);
    assert_true(crypto_rsa_is_private(rsa) && !crypto_rsa_is_private(public));
    assert_int_equal(crypto_rsa_sign(rsa, fixed_random_fill, &source, "x", 1, signature, &len), 0);
    assert_int_equal(len, 256);
    assert_int_equal(crypto_rsa_verify(public, "x", 1, signature, len), 0);
    assert_int_equal(crypto_rsa_verify(public, "y", 1, signature, len), -EACCES);
    assert_int_equal(crypto_rsa_verify(public, "x", 1, signature, len - 1), -EACCES);
    signature[9] ^= 1;
    assert_int_equal(crypto_rsa_verify(public, "x", 1, signature, len), -EACCES);
    assert_int_equal(crypto_rsa_encrypt(public, fixed_random_fill, &source, key, 32, signature, &len), 0);
    assert_int_equal(
        crypto_rsa_decrypt(rsa, fixed_random_fill, &source, signature, len, back, sizeof back, &back_len), 0);
    assert_int_equal(back_len, 32);
    assert_memory_equal(key, back, 32);
    signature[9] ^= 1;
    assert_int_equal(
        crypto_rsa_decrypt(rsa, fixed_random_fill, &source, signature, len, back, sizeof back, &back_len),
        -EACCES);
    crypto_rsa_destroy(public);
}

static void public_keys_have_one_encoding(void **state)
{
    uint8_t spki[CRYPTO_SPKI_MAX + 1];
    size_t len;
    struct crypto_rsa *key;
    struct crypto_ec *ec;
    (void)state;
    assert_int_equal(crypto_rsa_encode_public(rsa, spki, &len), 0);
    assert_int_equal(crypto_ec_decode_public(spki, len, &ec), -EBADMSG);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(crypto_rsa_decode_public(spki, cut, &key), -EBADMSG);
    spki[len] = 0;
    assert_int_equal(crypto_rsa_decode_public(spki, len + 1, &key), -EBADMSG);
}

static void private_keys_travel_as_der(void **state)
{
    uint8_t der[CRYPTO_PRIVATE_MAX], a[32], b[32];
    size_t len;
    struct crypto_rsa *key;
    (void)state;
    assert_int_equal(crypto_rsa_encode_private(rsa, der, &len), 0);
    seed_write("key", "rsa-private", 5, der, len);
    assert_int_equal(crypto_rsa_decode_private(der, len, &key), 0);
    assert_int_equal(crypto_rsa_fingerprint(rsa, a), 0);
    assert_int_equal(crypto_rsa_fingerprint(key, b), 0);
    assert_memory_equal(a, b, 32);
    crypto_rsa_destroy(key);
    assert_int_equal(crypto_rsa_decode_private(der, len - 1, &key), -EBADMSG);
}

static void ec_keys_sign_and_travel(void **state)
{
    struct crypto_ec *key, *again, *public;
    uint8_t spki[CRYPTO_SPKI_MAX], signature[CRYPTO_SIGNATURE_MAX];
    size_t spki_len, len;
    char pem[CRYPTO_PEM_MAX];
    (void)state;
    assert_int_equal(crypto_ec_generate(fixed_random_fill, &source, &key), 0);
    assert_int_equal(crypto_ec_encode_pem(key, pem), 0);
    seed_write_text("key", "ec", 0, pem);
    assert_int_equal(crypto_ec_decode_pem(pem, fixed_random_fill, &source, &again), 0);
    assert_int_equal(crypto_ec_encode_public(again, spki, &spki_len), 0);
    assert_int_equal(spki_len, 91);
    assert_int_equal(crypto_ec_decode_public(spki, spki_len, &public), 0);
    assert_int_equal(crypto_ec_sign(again, fixed_random_fill, &source, "x", 1, signature, &len), 0);
    assert_int_equal(crypto_ec_verify(public, "x", 1, signature, len), 0);
    assert_int_equal(crypto_ec_verify(public, "y", 1, signature, len), -EACCES);
    assert_int_equal(crypto_ec_sign(public, fixed_random_fill, &source, "x", 1, signature, &len), -EINVAL);
    assert_int_equal(crypto_spki_encode_pem(spki, spki_len, pem), 0);
    crypto_ec_destroy(again);
    assert_int_equal(crypto_ec_decode_pem(pem, fixed_random_fill, &source, &again), 0);
    assert_false(crypto_ec_is_private(again));
    crypto_ec_destroy(key);
    crypto_ec_destroy(again);
    crypto_ec_destroy(public);
}

/* SEQUENCE, version, OCTET STRING: from byte 7 on it is the private half, which then is not the public one's.
 */
static void a_torn_ec_key_is_refused(void **state)
{
    struct crypto_ec *key, *again = NULL;
    char pem[CRYPTO_PEM_MAX];
    uint8_t der[CRYPTO_PRIVATE_MAX];
    size_t len;
    (void)state;
    assert_int_equal(crypto_ec_generate(fixed_random_fill, &source, &key), 0);
    assert_int_equal(crypto_ec_encode_pem(key, pem), 0);
    assert_int_equal(pem_decode(pem, "EC PRIVATE KEY", der, sizeof der, &len), 0);
    der[7] ^= 1;
    assert_int_equal(pem_encode("EC PRIVATE KEY", der, len, pem, sizeof pem), 0);
    assert_int_equal(crypto_ec_decode_pem(pem, fixed_random_fill, &source, &again), -EBADMSG);
    assert_null(again);
    crypto_ec_destroy(key);
}

static void a_key_file_opens_with_its_pass_phrase_only(void **state)
{
    char pem[CRYPTO_PEM_MAX];
    struct crypto_rsa *key;
    uint8_t a[32], b[32];
    (void)state;
    assert_int_equal(
        crypto_rsa_encode_file(rsa, "correct horse", CRYPTO_ROUNDS, fixed_random_fill, &source, pem), 0);
    seed_write_text("key", "file", 0, pem);
    assert_int_equal(crypto_rsa_decode_file(pem, "correct horse", &key), 0);
    crypto_rsa_fingerprint(rsa, a);
    crypto_rsa_fingerprint(key, b);
    assert_memory_equal(a, b, 32);
    crypto_rsa_destroy(key);
    assert_int_equal(crypto_rsa_decode_file(pem, "correct hors", &key), -EACCES);
    assert_int_equal(crypto_rsa_decode_file(pem, "", &key), -EACCES);
    assert_int_equal(crypto_rsa_decode_file("no key", "correct horse", &key), -EBADMSG);
    pem[40] = pem[40] == 'A' ? 'B' : 'A';
    assert_int_not_equal(crypto_rsa_decode_file(pem, "correct horse", &key), 0);
}

static void a_key_file_of_few_rounds_is_refused(void **state)
{
    char pem[CRYPTO_PEM_MAX];
    struct crypto_rsa *key = NULL;
    (void)state;
    assert_int_equal(
        crypto_rsa_encode_file(rsa, "correct horse", CRYPTO_ROUNDS - 1, fixed_random_fill, &source, pem), 0);
    seed_write_text("key", "file-few-rounds", 0, pem);
    assert_int_equal(crypto_rsa_decode_file(pem, "correct horse", &key), -ERANGE);
    assert_null(key);
}

static void write_file(const char *name, const void *bytes, size_t len)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static int openssl(const char *arguments)
{
    char command[512];
    snprintf(command, sizeof command, "cd %s && openssl %s >/dev/null 2>&1", folder, arguments);
    return system(command);
}

static void openssl_reads_our_files_and_signatures(void **state)
{
    char pem[CRYPTO_PEM_MAX];
    uint8_t spki[CRYPTO_SPKI_MAX], signature[CRYPTO_SIGNATURE_MAX];
    size_t spki_len, len;
    (void)state;
    crypto_rsa_encode_file(rsa, "secret", 1000, fixed_random_fill, &source, pem);
    write_file("key.pem", pem, strlen(pem));
    write_file("wrong", "message", 7);
    crypto_rsa_encode_public(rsa, spki, &spki_len);
    crypto_spki_encode_pem(spki, spki_len, pem);
    write_file("public.pem", pem, strlen(pem));
    crypto_rsa_sign(rsa, fixed_random_fill, &source, "massage", 7, signature, &len);
    write_file("signature", signature, len);
    write_file("right", "massage", 7);
    assert_int_equal(openssl("pkey -in key.pem -passin pass:secret -check -noout"), 0);
    assert_int_not_equal(openssl("pkey -in key.pem -passin pass:wrong -noout"), 0);
#define PSS                                                                                                  \
    "dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -verify public.pem -signature "    \
    "signature "
    assert_int_equal(openssl(PSS "right"), 0);
    assert_int_not_equal(openssl(PSS "wrong"), 0);
}

static void read_file(const char *name, char *out, size_t max)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    out[fread(out, 1, max - 1, file)] = '\0';
    fclose(file);
}

static void we_read_openssls_key_files(void **state)
{
    char pem[CRYPTO_PEM_MAX];
    struct crypto_rsa *key;
    struct crypto_ec *ec;
    (void)state;
    assert_int_equal(openssl("genrsa -out plain.pem 2048"), 0);
    assert_int_equal(openssl("pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 -in plain.pem "
                             "-out key8.pem -passout pass:secret"),
                     0);
    read_file("key8.pem", pem, sizeof pem);
    assert_int_equal(crypto_rsa_decode_file(pem, "secret", &key), 0);
    assert_int_equal(crypto_rsa_bits(key), 2048);
    crypto_rsa_destroy(key);
    assert_int_equal(openssl("pkcs8 -topk8 -v2 aes-128-cbc -in plain.pem -out weak.pem -passout pass:secret"),
                     0);
    read_file("weak.pem", pem, sizeof pem);
    assert_int_equal(crypto_rsa_decode_file(pem, "secret", &key), -EBADMSG);
    assert_int_equal(openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem"), 0);
    read_file("ec.pem", pem, sizeof pem);
    assert_int_equal(crypto_ec_decode_pem(pem, fixed_random_fill, &source, &ec), 0);
    crypto_ec_destroy(ec);
    assert_int_equal(openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out ec384.pem"), 0);
    read_file("ec384.pem", pem, sizeof pem);
    assert_int_equal(crypto_ec_decode_pem(pem, fixed_random_fill, &source, &ec), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_as_published),
        cmocka_unit_test(a_stream_hashes_like_the_whole),
        cmocka_unit_test(sealed_bytes_open_only_as_they_are),
        cmocka_unit_test(both_sides_agree_and_bad_points_are_refused),
        cmocka_unit_test(rsa_signs_and_seals),
        cmocka_unit_test(public_keys_have_one_encoding),
        cmocka_unit_test(private_keys_travel_as_der),
        cmocka_unit_test(ec_keys_sign_and_travel),
        cmocka_unit_test(a_torn_ec_key_is_refused),
        cmocka_unit_test(a_key_file_opens_with_its_pass_phrase_only),
        cmocka_unit_test(a_key_file_of_few_rounds_is_refused),
        cmocka_unit_test(openssl_reads_our_files_and_signatures),
        cmocka_unit_test(we_read_openssls_key_files),
    };
    return cmocka_run_group_tests(tests, make_key, drop_key);
}
