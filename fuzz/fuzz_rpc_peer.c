/* links: kiln_io */
/*
 * JSON-RPC messages of a hostile peer, a line each, some of them answers to our calls. Claims: each request
 * is answered exactly once, malformed text with the error that ends the carrier; what we say is well formed;
 * each call of ours ends exactly once.
 */
#include <errno.h>
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/rpc_message.h"
#include "src/io/loop.h"
#include "src/io/rpc.h"

enum { CALLS = 3, LATER_MAX = 16 };

struct seen {
    size_t calls, answers, ended[CALLS];
    struct rpc_request *later[LATER_MAX];
    size_t nlater;
};

static void emit(void *arg, const char *text, size_t len)
{
    struct seen *seen = arg;
    struct rpc_message message;
    char id[RPC_MESSAGE_ID_BYTES];
    CLAIM(rpc_message_decode(text, len, &json_limits_channel, &message, id) == 0 && !memchr(text, '\n', len));
    if (message.kind == RPC_MESSAGE_REQUEST)
        seen->calls++;
    else
        seen->answers++;
    rpc_message_finish(&message);
}

static void handle_now(struct rpc_request *request, const struct json *params, void *arg)
{
    (void)arg;
    if (json_member(params, "wrong"))
        rpc_fail_parameter(request, "wrong");
    else
        rpc_reply(request, "[1]");
}

static void handle_later(struct rpc_request *request, const struct json *params, void *arg)
{
    struct seen *seen = arg;
    (void)params;
    if (request && seen->nlater < LATER_MAX)
        seen->later[seen->nlater++] = request;
    else
        rpc_fail_code(request, CODE_LIMIT_REACHED, NULL);
}

static const struct rpc_method methods[] = {{"now", handle_now}, {"later", handle_later}, {NULL, NULL}};

static void call_ended(void *arg, const struct rpc_answer *answer)
{
    CLAIM(answer->name && answer->detail && (answer->code == 0 || (answer->message && !answer->result)));
    ++*(size_t *)arg;
}

/* Whether the peer must be answered, as told by the decoder alone. */
static bool wants_answer(const char *text, size_t len)
{
    struct rpc_message message;
    char id[RPC_MESSAGE_ID_BYTES];
    if (rpc_message_decode(text, len, NULL, &message, id) < 0)
        return true;
    bool wants = message.kind == RPC_MESSAGE_REQUEST;
    rpc_message_finish(&message);
    return wants;
}

/* Feeds line after line until one ends the carrier. Returns how many must have been answered. */
static size_t feed(struct rpc_peer *peer, const char *text, size_t size)
{
    size_t wanted = 0;
    int error = 0;
    while (size > 0 && error == 0) {
        const char *newline = memchr(text, '\n', size);
        size_t len = newline ? (size_t)(newline - text) : size;
        wanted += wants_answer(text, len);
        error = rpc_peer_feed(peer, text, len);
        CLAIM(error == 0 || error == -EBADMSG);
        text += newline ? len + 1 : len;
        size -= newline ? len + 1 : len;
    }
    return wanted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct loop *loop;
    struct seen seen = {.calls = 0};
    struct rpc_options options = {.methods = methods, .emit = emit, .arg = &seen};
    struct rpc_peer *peer;
    if (!loop)
        CLAIM(loop_create(&loop) == 0);
    CLAIM(rpc_peer_create(loop, &options, &peer) == 0);
    for (int i = 0; i < CALLS; i++)
        CLAIM(rpc_call(peer, "ask", "{}", i == 0 ? 0 : 3600000, call_ended, &seen.ended[i]) == 0);
    size_t wanted = feed(peer, (const char *)data, size);
    CLAIM(rpc_peer_open_requests(peer) == seen.nlater && seen.answers + seen.nlater == wanted);
    for (size_t i = 0; i < seen.nlater / 2; i++)
        rpc_reply(seen.later[i], NULL);
    CLAIM(seen.answers + seen.nlater - seen.nlater / 2 == wanted && seen.calls == CALLS);
    rpc_peer_destroy(peer);
    for (size_t i = seen.nlater / 2; i < seen.nlater; i++)
        rpc_reply(seen.later[i], NULL);
    for (int i = 0; i < CALLS; i++)
        CLAIM(seen.ended[i] == 1);
    return 0;
}
