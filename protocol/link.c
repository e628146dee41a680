/*
 * Records of the guest link. See link.h.
 */
#include "protocol/link.h"

#include <errno.h>
#include <string.h>

#include "protocol/wire.h"

enum { INFO_BYTES = 11 + 2 * LINK_NONCE_BYTES }; /* "kiln/1 link" and both nonces */

void link_session_init(struct link_session *session, enum link_role role, const uint8_t boot_secret[32],
                       const uint8_t request_hash[CRYPTO_HASH_BYTES], const uint8_t nonce_g[LINK_NONCE_BYTES],
                       const uint8_t nonce_h[LINK_NONCE_BYTES])
{
    uint8_t info[INFO_BYTES];
    struct wire_writer writer = wire_writer_init(info, sizeof info);
    wire_write_bytes(&writer, "kiln/1 link", 11);
    wire_write_bytes(&writer, nonce_g, LINK_NONCE_BYTES);
    wire_write_bytes(&writer, nonce_h, LINK_NONCE_BYTES);
    *session = (struct link_session){.role = role};
    crypto_hkdf((struct bytes){boot_secret, 32}, (struct bytes){request_hash, CRYPTO_HASH_BYTES},
                (struct bytes){info, writer.len}, session->key, sizeof session->key);
}

void link_session_finish(struct link_session *session)
{
    crypto_wipe(session, sizeof *session);
}

/* HMAC over the block of one record. */
static void record_mac(const struct link_session *session, enum link_role sender, uint64_t counter,
                       const void *body, size_t len, uint8_t out[CRYPTO_HASH_BYTES])
{
    uint8_t block[LINK_BODY_MAX + 64];
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    wire_write_field_text(&writer, sender == LINK_GUEST ? "kiln/1 link guest" : "kiln/1 link host");
    wire_write_field_u64(&writer, counter);
    wire_write_field(&writer, body, len);
    crypto_hmac(session->key, sizeof session->key, block, writer.len, out);
}

int link_session_seal(struct link_session *session, const void *body, size_t len, uint8_t *out, size_t max,
                      size_t *ret_len)
{
    if (len > LINK_BODY_MAX)
        return -EMSGSIZE;
    if (max < len + LINK_OVERHEAD_BYTES)
        return -ENOSPC;
    wire_put_u64(out, session->sent);
    record_mac(session, session->role, session->sent, body, len, out + 8);
    if (len > 0)
        memcpy(out + LINK_OVERHEAD_BYTES, body, len);
    session->sent++;
    *ret_len = len + LINK_OVERHEAD_BYTES;
    return 0;
}

static bool record_good(const struct link_session *session, const uint8_t *record, size_t len)
{
    uint8_t mac[CRYPTO_HASH_BYTES];
    enum link_role sender = session->role == LINK_GUEST ? LINK_HOST : LINK_GUEST;
    if (session->bad || len < LINK_OVERHEAD_BYTES || len > LINK_RECORD_MAX)
        return false;
    if (wire_get_u64(record) != session->received)
        return false;
    record_mac(session, sender, session->received, record + LINK_OVERHEAD_BYTES, len - LINK_OVERHEAD_BYTES,
               mac);
    return wire_equal(mac, record + 8, sizeof mac);
}

int link_session_open(struct link_session *session, const void *record, size_t len, struct bytes *ret_body)
{
    if (!record_good(session, record, len)) {
        session->bad = true;
        return -EBADMSG;
    }
    session->received++;
    *ret_body = (struct bytes){(const uint8_t *)record + LINK_OVERHEAD_BYTES, len - LINK_OVERHEAD_BYTES};
    return 0;
}
