/*
 * Owner channel: see owner_channel.h.
 */
#include "guest/owner_channel.h"

#include <errno.h>
#include <stdlib.h>

#include "guest/channels.h"
#include "guest/controller.h"
#include "guest/host_link.h"
#include "guest/owner_methods.h"
#include "guest/owner_stream.h"
#include "protocol/handshake.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/random.h"
#include "src/io/rpc.h"
#include "src/io/ws.h"

#define QUEUED_MAX 262144 /* bytes that may wait for a slow owner before terminals stop */

struct owner_channel {
    struct controller *controller; /* borrowed */
    uint64_t number;
    enum owner_stage stage;
    struct ws *ws;                      /* owned */
    struct handshake *handshake;        /* owned, during it */
    struct loop_timer *deadline;        /* owned: of the handshake */
    struct channel *records;            /* owned, once authenticated */
    struct channel_assembly assembly;   /* of stream 0 */
    struct rpc_peer *peer;              /* owned, once authenticated */
    struct owner_streams *streams;      /* owned, once authenticated */
    unsigned busy;                      /* calls on the stack */
    uint8_t record[CHANNEL_RECORD_MAX]; /* being sealed */
};

static int random_bytes(void *arg, uint8_t *out, size_t len)
{
    (void)arg;
    random_fill(out, len);
    return 0;
}

enum owner_stage owner_channel_stage(const struct owner_channel *channel)
{
    return channel->stage;
}

uint64_t owner_channel_number(const struct owner_channel *channel)
{
    return channel->number;
}

struct controller *owner_channel_controller(struct owner_channel *channel)
{
    return channel->controller;
}

struct owner_streams *owner_channel_streams(struct owner_channel *channel)
{
    return channel->streams;
}

static void free_channel(struct owner_channel *channel)
{
    handshake_destroy(channel->handshake);
    channel_destroy(channel->records);
    channel_assembly_finish(&channel->assembly);
    if (channel->deadline != NULL)
        loop_timer_destroy(channel->deadline);
    free(channel);
}

/* The parts that call back go at once, the rest when no call of ours is on the stack. */
static void end_parts(struct owner_channel *channel)
{
    channel->stage = OWNER_ENDED;
    if (channel->deadline != NULL)
        loop_timer_disarm(channel->deadline);
    owner_streams_destroy(channel->streams);
    channel->streams = NULL;
    rpc_peer_destroy(channel->peer);
    channel->peer = NULL;
}

static void leave(struct owner_channel *channel)
{
    if (--channel->busy == 0 && channel->stage == OWNER_ENDED)
        free_channel(channel);
}

void owner_channel_close(struct owner_channel *channel)
{
    if (channel == NULL || channel->stage == OWNER_ENDED)
        return;
    channel->busy++;
    if (channel->stage == OWNER_AUTHENTICATED)
        owner_channel_send(channel, 0, CHANNEL_CLOSE, NULL, 0);
    end_parts(channel);
    ws_close(channel->ws, WS_NORMAL, NULL);
    channel->ws = NULL;
    leave(channel);
}

/* Ends it because of what came, or came not. */
static void give_up(struct owner_channel *channel, const char *reason)
{
    if (channel->stage == OWNER_ENDED)
        return;
    log_info("channel", "ends", "channel=%llu reason=\"%s\"", (unsigned long long)channel->number, reason);
    channel->busy++;
    channels_ended(channel->controller->channels, channel);
    owner_channel_close(channel);
    leave(channel);
}

int owner_channel_send(struct owner_channel *channel, uint32_t stream, enum channel_kind kind,
                       const void *bytes, size_t len_bytes)
{
    size_t len;
    if (channel->stage != OWNER_AUTHENTICATED)
        return -EPIPE;
    int result = channel_seal(channel->records, stream, kind, bytes, len_bytes, channel->record, &len);
    return result < 0 ? result : ws_send(channel->ws, WS_BINARY, channel->record, len);
}

int owner_channel_send_credit(struct owner_channel *channel, uint32_t stream, uint32_t credit)
{
    size_t len;
    if (channel->stage != OWNER_AUTHENTICATED)
        return -EPIPE;
    int result = channel_seal_credit(channel->records, stream, credit, channel->record, &len);
    return result < 0 ? result : ws_send(channel->ws, WS_BINARY, channel->record, len);
}

bool owner_channel_has_room(const struct owner_channel *channel)
{
    return channel->stage == OWNER_AUTHENTICATED && ws_queued_bytes(channel->ws) < QUEUED_MAX;
}

static int send_piece(void *arg, const uint8_t *record, size_t len_bytes)
{
    struct owner_channel *channel = arg;
    return ws_send(channel->ws, WS_BINARY, record, len_bytes);
}

static void send_message(void *arg, const char *text, size_t len_bytes)
{
    struct owner_channel *channel = arg;
    if (channel->stage == OWNER_AUTHENTICATED)
        channel_send_message(channel->records, text, len_bytes, send_piece, channel);
}

void owner_channel_notify(struct owner_channel *channel, const char *method, const char *params)
{
    if (channel->stage == OWNER_AUTHENTICATED)
        rpc_notify(channel->peer, method, params);
}

static int make_handshake(struct owner_channel *channel)
{
    struct controller *controller = channel->controller;
    struct handshake_config config = {.role = HANDSHAKE_VM,
                                      .own_key = controller->key,
                                      .peer_key = controller->owner.key,
                                      .binding = {controller->owner.binding, controller->owner.binding_len},
                                      .random = random_bytes};
    for (size_t i = 0; i < sizeof config.uuid; i++)
        config.uuid[i] = controller->boot.uuid[i];
    /* Nobody's VM answers nobody. */
    return controller->owner.key == NULL ? -EACCES : handshake_create(&config, &channel->handshake);
}

static int begin_records(struct owner_channel *channel)
{
    const struct rpc_options options = {.methods = owner_methods,
                                        .message_max_bytes = CHANNEL_MESSAGE_MAX,
                                        .emit = send_message,
                                        .arg = channel};
    struct channel_keys keys;
    int result = handshake_keys(channel->handshake, &keys);
    if (result == 0) {
        result = channel_create(&keys, &channel->records);
        crypto_wipe(&keys, sizeof keys);
    }
    if (result == 0)
        result = rpc_peer_create(channel->controller->loop, &options, &channel->peer);
    if (result == 0)
        result = owner_streams_create(channel, &channel->streams);
    return result;
}

/* PROOF_MS: how long checking the owner's proof and signing our own took. */
static void take_authenticated(struct owner_channel *channel, int64_t proof_ms)
{
    if (begin_records(channel) < 0) {
        give_up(channel, "no memory");
        return;
    }
    handshake_destroy(channel->handshake);
    channel->handshake = NULL;
    loop_timer_disarm(channel->deadline);
    channel->stage = OWNER_AUTHENTICATED;
    log_info("channel", "the owner is authenticated", "channel=%llu proof_ms=%lld",
             (unsigned long long)channel->number, (long long)proof_ms);
    channels_authenticated(channel->controller->channels);
}

static void take_handshake(struct owner_channel *channel, const void *bytes, size_t len_bytes)
{
    uint8_t answer[HANDSHAKE_MESSAGE_MAX];
    size_t len = 0;
    if (channel->stage == OWNER_WAITING) {
        channel->stage = OWNER_HANDSHAKE;
        loop_timer_arm(channel->deadline, HANDSHAKE_TIMEOUT_MS);
        channels_begun(channel->controller->channels);
        if (make_handshake(channel) < 0) {
            give_up(channel, "nobody owns this VM yet");
            return;
        }
    }
    int64_t began_ms = loop_monotonic_ms();
    if (handshake_feed(channel->handshake, bytes, len_bytes, answer, &len) < 0) {
        give_up(channel, "the handshake failed");
        return;
    }
    int64_t proof_ms = loop_monotonic_ms() - began_ms;
    if (len > 0)
        ws_send(channel->ws, WS_BINARY, answer, len);
    if (handshake_done(channel->handshake))
        take_authenticated(channel, proof_ms);
}

static void take_messages(struct owner_channel *channel, struct bytes piece)
{
    struct bytes message;
    int result = channel_assembly_feed(&channel->assembly, piece);
    while (result == 0 && channel->stage == OWNER_AUTHENTICATED &&
           (result = channel_assembly_next(&channel->assembly, &message)) == 1)
        result = rpc_peer_feed(channel->peer, (const char *)message.bytes, message.len);
    if (result < 0)
        give_up(channel, "a message is malformed or too large");
}

static void take_record(struct owner_channel *channel, const void *bytes, size_t len_bytes)
{
    struct channel_record record;
    if (channel_open(channel->records, bytes, len_bytes, &record) < 0)
        give_up(channel, "a record is not the owner's next one");
    else if (record.stream == 0 && record.kind == CHANNEL_CLOSE)
        give_up(channel, "closed by the owner");
    else if (record.stream == 0)
        take_messages(channel, record.bytes);
    else if (owner_streams_take(channel->streams, &record) < 0)
        give_up(channel, "a stream's credit or number is wrong");
}

static void take_message(void *arg, enum ws_kind kind, const void *bytes, size_t len_bytes)
{
    struct owner_channel *channel = arg;
    channel->busy++;
    if (kind != WS_BINARY)
        give_up(channel, "a text message came");
    else if (channel->stage == OWNER_AUTHENTICATED)
        take_record(channel, bytes, len_bytes);
    else
        take_handshake(channel, bytes, len_bytes);
    leave(channel);
}

static void take_drained(void *arg)
{
    struct owner_channel *channel = arg;
    if (channel->stage == OWNER_AUTHENTICATED)
        owner_streams_drained(channel->streams);
}

static void take_close(void *arg, const struct ws_close *close)
{
    struct owner_channel *channel = arg;
    log_debug("channel", "connection closed", "channel=%llu code=%d error=%d http=%d",
              (unsigned long long)channel->number, close->code, close->error, close->http_status);
    channel->busy++;
    channel->ws = NULL;
    channels_ended(channel->controller->channels, channel);
    end_parts(channel);
    leave(channel);
}

static void take_deadline(void *arg)
{
    give_up(arg, "the handshake took too long");
}

static int connect_channel(struct owner_channel *channel)
{
    static const struct ws_ops ops = {
        .on_message = take_message, .on_drained = take_drained, .on_close = take_close};
    static const struct ws_options options = {.message_max_bytes = CHANNEL_RECORD_MAX};
    struct controller *controller = channel->controller;
    char headers[HOST_HEADERS_MAX];
    host_link_headers(controller, headers);
    const struct ws_target target = {.host = controller->boot.data.host,
                                     .port = controller->boot.data.port,
                                     .target = "/v1/channel",
                                     .headers = headers};
    int result =
        ws_connect(controller->loop, controller->tls, &target, &options, &ops, channel, &channel->ws);
    crypto_wipe(headers, sizeof headers);
    return result;
}

int owner_channel_open(struct controller *controller, uint64_t number, struct owner_channel **ret_channel)
{
    struct owner_channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL)
        return -ENOMEM;
    channel->controller = controller;
    channel->number = number;
    int result = loop_timer_create(controller->loop, take_deadline, channel, &channel->deadline);
    if (result == 0)
        result = connect_channel(channel);
    if (result < 0) {
        free_channel(channel);
        return result;
    }
    *ret_channel = channel;
    return 0;
}
