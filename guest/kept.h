/*
 * Kept: what must be the same after a crash of the controller: the VM's key, the registration, the accepted
 * owner. In: a struct. Out: a block for the stub to hold (handover.h), and back. Nothing is kept here.
 */
#ifndef KILN_GUEST_KEPT_H
#define KILN_GUEST_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/register.h"

/* Secret: lives in locked memory only. */
struct kept {
    size_t private_key_len; /* 0: there is none yet */
    uint8_t private_key[CRYPTO_PRIVATE_MAX];
    struct register_request request; /* without its proof */
    bool owned;
    uint8_t owner[CRYPTO_HASH_BYTES]; /* fingerprint */
    uint64_t assignment;              /* the highest that was accepted */
};

/* -ENOSPC. */
int kept_encode(const struct kept *kept, uint8_t *out, size_t max_bytes, size_t *ret_len_bytes);
/* -EBADMSG: RET_KEPT is all zeros then, as no half of a secret may stay. */
int kept_decode(const void *block, size_t len_bytes, struct kept *ret_kept);

#endif
