/*
 * Records of the guest link (README 4.4). In: bodies or records. Out: the other. Kept: key and counters of
 * one connection.
 */
#ifndef KILN_PROTOCOL_LINK_H
#define KILN_PROTOCOL_LINK_H

#include "protocol/crypto.h"

enum {
    LINK_NONCE_BYTES = 32,
    LINK_OVERHEAD_BYTES = 40, /* counter and MAC */
    LINK_BODY_MAX = 65536,
    LINK_RECORD_MAX = LINK_BODY_MAX + LINK_OVERHEAD_BYTES,
};

enum link_role { LINK_GUEST, LINK_HOST };

struct link_session {
    uint8_t key[CRYPTO_KEY_BYTES]; /* secret */
    enum link_role role;
    uint64_t sent, received; /* counters of the next record */
    bool bad;                /* a record was wrong: nothing is taken any more */
};

/* K_link from the boot secret, the request's hash and both nonces. */
void link_session_init(struct link_session *session, enum link_role role, const uint8_t boot_secret[32],
                       const uint8_t request_hash[CRYPTO_HASH_BYTES], const uint8_t nonce_g[LINK_NONCE_BYTES],
                       const uint8_t nonce_h[LINK_NONCE_BYTES]);
void link_session_finish(struct link_session *session);
/* OUT gets LEN + LINK_OVERHEAD_BYTES bytes; -ENOSPC when MAX is less, -EMSGSIZE over LINK_BODY_MAX. */
int link_session_seal(struct link_session *session, const void *body, size_t len, uint8_t *out, size_t max,
                      size_t *ret_len);
/* RET_BODY points into RECORD. -EBADMSG for anything but the peer's next good record, and for all that follow
 * it. */
int link_session_open(struct link_session *session, const void *record, size_t len, struct bytes *ret_body);

#endif
