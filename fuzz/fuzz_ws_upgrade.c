/* links: kiln_io */
/*
 * The upgrade to a WebSocket, from a hostile peer: what asks us for one, and what answers when we asked.
 * Input: our role, then the peer's bytes; in an answer '@' is the Sec-WebSocket-Accept that we wait for.
 * Claims: 101 is said to nothing but RFC 6455 4.2.1, with the right accept, once; ours is open after nothing
 * but 4.1's answer; how the bytes were cut changes nothing.
 */
#include "fuzz/pair_server.h"
#include "src/io/http_parse.h"
#include "src/io/stream.h"
#include "src/io/ws_private.h"

struct seen {
    size_t asked, opened, messages, closes;
    int status;
    struct ws *ws;
};

static void on_open(void *arg)
{
    ((struct seen *)arg)->opened++;
}

static void on_message(void *arg, enum ws_kind kind, const void *bytes, size_t len)
{
    struct seen *seen = arg;
    (void)kind;
    (void)bytes;
    (void)len;
    CLAIM(seen->opened == 1 && seen->closes == 0);
    seen->messages++;
}

static void on_close(void *arg, const struct ws_close *close)
{
    struct seen *seen = arg;
    CLAIM(seen->closes == 0 && (close->http_status == 0 || seen->opened == 0));
    seen->status = close->http_status;
    seen->ws = NULL;
    seen->closes++;
}

static const struct ws_ops ops = {.on_open = on_open, .on_message = on_message, .on_close = on_close};

/* RFC 6455 4.2.1, read by another reader than ours. */
static void check_asked(const struct http_head *head)
{
    const char *key = http_head_field(head, "Sec-WebSocket-Key"), *upgrade = http_head_field(head, "Upgrade");
    CLAIM(strcmp(head->method, "GET") == 0 && head->minor == 1 && http_head_field(head, "Host"));
    CLAIM(upgrade && strcasestr(upgrade, "websocket") &&
          strcasestr(http_head_field(head, "Connection"), "upgrade"));
    CLAIM(strcmp(http_head_field(head, "Sec-WebSocket-Version"), "13") == 0);
    CLAIM(key && strlen(key) == 24 &&
          strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") == 22 &&
          strcmp(key + 22, "==") == 0);
}

static void handle(struct http_request *request, void *arg)
{
    struct seen *seen = arg;
    seen->asked++;
    if (!ws_is_upgrade(request)) {
        http_answer(request, 400, "text/plain", "", 0);
        return;
    }
    check_asked(http_request_head(request));
    CLAIM(seen->opened == 0 && ws_accept(request, NULL, &ops, seen, &seen->ws) == 0);
    seen->opened++;
}

static struct seen play_server(const uint8_t *data, size_t size, bool whole)
{
    static const struct http_route routes[] = {{"GET", "/*", 0, handle}};
    static struct pair pair;
    static struct pair_server server;
    static struct seen seen;
    if (server.server == NULL) {
        close(pair_open(&pair));
        close(pair.far);
        pair_server_open(&server, pair.loop,
                         (struct http_server_config){.routes = routes, .nroutes = 1, .arg = &seen});
    }
    seen = (struct seen){.asked = 0};
    pair_server_play(&server, &pair, data, size, whole);
    CLAIM(http_server_connections(server.server) == 0 && seen.closes == seen.opened);
    return seen;
}

/* The peer's answer with the accept of KEY put in for each '@'; the caller frees it. */
static uint8_t *make_answer(const char *key, const uint8_t *data, size_t size, size_t *ret_len)
{
    char accept[WS_ACCEPT_BYTES];
    uint8_t *text = malloc(size * WS_ACCEPT_BYTES + 1);
    size_t len = 0;
    CLAIM(text);
    ws_handshake_accept(key, accept);
    for (size_t i = 0; i < size; i++) {
        size_t take = data[i] == '@' ? WS_ACCEPT_BYTES - 1 : 1;
        memcpy(text + len, data[i] == '@' ? (const uint8_t *)accept : data + i, take);
        len += take;
    }
    *ret_len = len;
    return text;
}

static struct seen play_client(const uint8_t *data, size_t size, bool whole)
{
    static struct pair pair;
    struct seen seen = {.asked = 0};
    size_t len;
    int near = pair_open(&pair);
    CLAIM(ws_create(pair.loop, NULL, &ops, &seen, &seen.ws) == 0);
    ws_handshake_key(seen.ws->key);
    seen.ws->request = strdup("GET / HTTP/1.1\r\n\r\n");
    CLAIM(seen.ws->request);
    uint8_t *answer = make_answer(seen.ws->key, data, size, &len);
    CLAIM(stream_accept(pair.loop, near, NULL, &ws_stream_ops, seen.ws, &seen.ws->stream) == 0);
    pair_send(&pair, answer, len, whole);
    pair_close(&pair);
    CLAIM(seen.closes == 1 && (seen.opened == 0 || memmem(answer, len, "101", 3)));
    free(answer);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen (*play)(const uint8_t *, size_t, bool) = size > 0 && data[0] & 1 ? play_server : play_client;
    if (size == 0)
        return 0;
    struct seen whole = play(data + 1, size - 1, true), cut = play(data + 1, size - 1, false);
    CLAIM(whole.opened == cut.opened && whole.messages == cut.messages && whole.asked == cut.asked);
    CLAIM(whole.status == cut.status);
    return 0;
}
