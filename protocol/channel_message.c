/*
 * JSON-RPC messages on stream 0: cut into records, put together again. See channel.h.
 */
#include "protocol/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"

enum { LENGTH_BYTES = 4 };

static int send_piece(struct channel *channel, const void *bytes, size_t len, uint8_t *buffer,
                      channel_emit *emit, void *arg)
{
    size_t record_len;
    int error = channel_seal(channel, 0, CHANNEL_DATA, bytes, len, buffer, &record_len);
    return error ? error : emit(arg, buffer, record_len);
}

/* The first piece holds the length and as much of the text as fits. */
static int send_first(struct channel *channel, const uint8_t *text, size_t len, uint8_t *buffer,
                      channel_emit *emit, void *arg, size_t *ret_sent)
{
    uint8_t first[CHANNEL_BYTES_MAX];
    size_t take = len < sizeof first - LENGTH_BYTES ? len : sizeof first - LENGTH_BYTES;
    wire_put_u32(first, (uint32_t)len);
    memcpy(first + LENGTH_BYTES, text, take);
    int error = send_piece(channel, first, LENGTH_BYTES + take, buffer, emit, arg);
    crypto_wipe(first, LENGTH_BYTES + take);
    *ret_sent = take;
    return error;
}

int channel_send_message(struct channel *channel, const void *text, size_t len, channel_emit *emit, void *arg)
{
    uint8_t buffer[CHANNEL_RECORD_MAX];
    const uint8_t *at = text;
    size_t sent;
    if (len > CHANNEL_MESSAGE_MAX)
        return -EMSGSIZE;
    int error = send_first(channel, at, len, buffer, emit, arg, &sent);
    while (error == 0 && sent < len) {
        size_t take = len - sent < CHANNEL_BYTES_MAX ? len - sent : CHANNEL_BYTES_MAX;
        error = send_piece(channel, at + sent, take, buffer, emit, arg);
        sent += take;
    }
    return error;
}

/* Overwrites and drops the message that was handed out. */
static void drop_taken(struct channel_assembly *assembly)
{
    if (assembly->taken == 0)
        return;
    size_t left = assembly->len - assembly->taken;
    memmove(assembly->bytes, assembly->bytes + assembly->taken, left);
    crypto_wipe(assembly->bytes + left, assembly->taken);
    assembly->len = left;
    assembly->taken = 0;
}

/* By hand and not by realloc, which leaves what it moved from unwiped. */
static int make_room(struct channel_assembly *assembly, size_t need)
{
    if (need <= assembly->room)
        return 0;
    size_t room = assembly->room * 2 > need ? assembly->room * 2 : need;
    uint8_t *bytes = malloc(room);
    if (!bytes)
        return -ENOMEM;
    if (assembly->len > 0)
        memcpy(bytes, assembly->bytes, assembly->len);
    if (assembly->bytes)
        crypto_wipe(assembly->bytes, assembly->len);
    free(assembly->bytes);
    assembly->bytes = bytes;
    assembly->room = room;
    return 0;
}

int channel_assembly_feed(struct channel_assembly *assembly, struct bytes piece)
{
    drop_taken(assembly);
    /* What waits is at most one message that is not whole, and the pieces of the caller's turn. */
    if (assembly->len + piece.len > CHANNEL_MESSAGE_MAX + LENGTH_BYTES + CHANNEL_PLAIN_MAX)
        return -EMSGSIZE;
    int error = make_room(assembly, assembly->len + piece.len);
    if (error)
        return error;
    if (piece.len > 0)
        memcpy(assembly->bytes + assembly->len, piece.bytes, piece.len);
    assembly->len += piece.len;
    if (assembly->len >= LENGTH_BYTES && wire_get_u32(assembly->bytes) > CHANNEL_MESSAGE_MAX)
        return -EMSGSIZE;
    return 0;
}

int channel_assembly_next(struct channel_assembly *assembly, struct bytes *ret_message)
{
    drop_taken(assembly);
    if (assembly->len < LENGTH_BYTES)
        return 0;
    size_t len = wire_get_u32(assembly->bytes);
    if (len > assembly->len - LENGTH_BYTES)
        return len > CHANNEL_MESSAGE_MAX ? -EMSGSIZE : 0;
    assembly->taken = LENGTH_BYTES + len;
    *ret_message = (struct bytes){assembly->bytes + LENGTH_BYTES, len};
    return 1;
}

void channel_assembly_finish(struct channel_assembly *assembly)
{
    if (assembly->bytes)
        crypto_wipe(assembly->bytes, assembly->len);
    free(assembly->bytes);
    *assembly = (struct channel_assembly){NULL, 0, 0, 0};
}
