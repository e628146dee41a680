/*
 * Drive keys sealed to a user's key. See envelope.h.
 */
#include "protocol/envelope.h"

#include <errno.h>
#include <string.h>

int envelope_seal(const struct crypto_rsa *user_public, crypto_random *random, void *arg,
                  const uint8_t drive_key[ENVELOPE_KEY_BYTES], uint8_t out[ENVELOPE_MAX], size_t *ret_len)
{
    return crypto_rsa_encrypt(user_public, random, arg, drive_key, ENVELOPE_KEY_BYTES, out, ret_len);
}

int envelope_open(struct crypto_rsa *user, crypto_random *random, void *arg, struct bytes ciphertext,
                  uint8_t ret_drive_key[ENVELOPE_KEY_BYTES])
{
    uint8_t plain[ENVELOPE_MAX];
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
