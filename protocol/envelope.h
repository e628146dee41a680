/*
 * Envelopes (README 10.1): a drive key sealed to a user's key. In: key or ciphertext. Out: the other. Nothing
 * is kept.
 */
#ifndef KILN_PROTOCOL_ENVELOPE_H
#define KILN_PROTOCOL_ENVELOPE_H

#include "protocol/crypto.h"

enum { ENVELOPE_KEY_BYTES = 32, ENVELOPE_MAX = CRYPTO_SIGNATURE_MAX };

int envelope_seal(const struct crypto_rsa *user_public, crypto_random *random, void *arg,
                  const uint8_t drive_key[ENVELOPE_KEY_BYTES], uint8_t out[ENVELOPE_MAX], size_t *ret_len);
/* -EACCES when it is not sealed to this key or holds anything but 32 bytes. */
int envelope_open(struct crypto_rsa *user, crypto_random *random, void *arg, struct bytes ciphertext,
                  uint8_t ret_drive_key[ENVELOPE_KEY_BYTES]);

#endif
