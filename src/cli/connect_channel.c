/*
 * kiln-connect: the end-to-end channel. connect_channel.h says what it does.
 *
 * WebSocket messages go to the handshake until both sides are authenticated, then to the records; stream 0
 * goes to JSON-RPC.
 */
#include "src/cli/connect_channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/handshake.h"
#include "src/cli/connect_vouch.h"
#include "src/io/loop.h"
#include "src/io/rpc.h"
#include "src/io/ws.h"

/* A VM's first channel waits a moment after it has registered, its next one a moment after one was taken, and
 * that of a controller that crashed once the stub has started another. */
enum { PATH_BYTES = 80, CALL_TIMEOUT_MS = 60000, WAITING_TRIES = 40, WAITING_STEP_MS = 500 };

struct connect_channel {
    struct connect *connect; /* borrowed */
    struct connect_vouch vouch;
    struct ws *ws;               /* owned; NULL: ended */
    struct handshake *handshake; /* owned, until it is done */
    struct channel *records;     /* owned, from then on */
    struct channel_assembly assembly;
    struct rpc_peer *peer; /* owned */
    bool opened, failed;   /* how opening went; failed: said to the user, */
    bool none_waiting;     /* unless this is why, and it is not the last try */
    int tries_left;
    const struct connect_channel_ops *ops;
    void *ops_arg;
};

static const struct connect_channel_ops no_ops;

static void end(struct connect_channel *channel)
{
    if (channel->ws) {
        ws_close(channel->ws, WS_ABNORMAL, NULL);
        channel->ws = NULL;
    }
    channel->failed = true;
    if (channel->ops->on_end)
        channel->ops->on_end(channel->ops_arg);
}

static int send_record(void *arg, const uint8_t *record, size_t len)
{
    struct connect_channel *channel = arg;
    return channel->ws ? ws_send(channel->ws, WS_BINARY, record, len) : -EPIPE;
}

static void send_text(void *arg, const char *text, size_t len_bytes)
{
    struct connect_channel *channel = arg;
    if (channel_send_message(channel->records, text, len_bytes, send_record, channel) < 0)
        end(channel);
}

/* cppcheck-suppress constParameter; its type is rpc's */
static bool take_notification(struct rpc_request *request, const char *method, const struct json *params,
                              void *arg)
{
    struct connect_channel *channel = arg;
    if (request)
        return false;
    if (channel->ops->on_notification)
        channel->ops->on_notification(channel->ops_arg, method, params);
    return true;
}

static int take_text(struct connect_channel *channel, struct bytes piece)
{
    struct bytes message;
    int error = channel_assembly_feed(&channel->assembly, piece);
    while (!error && channel->ws && channel_assembly_next(&channel->assembly, &message) == 1)
        error = rpc_peer_feed(channel->peer, (const char *)message.bytes, message.len);
    return error;
}

static int take_record(struct connect_channel *channel, const void *bytes, size_t len)
{
    struct channel_record record;
    int error = channel_open(channel->records, bytes, len, &record);
    if (error)
        return error;
    if (record.kind == CHANNEL_CLOSE)
        return -ECONNRESET;
    if (record.stream == 0)
        return take_text(channel, record.bytes);
    if (channel->ops->on_stream)
        channel->ops->on_stream(channel->ops_arg, &record);
    return 0;
}

/* Both sides are authenticated: from now on records. */
static int begin_records(struct connect_channel *channel)
{
    struct channel_keys keys;
    const struct rpc_options options = {.message_max_bytes = CHANNEL_MESSAGE_MAX,
                                        .emit = send_text,
                                        .fallback = take_notification,
                                        .arg = channel};
    int error = handshake_keys(channel->handshake, &keys);
    if (!error)
        error = channel_create(&keys, &channel->records);
    crypto_wipe(&keys, sizeof keys);
    if (!error)
        error = rpc_peer_create(channel->connect->loop, &options, &channel->peer);
    handshake_destroy(channel->handshake);
    channel->handshake = NULL;
    channel->opened = !error;
    return error;
}

static int take_handshake(struct connect_channel *channel, const void *bytes, size_t len)
{
    uint8_t out[HANDSHAKE_MESSAGE_MAX];
    size_t out_len = 0;
    int error = handshake_feed(channel->handshake, bytes, len, out, &out_len);
    if (!error && out_len > 0)
        error = ws_send(channel->ws, WS_BINARY, out, out_len);
    if (!error && handshake_done(channel->handshake))
        error = begin_records(channel);
    return error;
}

static void on_open(void *arg)
{
    struct connect_channel *channel = arg;
    uint8_t out[HANDSHAKE_MESSAGE_MAX];
    size_t len;
    if (handshake_start(channel->handshake, out, &len) < 0 || ws_send(channel->ws, WS_BINARY, out, len) < 0)
        end(channel);
}

static void on_message(void *arg, enum ws_kind kind, const void *bytes, size_t len_bytes)
{
    struct connect_channel *channel = arg;
    bool before = channel->handshake != NULL;
    int error = kind != WS_BINARY ? -EBADMSG
                : before          ? take_handshake(channel, bytes, len_bytes)
                                  : take_record(channel, bytes, len_bytes);
    if (!error || !channel->ws)
        return;
    if (before)
        cli_failure(NULL, "the VM did not prove that it is the one the host vouched for", NULL);
    end(channel);
}

static void on_close(void *arg, const struct ws_close *close)
{
    struct connect_channel *channel = arg;
    channel->ws = NULL;
    channel->none_waiting =
        !channel->opened && close->http_body && strstr(close->http_body, "\"NO_CHANNEL\"") != NULL;
    if (!channel->opened && (!channel->none_waiting || channel->tries_left == 0))
        connect_say_close(close, "the channel");
    end(channel);
}

static int start(struct connect_channel *channel, const struct json *vm)
{
    static const struct ws_ops ops = {on_open, on_message, NULL, on_close};
    struct connect *connect = channel->connect;
    struct connect_vouch *vouch = &channel->vouch;
    struct handshake_config config = {.role = HANDSHAKE_OWNER,
                                      .own_key = connect->key,
                                      .peer_key = vouch->vm_key,
                                      .binding = {vouch->bytes, vouch->len},
                                      .random = connect_random};
    char path[PATH_BYTES], headers[128];
    memcpy(config.uuid, vouch->binding.uuid, sizeof config.uuid);
    memcpy(config.nonce_o, vouch->nonce_o, sizeof config.nonce_o);
    if (handshake_create(&config, &channel->handshake) < 0)
        return cli_local_error("the handshake cannot begin");
    snprintf(path, sizeof path, "/v1/vms/%.36s/channel", connect_text(vm, "id"));
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", connect->token);
    struct ws_target target = {
        .host = connect->host, .port = connect->port, .target = path, .headers = headers};
    int error = ws_connect(connect->loop, connect->tls, &target, NULL, &ops, channel, &channel->ws);
    return error ? cli_unreachable_error("the channel: %s", strerror(-error)) : CLI_OK;
}

/* Until it is opened or has failed. */
static int try_once(struct connect_channel *channel, const struct json *vm)
{
    handshake_destroy(channel->handshake);
    channel->handshake = NULL;
    channel->failed = channel->none_waiting = false;
    int exit_code = start(channel, vm);
    while (exit_code == CLI_OK && !channel->opened && !channel->failed)
        loop_step(channel->connect->loop, true);
    return exit_code;
}

int connect_channel_open(struct connect *connect, const struct json *vm, struct connect_channel **ret_channel)
{
    struct connect_channel *channel = calloc(1, sizeof *channel);
    if (!channel)
        return cli_local_error("out of memory");
    channel->connect = connect;
    channel->ops = &no_ops;
    int exit_code = connect_vouch_ask(connect, vm, &channel->vouch);
    channel->tries_left = WAITING_TRIES;
    while (exit_code == CLI_OK && !channel->opened && channel->tries_left-- > 0) {
        exit_code = try_once(channel, vm);
        if (!channel->none_waiting)
            break;
        connect_pause(connect, WAITING_STEP_MS);
    }
    if (exit_code == CLI_OK && !channel->opened)
        exit_code = CLI_UNREACHABLE;
    if (exit_code != CLI_OK) {
        connect_channel_close(channel);
        return exit_code;
    }
    *ret_channel = channel;
    return CLI_OK;
}

void connect_channel_set_ops(struct connect_channel *channel, const struct connect_channel_ops *ops,
                             void *arg)
{
    channel->ops = ops ? ops : &no_ops;
    channel->ops_arg = arg;
}

/* Waits until what was sent is with the kernel, so that the close record is not lost with the process. */
static void drain(struct connect_channel *channel)
{
    for (int turns = 0; turns < 1000 && channel->ws && ws_queued_bytes(channel->ws) > 0; turns++)
        loop_step(channel->connect->loop, true);
}

void connect_channel_close(struct connect_channel *channel)
{
    if (!channel)
        return;
    channel->ops = &no_ops;
    if (channel->ws && channel->records) {
        connect_channel_send(channel, 0, CHANNEL_CLOSE, NULL, 0);
        drain(channel);
    }
    if (channel->ws)
        ws_close(channel->ws, WS_NORMAL, NULL);
    rpc_peer_destroy(channel->peer);
    handshake_destroy(channel->handshake);
    channel_destroy(channel->records);
    channel_assembly_finish(&channel->assembly);
    connect_vouch_finish(&channel->vouch);
    free(channel);
}

int connect_channel_send(struct connect_channel *channel, uint32_t stream, enum channel_kind kind,
                         const void *bytes, size_t len)
{
    static uint8_t record[CHANNEL_RECORD_MAX];
    size_t record_len;
    int error = channel_seal(channel->records, stream, kind, bytes, len, record, &record_len);
    return error ? error : send_record(channel, record, record_len);
}

int connect_channel_send_credit(struct connect_channel *channel, uint32_t stream, uint32_t credit)
{
    static uint8_t record[CHANNEL_RECORD_MAX];
    size_t record_len;
    int error = channel_seal_credit(channel->records, stream, credit, record, &record_len);
    return error ? error : send_record(channel, record, record_len);
}

const struct binding *connect_channel_binding(const struct connect_channel *channel)
{
    return &channel->vouch.binding;
}

struct waiting_call {
    bool done;
    struct connect_result *result;
};

static struct json *copy_of(const struct json *value)
{
    struct json *copy = NULL;
    struct json_writer text = json_writer_init(0);
    json_write_value(&text, NULL, value);
    if (json_parse(text.text, text.len, &json_limits_channel, &copy) < 0)
        copy = NULL;
    json_writer_finish(&text);
    return copy;
}

static void on_answered(void *arg, const struct rpc_answer *answer)
{
    struct waiting_call *call = arg;
    struct connect_result *result = call->result;
    call->done = true;
    result->failed = answer->error || answer->code;
    if (answer->error) {
        result->exit_code = cli_unreachable_error("the VM's channel: %s", strerror(-answer->error));
    } else if (answer->code) {
        snprintf(result->name, sizeof result->name, "%s", answer->name ? answer->name : "");
        snprintf(result->words, sizeof result->words, "%s", answer->message ? answer->message : "");
        snprintf(result->detail, sizeof result->detail, "%s", answer->detail ? answer->detail : "");
    } else {
        result->result = answer->result ? copy_of(answer->result) : NULL;
    }
}

void connect_channel_ask(struct connect_channel *channel, const char *method, const char *params,
                         uint32_t timeout_ms, struct connect_result *ret_result)
{
    struct waiting_call call = {false, ret_result};
    *ret_result = (struct connect_result){.exit_code = CLI_OK};
    int error = channel->ws
                    ? rpc_call(channel->peer, method, params ? params : "{}", timeout_ms, on_answered, &call)
                    : -ECONNRESET;
    if (error) {
        ret_result->failed = true;
        ret_result->exit_code = cli_unreachable_error("the VM's channel: %s", strerror(-error));
        return;
    }
    while (!call.done && channel->ws)
        loop_step(channel->connect->loop, true);
    if (call.done)
        return;
    rpc_forget(channel->peer, on_answered, &call);
    ret_result->failed = true;
    ret_result->exit_code = cli_unreachable_error("the VM closed the channel");
}

int connect_channel_call(struct connect_channel *channel, const char *method, const char *params,
                         struct json **ret_result)
{
    struct connect_result result;
    connect_channel_ask(channel, method, params, CALL_TIMEOUT_MS, &result);
    if (result.exit_code != CLI_OK)
        return result.exit_code;
    if (result.failed)
        return cli_failure(*result.name ? result.name : NULL, result.words, result.detail);
    if (ret_result)
        *ret_result = result.result;
    else
        json_destroy(result.result);
    return CLI_OK;
}

static void on_ignored(void *arg, const struct rpc_answer *answer)
{
    (void)arg;
    (void)answer;
}

void connect_channel_tell(struct connect_channel *channel, const char *method, const char *params)
{
    if (channel->ws && rpc_call(channel->peer, method, params, CALL_TIMEOUT_MS, on_ignored, channel) < 0)
        end(channel);
}
