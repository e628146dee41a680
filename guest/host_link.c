/*
 * Host link: see host_link.h.
 */
#include "guest/host_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "guest/controller.h"
#include "guest/host_tell.h"
#include "guest/refusal.h"
#include "protocol/json_write.h"
#include "protocol/link.h"
#include "src/io/backoff.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/random.h"
#include "src/io/rpc.h"
#include "src/io/ws.h"

#define RETRY_FIRST_MS 250
#define RETRY_LAST_MS 8000
#define HELLO_TIMEOUT_MS 10000
#define LOAD_SCALE 65536.0 /* of sysinfo(2) */

struct host_link {
    struct controller *controller; /* borrowed */
    struct ws *ws;                 /* owned, while connecting or connected */
    struct rpc_peer *peer;         /* owned, from the host's nonce on */
    struct link_session session;   /* secret */
    bool up;
    uint8_t nonce[LINK_NONCE_BYTES];
    struct loop_timer *again, *beat; /* owned */
    struct backoff backoff;
    bool tried; /* once, and the host answered: what follows is another try, after a pause */
    struct host_told told;
};

struct controller *host_link_controller(struct host_link *link)
{
    return link->controller;
}

struct host_told *host_link_told(struct host_link *link)
{
    return link->up ? &link->told : NULL;
}

void host_link_headers(const struct controller *controller, char ret_headers[HOST_HEADERS_MAX])
{
    uint8_t token[CRYPTO_HASH_BYTES];
    char hex[TEXT_HEX_BYTES(CRYPTO_HASH_BYTES)], uuid[UUID_TEXT_BYTES];
    register_derive_token(controller->secrets->registration_key, controller->boot.uuid, token);
    hex_encode(token, sizeof token, hex);
    uuid_format(controller->boot.uuid, uuid);
    snprintf(ret_headers, HOST_HEADERS_MAX, "Kiln-VM: %s\r\nAuthorization: Bearer %s\r\n", uuid, hex);
    crypto_wipe(token, sizeof token);
    crypto_wipe(hex, sizeof hex);
}

int host_link_notify(struct host_link *link, const char *method, struct json_writer *params)
{
    int result = json_writer_end(params);
    if (result == 0)
        result = link->up ? rpc_notify(link->peer, method, params->text) : -ENOTCONN;
    json_writer_finish(params);
    return result;
}

static void send_record(void *arg, const char *text, size_t len_bytes)
{
    struct host_link *link = arg;
    uint8_t *record = malloc(len_bytes + LINK_OVERHEAD_BYTES);
    size_t len;
    if (record != NULL && link->ws != NULL &&
        link_session_seal(&link->session, text, len_bytes, record, len_bytes + LINK_OVERHEAD_BYTES, &len) ==
            0)
        ws_send(link->ws, WS_BINARY, record, len);
    free(record);
}

static void heartbeat(void *arg)
{
    struct host_link *link = arg;
    struct sysinfo info;
    struct json_writer out = json_writer_init(0);
    if (sysinfo(&info) == 0) {
        json_write_object_begin(&out, NULL);
        json_write_format(&out, "load", "%.2f", (double)info.loads[0] / LOAD_SCALE);
        json_write_int(&out, "memory_free_kib", (int64_t)((uint64_t)info.freeram * info.mem_unit / 1024));
        json_write_object_end(&out);
    }
    host_link_notify(link, "guest.heartbeat", &out);
    loop_timer_arm(link->beat, link->controller->settings.heartbeat_s * 1000ull);
}

static void drop(struct host_link *link)
{
    loop_timer_disarm(link->beat);
    rpc_peer_destroy(link->peer);
    link->peer = NULL;
    link_session_finish(&link->session);
    link->ws = NULL;
}

static void try_again(struct host_link *link, const char *detail)
{
    loop_timer_arm(link->again, backoff_next(&link->backoff));
    controller_happen_trouble(link->controller, GUEST_ON_HOST_UNREACHABLE, CODE_WEBSOCKET_FAILED, detail);
}

/* Whether it was refused because the host knows of no registration (README 4.3). */
static bool is_unknown(const struct ws_close *close)
{
    const struct code_info *info =
        close->http_body != NULL ? refusal_read(close->http_body, strlen(close->http_body)) : NULL;
    return info != NULL && info->code == CODE_NOT_REGISTERED;
}

static void take_close(void *arg, const struct ws_close *close)
{
    struct host_link *link = arg;
    char detail[96];
    bool was_up = link->up;
    if (close->http_status != 0)
        snprintf(detail, sizeof detail, "the link: HTTP status %d", close->http_status);
    else
        snprintf(detail, sizeof detail, "the link: %s",
                 close->error != 0 ? strerror(-close->error) : "closed by the host");
    log_info("link", "is down", "detail=\"%s\"", detail);
    link->up = false;
    drop(link);
    link->tried = link->tried || is_unknown(close);
    if (was_up)
        controller_happen_plain(link->controller, GUEST_ON_LINK_DOWN);
    else if (is_unknown(close))
        controller_happen_plain(link->controller, GUEST_ON_REGISTRATION_UNKNOWN);
    else
        try_again(link, detail);
}

/* Gives the connection up because of what came on it. */
static void give_up(struct host_link *link, const char *reason)
{
    struct ws *ws = link->ws;
    bool was_up = link->up;
    log_warning("link", "is given up", "reason=\"%s\"", reason);
    link->up = false;
    drop(link);
    ws_close(ws, WS_POLICY, NULL);
    if (was_up)
        controller_happen_plain(link->controller, GUEST_ON_LINK_DOWN);
    else
        try_again(link, reason);
}

static void take_hello(void *arg, const struct rpc_answer *answer)
{
    struct host_link *link = arg;
    if (answer->error != 0 || answer->result == NULL) {
        if (answer->error != -ECONNRESET)
            give_up(link, "the host does not answer");
        return;
    }
    link->up = true;
    backoff_reset(&link->backoff);
    link->tried = true;
    link->told = (struct host_told){.state = -1};
    log_info("link", "is up", "%s", "");
    controller_happen_plain(link->controller, GUEST_ON_LINK_UP);
    heartbeat(link);
}

static void say_hello(struct host_link *link)
{
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "controller", KILN_VERSION);
    json_write_text(&out, "state", guest_state_name(link->controller->machine.head.state));
    json_write_object_end(&out);
    if (json_writer_end(&out) == 0)
        rpc_call(link->peer, "guest.hello", out.text, HELLO_TIMEOUT_MS, take_hello, link);
    json_writer_finish(&out);
}

/* The host's nonce came: from here on every message is a record. */
static void begin_session(struct host_link *link, const uint8_t *nonce_h)
{
    const struct rpc_options options = {.methods = host_methods, .emit = send_record, .arg = link};
    link_session_init(&link->session, LINK_GUEST, link->controller->secrets->boot_secret,
                      link->controller->request_hash, link->nonce, nonce_h);
    if (rpc_peer_create(link->controller->loop, &options, &link->peer) < 0)
        give_up(link, "no memory");
    else
        say_hello(link);
}

static void take_message(void *arg, enum ws_kind kind, const void *bytes, size_t len_bytes)
{
    struct host_link *link = arg;
    struct bytes body;
    if (kind != WS_BINARY)
        give_up(link, "a text message came");
    else if (link->peer == NULL && len_bytes == LINK_NONCE_BYTES)
        begin_session(link, bytes);
    else if (link->peer == NULL)
        give_up(link, "the host's nonce is malformed");
    else if (link_session_open(&link->session, bytes, len_bytes, &body) < 0)
        give_up(link, "a record is not the host's next one");
    else if (rpc_peer_feed(link->peer, (const char *)body.bytes, body.len) < 0)
        give_up(link, "a message is malformed");
}

static void take_open(void *arg)
{
    struct host_link *link = arg;
    random_fill(link->nonce, sizeof link->nonce);
    ws_send(link->ws, WS_BINARY, link->nonce, sizeof link->nonce);
}

static void open_ws(void *arg)
{
    static const struct ws_ops ops = {
        .on_open = take_open, .on_message = take_message, .on_close = take_close};
    struct host_link *link = arg;
    char headers[HOST_HEADERS_MAX];
    host_link_headers(link->controller, headers);
    const struct ws_target target = {.host = link->controller->boot.data.host,
                                     .port = link->controller->boot.data.port,
                                     .target = "/v1/link",
                                     .headers = headers};
    int result =
        ws_connect(link->controller->loop, link->controller->tls, &target, NULL, &ops, link, &link->ws);
    crypto_wipe(headers, sizeof headers);
    if (result < 0) {
        link->ws = NULL;
        try_again(link, strerror(-result));
    }
}

void host_link_open(struct host_link *link)
{
    if (link->ws == NULL && !loop_timer_armed(link->again))
        loop_timer_arm(link->again, link->tried ? backoff_next(&link->backoff) : 0);
}

int host_link_create(struct controller *controller, struct host_link **ret_link)
{
    struct host_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return -ENOMEM;
    link->controller = controller;
    link->backoff = (struct backoff){.first_ms = RETRY_FIRST_MS, .last_ms = RETRY_LAST_MS};
    int result = loop_timer_create(controller->loop, open_ws, link, &link->again);
    if (result == 0)
        result = loop_timer_create(controller->loop, heartbeat, link, &link->beat);
    if (result < 0) {
        host_link_destroy(link);
        return result;
    }
    *ret_link = link;
    return 0;
}

void host_link_destroy(struct host_link *link)
{
    if (link == NULL)
        return;
    struct ws *ws = link->ws;
    link->up = false;
    if (link->beat != NULL)
        drop(link);
    if (ws != NULL)
        ws_close(ws, WS_GOING_AWAY, NULL);
    if (link->again != NULL)
        loop_timer_destroy(link->again);
    if (link->beat != NULL)
        loop_timer_destroy(link->beat);
    free(link);
}
