/*
 * User key file (README 10.2): PKCS#8 under PBES2, written and read here because mbedTLS 2.28 knows no AES
 * there.
 *
 * EncryptedPrivateKeyInfo = SEQUENCE {
 *     SEQUENCE { PBES2, SEQUENCE { SEQUENCE { PBKDF2, SEQUENCE { salt, rounds, SEQUENCE { hmacWithSHA256,
 * NULL } } }, SEQUENCE { aes256-CBC, iv } } }, OCTET STRING of the encrypted PrivateKeyInfo } (RFC 5958, RFC
 * 8018 A.4)
 */
#include "protocol/crypto.h"

#include <errno.h>
#include <string.h>

#include <mbedtls/aes.h>
#include <mbedtls/asn1.h>
#include <mbedtls/asn1write.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/version.h>

#include "protocol/pem.h"

enum { SALT_BYTES = 16, IV_BYTES = 16, BLOCK_BYTES = 16, DER_MAX = CRYPTO_PRIVATE_MAX + 256, SALT_MAX = 64 };

#define OID_AES_256_CBC "\x60\x86\x48\x01\x65\x03\x04\x01\x2a" /* 2.16.840.1.101.3.4.1.42 */
#define OID_AND_LEN(oid) oid, MBEDTLS_OID_SIZE(oid)

/* What the file says of its encryption. */
struct key_file {
    uint8_t salt[SALT_MAX];
    size_t salt_len;
    unsigned rounds;
    uint8_t iv[IV_BYTES];
    uint8_t *encrypted; /* borrowed */
    size_t encrypted_len;
};

static int derive(const struct key_file *file, const char *passphrase, uint8_t out[CRYPTO_KEY_BYTES])
{
    size_t len = strlen(passphrase);
#if MBEDTLS_VERSION_NUMBER >= 0x03030000
    int error = mbedtls_pkcs5_pbkdf2_hmac_ext(MBEDTLS_MD_SHA256, (const uint8_t *)passphrase, len, file->salt,
                                              file->salt_len, file->rounds, CRYPTO_KEY_BYTES, out);
#else
    mbedtls_md_context_t md;
    mbedtls_md_init(&md);
    int error = mbedtls_md_setup(&md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1);
    if (error == 0)
        error = mbedtls_pkcs5_pbkdf2_hmac(&md, (const uint8_t *)passphrase, len, file->salt, file->salt_len,
                                          file->rounds, CRYPTO_KEY_BYTES, out);
    mbedtls_md_free(&md);
#endif
    return error ? -EIO : 0;
}

/* AES-256-CBC in place. */
static int crypt_cbc(const struct key_file *file, const char *passphrase, int mode, uint8_t *bytes,
                     size_t len)
{
    uint8_t key[CRYPTO_KEY_BYTES], iv[IV_BYTES];
    mbedtls_aes_context aes;
    mbedtls_aes_init(&aes);
    memcpy(iv, file->iv, sizeof iv);
    int error = derive(file, passphrase, key);
    if (error == 0)
        error = mode == MBEDTLS_AES_ENCRYPT ? mbedtls_aes_setkey_enc(&aes, key, 256)
                                            : mbedtls_aes_setkey_dec(&aes, key, 256);
    if (error == 0)
        error = mbedtls_aes_crypt_cbc(&aes, mode, len, iv, bytes, bytes);
    mbedtls_aes_free(&aes);
    crypto_wipe(key, sizeof key);
    return error ? -EIO : 0;
}

/* Adds the header of a SEQUENCE around what was written since LEN bytes ago, that is all of LEN. Negative on
 * failure. */
static int wrap(uint8_t **at, uint8_t *start, int len, uint8_t tag)
{
    if (len < 0)
        return len;
    int header = mbedtls_asn1_write_len(at, start, (size_t)len);
    if (header < 0)
        return header;
    int tag_len = mbedtls_asn1_write_tag(at, start, tag);
    return tag_len < 0 ? tag_len : len + header + tag_len;
}

static const uint8_t sequence_tag = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;

/* PrivateKeyInfo of PKCS#1 bytes, backward from *AT. Returns its length or a negative error. */
static int write_private_info(uint8_t **at, uint8_t *start, const uint8_t *private, size_t private_len)
{
    int key = mbedtls_asn1_write_octet_string(at, start, private, private_len);
    int algorithm = mbedtls_asn1_write_algorithm_identifier(at, start, OID_AND_LEN(MBEDTLS_OID_PKCS1_RSA), 0);
    int version = mbedtls_asn1_write_int(at, start, 0);
    if (key < 0 || algorithm < 0 || version < 0)
        return -1;
    return wrap(at, start, key + algorithm + version, sequence_tag);
}

static int write_derivation(uint8_t **at, uint8_t *start, const struct key_file *file)
{
    int hmac = mbedtls_asn1_write_algorithm_identifier(at, start, OID_AND_LEN(MBEDTLS_OID_HMAC_SHA256), 0);
    int rounds = mbedtls_asn1_write_int(at, start, (int)file->rounds);
    int salt = mbedtls_asn1_write_octet_string(at, start, file->salt, file->salt_len);
    if (hmac < 0 || rounds < 0 || salt < 0)
        return -1;
    int parameters = wrap(at, start, hmac + rounds + salt, sequence_tag);
    int oid = mbedtls_asn1_write_oid(at, start, OID_AND_LEN(MBEDTLS_OID_PKCS5_PBKDF2));
    return parameters < 0 || oid < 0 ? -1 : wrap(at, start, parameters + oid, sequence_tag);
}

static int write_cipher(uint8_t **at, uint8_t *start, const struct key_file *file)
{
    int iv = mbedtls_asn1_write_octet_string(at, start, file->iv, IV_BYTES);
    int oid = mbedtls_asn1_write_oid(at, start, OID_AND_LEN(OID_AES_256_CBC));
    return iv < 0 || oid < 0 ? -1 : wrap(at, start, iv + oid, sequence_tag);
}

/* The whole file, backward from *AT. */
static int write_file(uint8_t **at, uint8_t *start, const struct key_file *file)
{
    int bytes = mbedtls_asn1_write_octet_string(at, start, file->encrypted, file->encrypted_len);
    int cipher = write_cipher(at, start, file);
    int derivation = write_derivation(at, start, file);
    if (bytes < 0 || cipher < 0 || derivation < 0)
        return -1;
    int parameters = wrap(at, start, cipher + derivation, sequence_tag);
    int oid = mbedtls_asn1_write_oid(at, start, OID_AND_LEN(MBEDTLS_OID_PKCS5_PBES2));
    if (parameters < 0 || oid < 0)
        return -1;
    int scheme = wrap(at, start, parameters + oid, sequence_tag);
    return scheme < 0 ? -1 : wrap(at, start, bytes + scheme, sequence_tag);
}

/* PrivateKeyInfo and PKCS#7 padding to OUT. */
static int make_plain(const struct crypto_rsa *key, uint8_t out[DER_MAX], size_t *ret_len)
{
    uint8_t private[CRYPTO_PRIVATE_MAX];
    size_t private_len;
    int error = crypto_rsa_encode_private(key, private, &private_len);
    if (error)
        return error;
    uint8_t *at = out + DER_MAX - BLOCK_BYTES;
    int len = write_private_info(&at, out, private, private_len);
    crypto_wipe(private, sizeof private);
    if (len < 0)
        return -EIO;
    memmove(out, at, (size_t)len);
    uint8_t padding = (uint8_t)(BLOCK_BYTES - len % BLOCK_BYTES);
    memset(out + len, padding, padding);
    *ret_len = (size_t)len + padding;
    return 0;
}

int crypto_rsa_encode_file(const struct crypto_rsa *key, const char *passphrase, unsigned rounds,
                           crypto_random *random, void *arg, char out[CRYPTO_PEM_MAX])
{
    uint8_t plain[DER_MAX], der[DER_MAX];
    struct key_file file = {.salt_len = SALT_BYTES, .rounds = rounds, .encrypted = plain};
    int error = make_plain(key, plain, &file.encrypted_len);
    if (error == 0 && (random(arg, file.salt, SALT_BYTES) != 0 || random(arg, file.iv, IV_BYTES) != 0))
        error = -EIO;
    if (error == 0)
        error = crypt_cbc(&file, passphrase, MBEDTLS_AES_ENCRYPT, plain, file.encrypted_len);
    if (error == 0) {
        uint8_t *at = der + sizeof der;
        int len = write_file(&at, der, &file);
        error = len < 0 ? -EIO : pem_encode("ENCRYPTED PRIVATE KEY", at, (size_t)len, out, CRYPTO_PEM_MAX);
    }
    crypto_wipe(plain, sizeof plain);
    return error;
}

/* A cursor over DER with a sticky error. */
struct der {
    uint8_t *at;
    const uint8_t *end;
    bool bad;
};

/* Enters the next element of that tag and returns it as a cursor of its own. */
static struct der der_take(struct der *der, int tag)
{
    size_t len = 0;
    if (der->bad || mbedtls_asn1_get_tag(&der->at, der->end, &len, tag) != 0) {
        der->bad = true;
        return (struct der){.bad = true};
    }
    struct der inner = {der->at, der->at + len, false};
    der->at += len;
    return inner;
}

static void der_expect_oid(struct der *der, const char *oid, size_t len)
{
    struct der found = der_take(der, MBEDTLS_ASN1_OID);
    if (found.bad || (size_t)(found.end - found.at) != len || memcmp(found.at, oid, len) != 0)
        der->bad = true;
}

static void der_take_octets(struct der *der, uint8_t *out, size_t min, size_t max, size_t *ret_len)
{
    struct der found = der_take(der, MBEDTLS_ASN1_OCTET_STRING);
    size_t len = found.bad ? 0 : (size_t)(found.end - found.at);
    if (found.bad || len < min || len > max) {
        der->bad = true;
        return;
    }
    memcpy(out, found.at, len);
    *ret_len = len;
}

static unsigned der_take_rounds(struct der *der)
{
    int rounds = 0;
    if (der->bad || mbedtls_asn1_get_int(&der->at, der->end, &rounds) != 0 || rounds < 1 ||
        rounds > CRYPTO_ROUNDS_MAX)
        der->bad = true;
    return (unsigned)rounds;
}

/* Bad unless AT ends here. */
static bool der_ended(const struct der *der)
{
    return !der->bad && der->at == der->end;
}

static bool read_derivation(struct der *scheme, struct key_file *file)
{
    struct der derivation = der_take(scheme, sequence_tag);
    der_expect_oid(&derivation, OID_AND_LEN(MBEDTLS_OID_PKCS5_PBKDF2));
    struct der parameters = der_take(&derivation, sequence_tag);
    der_take_octets(&parameters, file->salt, 8, SALT_MAX, &file->salt_len);
    file->rounds = der_take_rounds(&parameters);
    if (!parameters.bad && parameters.at < parameters.end && *parameters.at == MBEDTLS_ASN1_INTEGER) {
        int key_bytes = 0;
        if (mbedtls_asn1_get_int(&parameters.at, parameters.end, &key_bytes) != 0 ||
            key_bytes != CRYPTO_KEY_BYTES)
            parameters.bad = true;
    }
    struct der hmac = der_take(&parameters, sequence_tag);
    der_expect_oid(&hmac, OID_AND_LEN(MBEDTLS_OID_HMAC_SHA256));
    return !hmac.bad && der_ended(&parameters) && der_ended(&derivation);
}

static bool read_file(uint8_t *der, size_t len, struct key_file *file)
{
    size_t iv_len = 0;
    struct der all = {der, der + len, false};
    struct der outer = der_take(&all, sequence_tag);
    struct der algorithm = der_take(&outer, sequence_tag);
    der_expect_oid(&algorithm, OID_AND_LEN(MBEDTLS_OID_PKCS5_PBES2));
    struct der scheme = der_take(&algorithm, sequence_tag);
    if (!read_derivation(&scheme, file))
        return false;
    struct der cipher = der_take(&scheme, sequence_tag);
    der_expect_oid(&cipher, OID_AND_LEN(OID_AES_256_CBC));
    der_take_octets(&cipher, file->iv, IV_BYTES, IV_BYTES, &iv_len);
    struct der encrypted = der_take(&outer, MBEDTLS_ASN1_OCTET_STRING);
    if (encrypted.bad || !der_ended(&cipher) || !der_ended(&scheme) || !der_ended(&outer) || !der_ended(&all))
        return false;
    file->encrypted = encrypted.at;
    file->encrypted_len = (size_t)(encrypted.end - encrypted.at);
    return file->encrypted_len > 0 && file->encrypted_len % BLOCK_BYTES == 0;
}

/* Length without PKCS#7 padding, or 0. No oracle: who tries pass phrases has the file. */
static size_t unpadded(const uint8_t *plain, size_t len)
{
    uint8_t padding = plain[len - 1];
    if (padding == 0 || padding > BLOCK_BYTES)
        return 0;
    for (size_t i = len - padding; i < len; i++)
        if (plain[i] != padding)
            return 0;
    return len - padding;
}

int crypto_rsa_decode_file(const char *pem, const char *passphrase, struct crypto_rsa **ret_key)
{
    uint8_t der[DER_MAX];
    size_t der_len;
    struct key_file file = {.salt_len = 0};
    if (pem_decode(pem, "ENCRYPTED PRIVATE KEY", der, sizeof der, &der_len) < 0 ||
        !read_file(der, der_len, &file))
        return -EBADMSG;
    /* A stolen file would be cheap to search. */
    if (file.rounds < CRYPTO_ROUNDS)
        return -ERANGE;
    int error = crypt_cbc(&file, passphrase, MBEDTLS_AES_DECRYPT, file.encrypted, file.encrypted_len);
    size_t len = error ? 0 : unpadded(file.encrypted, file.encrypted_len);
    if (error == 0 && (len == 0 || crypto_rsa_decode_private(file.encrypted, len, ret_key) < 0))
        error = -EACCES;
    crypto_wipe(der, sizeof der);
    return error;
}
