/* links: kiln_guest */
/*
 * What controller and terminal holder tell each other. Claims: what is read is written to the same bytes; of
 * what is refused nothing stays behind; bytes lie in the packet.
 */
#include <string.h>

#include "fuzz/claim.h"
#include "guest/terminal_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct terminal_packet untouched;
    static uint8_t again[TERMINAL_PACKET_MAX];
    struct terminal_packet packet;
    size_t len;
    memset(&packet, 0, sizeof packet);
    if (size > sizeof again)
        return 0;
    if (terminal_packet_decode(data, size, &packet) < 0) {
        CLAIM(memcmp(&packet, &untouched, sizeof packet) == 0);
        return 0;
    }
    CLAIM(packet.bytes.len == 0 ||
          (packet.bytes.bytes >= data && packet.bytes.bytes + packet.bytes.len == data + size));
    CLAIM(terminal_packet_encode(&packet, again, sizeof again, &len) == 0);
    CLAIM(len == size && memcmp(again, data, len) == 0);
    return 0;
}
