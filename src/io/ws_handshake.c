/*
 * WebSocket handshake: see ws_handshake.h. SHA-1 is what RFC 6455 names; nothing rests on its strength.
 */
#include "src/io/ws_handshake.h"

#include <mbedtls/md.h>
#include <stdio.h>
#include <string.h>

#include "protocol/text.h"
#include "src/io/http_parse.h"
#include "src/io/random.h"

#define KEY_RAW_BYTES 16
#define SHA1_BYTES 20
#define MAGIC "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 1.3 */

void ws_handshake_key(char ret_key[WS_KEY_BYTES])
{
    unsigned char raw[KEY_RAW_BYTES];
    random_fill(raw, sizeof(raw));
    base64_encode(raw, sizeof(raw), ret_key);
}

void ws_handshake_accept(const char *key, char ret_accept[WS_ACCEPT_BYTES])
{
    char text[WS_KEY_BYTES + sizeof(MAGIC)];
    unsigned char hash[SHA1_BYTES];
    snprintf(text, sizeof(text), "%s%s", key, MAGIC);
    mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA1), (const unsigned char *)text, strlen(text), hash);
    base64_encode(hash, sizeof(hash), ret_accept);
}

static bool key_is_good(const char *key)
{
    unsigned char raw[KEY_RAW_BYTES];
    size_t len;
    return key != NULL && strlen(key) == WS_KEY_BYTES - 1 &&
           base64_decode(key, WS_KEY_BYTES - 1, raw, sizeof(raw), &len) == 0 && len == sizeof(raw);
}

bool ws_handshake_asks(const struct http_head *head)
{
    const char *version = http_head_field(head, "Sec-WebSocket-Version");
    return head->method != NULL && strcmp(head->method, "GET") == 0 && head->minor >= 1 && version != NULL &&
           strcmp(version, WS_VERSION) == 0 && http_head_has_token(head, "Connection", "upgrade") &&
           http_head_has_token(head, "Upgrade", "websocket") &&
           key_is_good(http_head_field(head, "Sec-WebSocket-Key"));
}

bool ws_handshake_accepts(const struct http_head *head, const char *key)
{
    char want[WS_ACCEPT_BYTES];
    const char *got = http_head_field(head, "Sec-WebSocket-Accept");
    ws_handshake_accept(key, want);
    return head->status == 101 && got != NULL && strcmp(got, want) == 0 &&
           http_head_has_token(head, "Connection", "upgrade") &&
           http_head_has_token(head, "Upgrade", "websocket") &&
           http_head_field(head, "Sec-WebSocket-Extensions") == NULL;
}
