/*
 * Envelopes (README 10.1): a drive key sealed to a user's key and signed by its maker. In: key or envelope.
 * Out: the other. Nothing is kept.
 */
#ifndef KILN_PROTOCOL_ENVELOPE_H
#define KILN_PROTOCOL_ENVELOPE_H

#include "protocol/crypto.h"
#include "protocol/text.h"

enum {
    ENVELOPE_KEY_BYTES = 32,
    ENVELOPE_MAX = 2 * (4 + CRYPTO_SIGNATURE_MAX), /* two fields, both of RSA-4096 */
};

/* Seals the key of drive DRIVE to TO; MAKER (private) signs. */
int envelope_seal(struct crypto_rsa *maker, const struct crypto_rsa *to, crypto_random *random, void *arg,
                  const uint8_t drive[UUID_BYTES], const uint8_t drive_key[ENVELOPE_KEY_BYTES],
                  uint8_t out[ENVELOPE_MAX], size_t *ret_len);
/* Opens an envelope of drive DRIVE to USER (private). MAKER, unless NULL, must have signed it, for this drive
 * and this user; that is checked before anything is opened. -EBADMSG not an envelope, -EPERM not MAKER's
 * signature, -EACCES it is not sealed to this key or holds anything but 32 bytes. */
int envelope_open(struct crypto_rsa *user, const struct crypto_rsa *maker, crypto_random *random, void *arg,
                  const uint8_t drive[UUID_BYTES], struct bytes envelope,
                  uint8_t ret_drive_key[ENVELOPE_KEY_BYTES]);

#endif
