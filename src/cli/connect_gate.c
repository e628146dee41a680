/*
 * kiln-connect web: the gate. connect_gate.h says what it does.
 */
#include "src/cli/connect_gate.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "protocol/crypto.h"
#include "protocol/wire.h"
#include "src/io/http_parse.h"
#include "src/io/page.h"

void connect_gate_init(struct connect_gate *gate, uint16_t port, const uint8_t first[GATE_SECRET_BYTES],
                       const uint8_t cookie[GATE_SECRET_BYTES])
{
    snprintf(gate->host, sizeof gate->host, "127.0.0.1:%u", (unsigned)port);
    snprintf(gate->name, sizeof gate->name, GATE_COOKIE "%u", (unsigned)port);
    hex_encode(first, GATE_SECRET_BYTES, gate->first);
    hex_encode(cookie, GATE_SECRET_BYTES, gate->cookie);
}

void connect_gate_finish(struct connect_gate *gate)
{
    crypto_wipe(gate, sizeof *gate);
}

/* One Host, and it is ours: a name that somebody led to loopback is another. */
static bool host_is_ours(const struct connect_gate *gate, const struct http_head *head)
{
    size_t hosts = 0;
    for (size_t i = 0; i < head->nfields; i++)
        hosts += strcasecmp(head->fields[i].name, "Host") == 0;
    const char *host = http_head_field(head, "Host");
    return hosts == 1 && strcmp(host, gate->host) == 0;
}

/* Whether LEN bytes are the secret. "" is nobody's. */
static bool is_secret(const char *text, size_t len, const char *secret)
{
    return len > 0 && len == strlen(secret) && wire_equal(text, secret, len);
}

/* Whether one of the cookies is ours. */
static bool has_cookie(const struct connect_gate *gate, const struct http_head *head)
{
    const char *at = http_head_field(head, "Cookie");
    size_t name = strlen(gate->name);
    while (at != NULL && *at != '\0') {
        at += strspn(at, "; \t");
        size_t len = strcspn(at, ";");
        if (len > name && strncmp(at, gate->name, name) == 0 && at[name] == '=' &&
            is_secret(at + name + 1, len - name - 1, gate->cookie))
            return true;
        at += len;
    }
    return false;
}

/* What browsers say of whoever made the request: another origin's page, though perhaps of the same host. */
static bool is_led_here(const struct http_head *head)
{
    const char *site = http_head_field(head, "Sec-Fetch-Site");
    return site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

static enum gate_verdict judge_start(struct connect_gate *gate, const struct http_head *head)
{
    const char *secret = head->path + strlen(GATE_START);
    if (is_secret(secret, strlen(secret), gate->first)) {
        crypto_wipe(gate->first, sizeof gate->first);
        return GATE_BEGIN;
    }
    return has_cookie(gate, head) ? GATE_HOME : GATE_REFUSED;
}

enum gate_verdict connect_gate_judge(struct connect_gate *gate, const struct http_head *head, bool websocket)
{
    if (!host_is_ours(gate, head) || page_is_foreign(head, "http"))
        return GATE_REFUSED;
    if (strncmp(head->path, GATE_START, strlen(GATE_START)) == 0)
        return websocket ? GATE_REFUSED : judge_start(gate, head);
    if (is_led_here(head) || (websocket && http_head_field(head, "Origin") == NULL))
        return GATE_REFUSED;
    return has_cookie(gate, head) ? GATE_PASS : GATE_REFUSED;
}
