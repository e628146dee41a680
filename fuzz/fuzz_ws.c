/* links: kiln_io */
/*
 * Frames of a WebSocket from a hostile peer. Input: our role, then the peer's bytes. Claims: messages are
 * within the limit, texts are UTF-8, there is one close and nothing after it; how the bytes were cut changes
 * nothing.
 */
#include "fuzz/pair.h"
#include "protocol/text.h"
#include "src/io/stream.h"
#include "src/io/ws_private.h"

enum { MESSAGE_MAX = 1000 };

struct seen {
    uint64_t sum;
    size_t messages, closes;
};

static void on_message(void *arg, enum ws_kind kind, const void *bytes, size_t len)
{
    struct seen *seen = arg;
    CLAIM(seen->closes == 0 && len <= MESSAGE_MAX && (kind == WS_TEXT || kind == WS_BINARY));
    CLAIM(kind != WS_TEXT || utf8_valid_prefix(bytes, len) == len);
    seen->sum = pair_mix(seen->sum, &kind, sizeof kind);
    seen->sum = pair_mix(seen->sum, &len, sizeof len);
    seen->sum = pair_mix(seen->sum, bytes, len);
    seen->messages++;
}

static void on_close(void *arg, const struct ws_close *close)
{
    struct seen *seen = arg;
    CLAIM(seen->closes == 0 && close->reason && strlen(close->reason) <= 123);
    CLAIM(close->code >= 1000 && close->code < 5000);
    seen->closes++;
}

static struct seen play(bool server, const uint8_t *data, size_t size, bool whole)
{
    static const struct ws_ops ops = {.on_message = on_message, .on_close = on_close};
    static const struct ws_options options = {.message_max_bytes = MESSAGE_MAX};
    static struct pair pair;
    struct seen seen = {.closes = 0};
    struct ws *ws;
    int near = pair_open(&pair);
    CLAIM(ws_create(pair.loop, &options, &ops, &seen, &ws) == 0);
    CLAIM(stream_accept(pair.loop, near, NULL, &ws_stream_ops, ws, &ws->stream) == 0);
    CLAIM(ws_become_open(ws, server) == 0);
    pair_send(&pair, data, size, whole);
    pair_close(&pair);
    CLAIM(seen.closes == 1);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    bool server = data[0] & 1;
    struct seen whole = play(server, data + 1, size - 1, true);
    struct seen cut = play(server, data + 1, size - 1, false);
    CLAIM(whole.messages == cut.messages && whole.sum == cut.sum);
    return 0;
}
