/* links: kiln_protocol */
/*
 * Channel records of an authenticated but hostile peer: any plaintext opens to what was sealed or is refused
 * for good; messages come out as they went in, in memory that is bounded; credit is never exceeded, and what
 * is used up is granted anew.
 */
#include <errno.h>
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

struct passing {
    struct channel *receiver;
    struct channel_assembly assembly;
};

static int pass_record(void *arg, const uint8_t *bytes, size_t len)
{
    struct passing *passing = arg;
    struct channel_record record;
    CLAIM(channel_open(passing->receiver, bytes, len, &record) == 0 && record.kind == CHANNEL_DATA);
    return channel_assembly_feed(&passing->assembly, record.bytes);
}

/* A message of ours, as long as the input says, goes through whole. */
static void check_message(const uint8_t *data, size_t size)
{
    static const struct channel_keys keys = {.send_key = {3}}, mirror = {.receive_key = {3}};
    static uint8_t text[3 * CHANNEL_BYTES_MAX];
    struct channel *sender;
    struct passing passing = {.receiver = NULL};
    struct bytes message;
    size_t len = size < 3 ? size : (wire_get_u32((uint8_t[4]){0, data[0], data[1], data[2]}) % sizeof text);
    CLAIM(channel_create(&keys, &sender) == 0 && channel_create(&mirror, &passing.receiver) == 0);
    text[len / 2] = (uint8_t)len;
    CLAIM(channel_send_message(sender, text, CHANNEL_MESSAGE_MAX + 1, pass_record, &passing) == -EMSGSIZE);
    CLAIM(channel_send_message(sender, text, len, pass_record, &passing) == 0);
    CLAIM(channel_assembly_next(&passing.assembly, &message) == 1 && message.len == len);
    CLAIM(len == 0 || memcmp(message.bytes, text, len) == 0);
    CLAIM(channel_assembly_next(&passing.assembly, &message) == 0);
    channel_assembly_finish(&passing.assembly);
    channel_destroy(passing.receiver);
    channel_destroy(sender);
}

/* Sender and receiver of a stream: what is underway and what may still go are the credit, always. */
static void check_credit(struct wire_reader input)
{
    static uint8_t record[CHANNEL_RECORD_MAX];
    static const struct channel_keys keys = {.send_key = {4}}, mirror = {.receive_key = {4}};
    struct channel_flow sender, receiver;
    struct channel *back, *forth;
    struct channel_record found;
    size_t len, waiting = 0;
    channel_flow_init(&sender);
    channel_flow_init(&receiver);
    CLAIM(channel_create(&keys, &back) == 0 && channel_create(&mirror, &forth) == 0);
    while (input.left >= 4) {
        size_t sent = channel_flow_allowed(&sender, wire_read_u16(&input)), used = wire_read_u16(&input);
        channel_flow_sent(&sender, sent);
        CLAIM(channel_flow_received(&receiver, sent) == 0);
        waiting += sent;
        used = used < waiting ? used : waiting;
        waiting -= used;
        uint32_t grant = channel_flow_consumed(&receiver, used);
        if (grant > 0) {
            CLAIM(channel_seal_credit(back, 1, grant, record, &len) == 0);
            CLAIM(channel_open(forth, record, len, &found) == 0 && found.credit == grant);
            CLAIM(channel_flow_granted(&sender, found.credit) == 0);
        }
        CLAIM(sender.sendable + waiting + receiver.consumed == CHANNEL_CREDIT);
        CLAIM(channel_flow_received(&receiver, (size_t)sender.sendable + 1) != 0);
    }
    CLAIM(channel_flow_granted(&sender, UINT32_MAX) != 0);
    CLAIM(channel_seal(back, 1, CHANNEL_DATA, record, CHANNEL_BYTES_MAX + 1, record, &len) == -EMSGSIZE);
    channel_destroy(back);
    channel_destroy(forth);
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
    check_message(data, size);
    check_credit(wire_reader_init(data, size));
    return 0;
}
