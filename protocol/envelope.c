/*
 * Drive keys sealed to a user's key. See envelope.h.
 */
#include "protocol/envelope.h"

#include <errno.h>
#include <string.h>

#include "protocol/wire.h"

enum { BLOCK_MAX = 640 }; /* label, id, fingerprint and the longest ciphertext, each a field */

/* What the maker signs. */
static int write_block(const uint8_t drive[UUID_BYTES], const struct crypto_rsa *to, struct bytes ciphertext,
                       uint8_t out[BLOCK_MAX], size_t *ret_len)
{
    uint8_t fingerprint[CRYPTO_HASH_BYTES];
    struct wire_writer block = wire_writer_init(out, BLOCK_MAX);
    int error = crypto_rsa_fingerprint(to, fingerprint);
    if (error)
        return error;
    wire_write_field_text(&block, "kiln/1 envelope");
    wire_write_field(&block, drive, UUID_BYTES);
    wire_write_field(&block, fingerprint, sizeof fingerprint);
    wire_write_field(&block, ciphertext.bytes, ciphertext.len);
    return wire_writer_end(&block, ret_len);
}

int envelope_seal(struct crypto_rsa *maker, const struct crypto_rsa *to, crypto_random *random, void *arg,
                  const uint8_t drive[UUID_BYTES], const uint8_t drive_key[ENVELOPE_KEY_BYTES],
                  uint8_t out[ENVELOPE_MAX], size_t *ret_len)
{
    uint8_t ciphertext[CRYPTO_SIGNATURE_MAX], signature[CRYPTO_SIGNATURE_MAX], block[BLOCK_MAX];
    size_t ciphertext_len, signature_len, block_len;
    struct wire_writer envelope = wire_writer_init(out, ENVELOPE_MAX);
    int error =
        crypto_rsa_encrypt(to, random, arg, drive_key, ENVELOPE_KEY_BYTES, ciphertext, &ciphertext_len);
    if (!error)
        error = write_block(drive, to, (struct bytes){ciphertext, ciphertext_len}, block, &block_len);
    if (!error)
        error = crypto_rsa_sign(maker, random, arg, block, block_len, signature, &signature_len);
    if (error)
        return error;
    wire_write_field(&envelope, ciphertext, ciphertext_len);
    wire_write_field(&envelope, signature, signature_len);
    return wire_writer_end(&envelope, ret_len);
}

static int open_ciphertext(struct crypto_rsa *user, crypto_random *random, void *arg, struct bytes ciphertext,
                           uint8_t ret_drive_key[ENVELOPE_KEY_BYTES])
{
    uint8_t plain[CRYPTO_SIGNATURE_MAX];
    size_t len;
    int error =
        crypto_rsa_decrypt(user, random, arg, ciphertext.bytes, ciphertext.len, plain, sizeof plain, &len);
    if (error == 0 && len != ENVELOPE_KEY_BYTES)
        error = -EACCES;
    if (error == 0)
        memcpy(ret_drive_key, plain, ENVELOPE_KEY_BYTES);
    crypto_wipe(plain, sizeof plain);
    return error;
}

int envelope_open(struct crypto_rsa *user, const struct crypto_rsa *maker, crypto_random *random, void *arg,
                  const uint8_t drive[UUID_BYTES], struct bytes envelope,
                  uint8_t ret_drive_key[ENVELOPE_KEY_BYTES])
{
    uint8_t block[BLOCK_MAX];
    size_t block_len;
    struct wire_reader reader = wire_reader_init(envelope.bytes, envelope.len);
    struct bytes ciphertext = wire_read_field(&reader), signature = wire_read_field(&reader);
    if (wire_reader_end(&reader) < 0 || ciphertext.len > CRYPTO_SIGNATURE_MAX)
        return -EBADMSG;
    if (maker) {
        int error = write_block(drive, user, ciphertext, block, &block_len);
        if (error)
            return error;
        if (crypto_rsa_verify(maker, block, block_len, signature.bytes, signature.len) < 0)
            return -EPERM;
    }
    return open_ciphertext(user, random, arg, ciphertext, ret_drive_key);
}
