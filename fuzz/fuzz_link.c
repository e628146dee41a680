/* links: kiln_protocol */
/* Link records: no bytes of a stranger open; a stranger's bytes as a body come back the same; after an
 * offence nothing. */
#include <errno.h>
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[32] = {1}, hash[32] = {2}, nonce_g[32] = {3}, nonce_h[32] = {4};
    static uint8_t record[LINK_RECORD_MAX];
    struct link_session guest, host, stranger;
    struct bytes body;
    size_t len;
    link_session_init(&guest, LINK_GUEST, secret, hash, nonce_g, nonce_h);
    link_session_init(&host, LINK_HOST, secret, hash, nonce_g, nonce_h);
    stranger = host;
    int sealed = link_session_seal(&guest, data, size, record, sizeof record, &len);
    CLAIM((sealed == 0) == (size <= LINK_BODY_MAX));
    if (sealed == 0) {
        CLAIM(link_session_open(&host, record, len, &body) == 0);
        CLAIM(body.len == size && (size == 0 || memcmp(body.bytes, data, size) == 0));
        CLAIM(link_session_open(&host, record, len, &body) != 0);
    }
    CLAIM(link_session_open(&stranger, data, size, &body) != 0);
    CLAIM(sealed != 0 || link_session_open(&stranger, record, len, &body) != 0);
    CLAIM(link_session_seal(&guest, record, LINK_BODY_MAX + 1, record, sizeof record, &len) == -EMSGSIZE);
    CLAIM(link_session_seal(&guest, NULL, 0, record, LINK_OVERHEAD_BYTES - 1, &len) == -ENOSPC);
    link_session_finish(&guest);
    return 0;
}
