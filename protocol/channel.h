/*
 * Records of the channel (README 7.2, 7.3): sealing and opening, messages on stream 0, credit on the others.
 * In: plaintext or records, in order. Out: the other. Kept: keys, counters, the message being put together.
 */
#ifndef KILN_PROTOCOL_CHANNEL_H
#define KILN_PROTOCOL_CHANNEL_H

#include "protocol/crypto.h"

enum {
    CHANNEL_PLAIN_MAX = 65536,                 /* stream, kind and bytes */
    CHANNEL_BYTES_MAX = CHANNEL_PLAIN_MAX - 5, /* bytes of one record */
    CHANNEL_RECORD_MAX = 8 + CHANNEL_PLAIN_MAX + CRYPTO_TAG_BYTES,
    CHANNEL_MESSAGE_MAX = 2 * 1048576, /* a JSON-RPC message on stream 0 */
    CHANNEL_CREDIT = 65536,            /* what a stream starts with in each direction */
};

enum channel_kind { CHANNEL_DATA, CHANNEL_MORE_CREDIT, CHANNEL_END, CHANNEL_CLOSE };

/* What the handshake yields, as one side sees it. Secret: crypto_wipe it. */
struct channel_keys {
    uint8_t send_key[CRYPTO_KEY_BYTES], send_iv[CRYPTO_IV_BYTES];
    uint8_t receive_key[CRYPTO_KEY_BYTES], receive_iv[CRYPTO_IV_BYTES];
};

struct channel_record {
    uint32_t stream;
    enum channel_kind kind;
    struct bytes bytes; /* of data */
    uint32_t credit;    /* of CHANNEL_MORE_CREDIT */
};

struct channel;

int channel_create(const struct channel_keys *keys, struct channel **ret_channel);
void channel_destroy(struct channel *channel);

/* Seals one record. BYTES at most CHANNEL_BYTES_MAX (-EMSGSIZE); OUT has CHANNEL_RECORD_MAX bytes. */
int channel_seal(struct channel *channel, uint32_t stream, enum channel_kind kind, const void *bytes,
                 size_t len, uint8_t out[CHANNEL_RECORD_MAX], size_t *ret_len);
/* The same with a credit as its bytes. */
int channel_seal_credit(struct channel *channel, uint32_t stream, uint32_t credit,
                        uint8_t out[CHANNEL_RECORD_MAX], size_t *ret_len);
/* Opens the peer's next record; RET_RECORD points into the channel until the next call. -EBADMSG for anything
 * else (wrong counter, tag, form, a kind that does not belong on its stream), and for all that follows it. */
int channel_open(struct channel *channel, const void *record, size_t len, struct channel_record *ret_record);

/* Called with one sealed record; not 0 stops and is returned. */
typedef int channel_emit(void *arg, const uint8_t *record, size_t len);
/* Cuts a JSON-RPC message into records of stream 0. -EMSGSIZE over CHANNEL_MESSAGE_MAX. */
int channel_send_message(struct channel *channel, const void *text, size_t len, channel_emit *emit,
                         void *arg);

/* Puts the messages of stream 0 together. Zeroed it is empty; it may hold secrets, and its finish wipes. */
struct channel_assembly {
    uint8_t *bytes; /* owned */
    size_t len, room, taken;
};

/* Takes the bytes of a data record of stream 0. -EMSGSIZE a message over the limit, -ENOMEM. */
int channel_assembly_feed(struct channel_assembly *assembly, struct bytes piece);
/* 1 and the next whole message (valid until the next call, not NUL-terminated), 0 when there is none yet. */
int channel_assembly_next(struct channel_assembly *assembly, struct bytes *ret_message);
void channel_assembly_finish(struct channel_assembly *assembly);

/* Credit of one stream. */
struct channel_flow {
    uint32_t sendable; /* bytes that we may still send */
    uint32_t takeable; /* bytes that the peer may still send */
    uint32_t consumed; /* bytes taken up and not yet granted anew */
};

void channel_flow_init(struct channel_flow *flow);
/* How many of WANTED bytes may go now (also at most CHANNEL_BYTES_MAX); channel_flow_sent then says how many
 * went. */
size_t channel_flow_allowed(const struct channel_flow *flow, size_t wanted);
void channel_flow_sent(struct channel_flow *flow, size_t len);
/* The peer granted more. -EBADMSG when that makes more than 2^31. */
int channel_flow_granted(struct channel_flow *flow, uint32_t credit);
/* LEN bytes came. -EBADMSG when that is over the credit: the channel must close. */
int channel_flow_received(struct channel_flow *flow, size_t len);
/* LEN bytes were used up. Returns a credit to grant now, or 0 while it is not worth a record. */
uint32_t channel_flow_consumed(struct channel_flow *flow, size_t len);

#endif
