/* links: kiln_protocol */
/*
 * Channel records of an authenticated but hostile peer: any plaintext opens to what was sealed or is refused
 * for good; messages come out as they went in, in memory that is bounded; credit is never exceeded.
 */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/channel.h"
#include "protocol/wire.h"

struct peer {
    struct channel *channel;
    struct channel_assembly assembly;
    struct channel_flow flow;
    size_t received; /* bytes above stream 0 */
    bool ended;
};

static void take_messages(struct peer *peer, struct bytes piece)
{
    struct bytes message;
    peer->ended = channel_assembly_feed(&peer->assembly, piece) < 0;
    while (!peer->ended && channel_assembly_next(&peer->assembly, &message) == 1)
        CLAIM(message.len <= CHANNEL_MESSAGE_MAX);
    CLAIM(peer->assembly.room <= 2 * (CHANNEL_MESSAGE_MAX + 2 * CHANNEL_PLAIN_MAX));
}

static void take_stream(struct peer *peer, const struct channel_record *record)
{
    if (record->kind == CHANNEL_MORE_CREDIT) {
        peer->ended = channel_flow_granted(&peer->flow, record->credit) < 0;
        CLAIM(channel_flow_allowed(&peer->flow, SIZE_MAX) <= CHANNEL_BYTES_MAX);
    } else if (record->kind == CHANNEL_DATA) {
        peer->ended = channel_flow_received(&peer->flow, record->bytes.len) < 0;
        peer->received += peer->ended ? 0 : record->bytes.len;
        CLAIM(peer->received <= CHANNEL_CREDIT);
    }
}

static void take(struct peer *peer, const uint8_t *bytes, size_t len, uint32_t stream, uint8_t kind)
{
    struct channel_record record;
    if (channel_open(peer->channel, bytes, len, &record) < 0) {
        peer->ended = true;
        CLAIM(channel_open(peer->channel, bytes, len, &record) < 0);
        return;
    }
    CLAIM(record.stream == stream && record.kind == kind && kind <= CHANNEL_CLOSE);
    if (stream == 0 && kind == CHANNEL_DATA)
        take_messages(peer, record.bytes);
    else if (stream > 0)
        take_stream(peer, &record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct channel_keys keys = {.send_key = {1}, .receive_key = {2}},
                                     mirror = {{2}, {0}, {1}, {0}};
    static uint8_t record[CHANNEL_RECORD_MAX];
    struct channel *sender;
    struct peer peer = {.ended = false};
    struct wire_reader input = wire_reader_init(data, size);
    CLAIM(channel_create(&keys, &sender) == 0 && channel_create(&mirror, &peer.channel) == 0);
    channel_flow_init(&peer.flow);
    while (!peer.ended && input.left >= 4) {
        uint8_t stream = wire_read_u8(&input), kind = wire_read_u8(&input);
        size_t wanted = wire_read_u16(&input), len;
        struct bytes piece = wire_read_bytes(&input, wanted < input.left ? wanted : input.left);
        CLAIM(channel_seal(sender, stream, kind, piece.bytes, piece.len, record, &len) == 0);
        take(&peer, record, len, stream, kind);
    }
    struct channel_record none;
    CLAIM(channel_open(sender, data, size, &none) < 0);
    channel_assembly_finish(&peer.assembly);
    channel_destroy(sender);
    channel_destroy(peer.channel);
    return 0;
}
