/* links: kiln_guest */
/*
 * What stub and controller hand each other. Claims: what is read is written to the same bytes; of what is
 * refused nothing stays behind.
 */
#include <string.h>

#include "fuzz/claim.h"
#include "guest/handover.h"
#include "guest/kept.h"

static bool all_zero(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++)
        if (at[i] != 0)
            return false;
    return true;
}

static void check_handover(const uint8_t *data, size_t size)
{
    static struct handover handover;
    static uint8_t again[HANDOVER_RECORD_MAX];
    size_t len;
    memset(&handover, 0, sizeof handover);
    if (handover_decode(data, size, &handover) < 0) {
        CLAIM(all_zero(&handover, sizeof handover));
        return;
    }
    CLAIM(handover_encode(&handover, again, &len) == 0);
    CLAIM(len == size && memcmp(again, data, len) == 0);
}

static void check_kept(const uint8_t *data, size_t size)
{
    static struct kept kept;
    static uint8_t again[HANDOVER_KEPT_MAX];
    size_t len;
    memset(&kept, 0, sizeof kept);
    if (kept_decode(data, size, &kept) < 0) {
        CLAIM(all_zero(&kept, sizeof kept));
        return;
    }
    CLAIM(kept.private_key_len <= sizeof kept.private_key &&
          kept.request.naddresses <= REGISTER_ADDRESSES_MAX);
    CLAIM(kept_encode(&kept, again, sizeof again, &len) == 0);
    CLAIM(len == size && memcmp(again, data, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_handover(data, size);
    check_kept(data, size);
    return 0;
}
