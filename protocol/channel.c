/*
 * Records of the channel. See channel.h; messages and credit are in channel_message.c and channel_flow.c.
 */
#include "protocol/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"

enum { COUNTER_BYTES = 8, HEAD_BYTES = 5 };

/* One direction. */
struct direction {
    struct crypto_aead *aead; /* owned */
    uint8_t iv[CRYPTO_IV_BYTES];
    uint64_t counter; /* of the next record */
};

struct channel {
    struct direction send, receive;
    bool bad;                         /* a record was wrong: nothing is taken any more */
    uint8_t plain[CHANNEL_PLAIN_MAX]; /* of the record opened last */
};

static int direction_init(struct direction *direction, const uint8_t key[CRYPTO_KEY_BYTES],
                          const uint8_t iv[CRYPTO_IV_BYTES])
{
    memcpy(direction->iv, iv, CRYPTO_IV_BYTES);
    return crypto_aead_create(key, &direction->aead);
}

/* The counter's bytes, and the nonce that goes with them. */
static void direction_nonce(const struct direction *direction, uint8_t counter[COUNTER_BYTES],
                            uint8_t nonce[CRYPTO_IV_BYTES])
{
    wire_put_u64(counter, direction->counter);
    memcpy(nonce, direction->iv, CRYPTO_IV_BYTES);
    for (size_t i = 0; i < COUNTER_BYTES; i++)
        nonce[CRYPTO_IV_BYTES - COUNTER_BYTES + i] ^= counter[i];
}

int channel_create(const struct channel_keys *keys, struct channel **ret_channel)
{
    struct channel *channel = calloc(1, sizeof *channel);
    if (!channel)
        return -ENOMEM;
    int error = direction_init(&channel->send, keys->send_key, keys->send_iv);
    if (error == 0)
        error = direction_init(&channel->receive, keys->receive_key, keys->receive_iv);
    if (error) {
        channel_destroy(channel);
        return error;
    }
    *ret_channel = channel;
    return 0;
}

void channel_destroy(struct channel *channel)
{
    if (!channel)
        return;
    crypto_aead_destroy(channel->send.aead);
    crypto_aead_destroy(channel->receive.aead);
    crypto_wipe(channel, sizeof *channel);
    free(channel);
}

int channel_seal(struct channel *channel, uint32_t stream, enum channel_kind kind, const void *bytes,
                 size_t len, uint8_t out[CHANNEL_RECORD_MAX], size_t *ret_len)
{
    uint8_t nonce[CRYPTO_IV_BYTES], *plain = out + COUNTER_BYTES;
    if (len > CHANNEL_BYTES_MAX)
        return -EMSGSIZE;
    direction_nonce(&channel->send, out, nonce);
    wire_put_u32(plain, stream);
    plain[4] = (uint8_t)kind;
    if (len > 0)
        memcpy(plain + HEAD_BYTES, bytes, len);
    int error = crypto_aead_seal(channel->send.aead, nonce, (struct bytes){out, COUNTER_BYTES}, plain,
                                 HEAD_BYTES + len, plain);
    if (error)
        return error;
    channel->send.counter++;
    *ret_len = COUNTER_BYTES + HEAD_BYTES + len + CRYPTO_TAG_BYTES;
    return 0;
}

int channel_seal_credit(struct channel *channel, uint32_t stream, uint32_t credit,
                        uint8_t out[CHANNEL_RECORD_MAX], size_t *ret_len)
{
    uint8_t bytes[4];
    wire_put_u32(bytes, credit);
    return channel_seal(channel, stream, CHANNEL_MORE_CREDIT, bytes, sizeof bytes, out, ret_len);
}

/* Decrypts to channel->plain. */
static int decrypt(struct channel *channel, const uint8_t *record, size_t len, size_t *ret_plain_len)
{
    uint8_t counter[COUNTER_BYTES], nonce[CRYPTO_IV_BYTES];
    if (len < COUNTER_BYTES + HEAD_BYTES + CRYPTO_TAG_BYTES || len > CHANNEL_RECORD_MAX)
        return -EBADMSG;
    direction_nonce(&channel->receive, counter, nonce);
    if (memcmp(counter, record, sizeof counter) != 0)
        return -EBADMSG;
    int error = crypto_aead_open(channel->receive.aead, nonce, (struct bytes){counter, sizeof counter},
                                 record + COUNTER_BYTES, len - COUNTER_BYTES, channel->plain);
    if (error)
        return -EBADMSG;
    channel->receive.counter++;
    *ret_plain_len = len - COUNTER_BYTES - CRYPTO_TAG_BYTES;
    return 0;
}

/* Whether kind, stream and length belong together (README 7.2). */
static bool record_fits(const struct channel_record *record)
{
    switch (record->kind) {
    case CHANNEL_DATA:
        return true;
    case CHANNEL_MORE_CREDIT:
        return record->stream > 0 && record->bytes.len == 4;
    case CHANNEL_END:
        return record->stream > 0 && record->bytes.len == 0;
    case CHANNEL_CLOSE:
        return record->stream == 0 && record->bytes.len == 0;
    }
    return false;
}

int channel_open(struct channel *channel, const void *record, size_t len, struct channel_record *ret_record)
{
    size_t plain_len;
    if (channel->bad || decrypt(channel, record, len, &plain_len) < 0) {
        channel->bad = true;
        return -EBADMSG;
    }
    struct channel_record found = {
        .stream = wire_get_u32(channel->plain),
        .kind = channel->plain[4],
        .bytes = {channel->plain + HEAD_BYTES, plain_len - HEAD_BYTES},
    };
    if (!record_fits(&found)) {
        channel->bad = true;
        return -EBADMSG;
    }
    if (found.kind == CHANNEL_MORE_CREDIT)
        found.credit = wire_get_u32(found.bytes.bytes);
    *ret_record = found;
    return 0;
}
