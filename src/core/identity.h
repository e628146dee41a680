/*
 * Identity: the keys that only kilnd holds. The host's ECDSA P-256 key and the master of all boot secrets.
 *
 * In: bytes to sign, a VM and its boot number. Out: signatures, boot secrets. Kept: state_dir/identity/
 * (0700) with host.pem and master (0600), outside the store; in memory, locked where that is allowed.
 */
#ifndef KILN_CORE_IDENTITY_H
#define KILN_CORE_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

struct identity;

enum {
    IDENTITY_SIGNATURE_MAX = 80,
    IDENTITY_SPKI_MAX = 128,
    IDENTITY_HASH_LEN = 32,
    IDENTITY_SECRET_LEN = 32
};

/* Reads both, or makes what is missing. -EACCES a file is readable by others, -EBADMSG it is damaged: kilnd
 * then does not start, because a new identity would be a stranger to everyone who pinned the old one. */
int identity_open(const char *folder, struct identity **ret_identity);
/* Wipes. NULL does nothing. */
void identity_close(struct identity *identity);

/* ECDSA over SHA-256 of BYTES, DER. -EIO. */
int identity_sign(struct identity *identity, const void *bytes, size_t len_bytes,
                  uint8_t ret_signature[static IDENTITY_SIGNATURE_MAX], size_t *ret_len_bytes);
/* The public half, SPKI in DER, and its fingerprint. Borrowed. */
const uint8_t *identity_spki(const struct identity *identity, size_t *ret_len_bytes);
const uint8_t *identity_fingerprint(const struct identity *identity); /* 32 bytes */

/* protocol/README section 2. The caller wipes it. */
int identity_boot_secret(const struct identity *identity, const uint8_t uuid[static 16], uint32_t boot,
                         uint8_t ret_secret[static IDENTITY_SECRET_LEN]);

#endif
