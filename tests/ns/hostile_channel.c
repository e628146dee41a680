/*
 * Hostile channel: see hostile_channel.h.
 */
#include "tests/ns/hostile_channel.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/channel.h"
#include "protocol/crypto.h"
#include "protocol/wire.h"
#include "src/io/ws.h"
#include "tests/ns/hostile.h"
#include "tests/ns/malice.h"

#define POINT_AT 7   /* of the ephemeral point in HELLO_O and HELLO_V: type, version, a field's length */
#define TRUNCATED 8  /* bytes cut off a record */
#define KEPT_TYPES 5 /* of handshake messages, from 1 */

struct message {
    uint8_t bytes[WS_MESSAGE_MAX];
    size_t len;
};

/* What is known of one direction: to the guest ("up") or to the owner ("down"). */
struct direction {
    const char *name;
    struct message last, held;
};

int __real_ws_send(struct ws *ws, enum ws_kind kind, const void *bytes, size_t len);
int __wrap_ws_send(struct ws *ws, enum ws_kind kind, const void *bytes, size_t len);

static bool is_left;
static const struct ws *guest; /* where the last HELLO_O went */
static struct direction up = {.name = "up"}, down = {.name = "down"};
static struct message kept[KEPT_TYPES]; /* of the first handshake, by type */

void hostile_channel_leave(bool left)
{
    is_left = left;
}

static bool is_armed(const struct direction *direction, const char *deed, char name[48])
{
    snprintf(name, 48, "channel-%s-%s", deed, direction->name);
    return malice_armed(name, NULL, 0);
}

static bool take_armed(const struct direction *direction, const char *deed)
{
    char name[48];
    bool armed = is_armed(direction, deed, name);
    if (armed)
        malice_done(name);
    return armed;
}

/* ---- handshake ---- */

static void put_own_point(struct message *message)
{
    struct crypto_ecdh *ecdh;
    if (crypto_ecdh_create(hostile_random, NULL, &ecdh) < 0)
        abort();
    crypto_ecdh_public(ecdh, message->bytes + POINT_AT);
    crypto_ecdh_destroy(ecdh);
}

static void pass_handshake(struct ws *ws, struct message *message)
{
    static const char *const points[KEPT_TYPES] = {NULL, "hello-owner-point", "hello-vm-point", NULL, NULL};
    static const char *const flips[KEPT_TYPES] = {NULL, "hello-owner-flip", "hello-vm-flip",
                                                  "auth-owner-flip", "auth-vm-flip"};
    const unsigned type = message->bytes[0];
    if (kept[type].len == 0)
        kept[type] = *message;
    if (points[type] != NULL && malice_armed(points[type], NULL, 0)) {
        put_own_point(message);
        malice_done(points[type]);
    }
    if (malice_armed(flips[type], NULL, 0)) {
        message->bytes[message->len - 1] ^= 1;
        malice_done(flips[type]);
    }
    /* The first handshake's two messages of the owner, to a guest of now. */
    if ((type == 1 || type == 3) && malice_armed("handshake-old", NULL, 0)) {
        *message = kept[type];
        if (type == 3)
            malice_done("handshake-old");
    }
    __real_ws_send(ws, WS_BINARY, message->bytes, message->len);
}

/* ---- records ---- */

/* Whether the record is held back, so that the next one overtakes it. The first one is let go: what is asked
 * in it may have to be answered before there is a second. */
static bool is_held(struct direction *direction, const struct message *message)
{
    char name[48];
    if (direction->held.len > 0 || wire_get_u64(message->bytes) == 0 || !is_armed(direction, "swap", name))
        return false;
    direction->held = *message;
    return true;
}

static void pass_record(struct ws *ws, struct direction *direction, struct message *message)
{
    struct direction *other = direction == &up ? &down : &up;
    direction->last = *message;
    if (take_armed(direction, "flip"))
        message->bytes[message->len - 1] ^= 1;
    if (take_armed(direction, "truncate"))
        message->len -= TRUNCATED;
    if (other->last.len > 0 && take_armed(direction, "reflect"))
        *message = other->last;
    if (take_armed(direction, "drop") || is_held(direction, message))
        return;
    __real_ws_send(ws, WS_BINARY, message->bytes, message->len);
    if (direction->held.len > 0) {
        __real_ws_send(ws, WS_BINARY, direction->held.bytes, direction->held.len);
        direction->held.len = 0;
        take_armed(direction, "swap");
    }
    if (take_armed(direction, "repeat"))
        __real_ws_send(ws, WS_BINARY, message->bytes, message->len);
    if (take_armed(direction, "forge")) {
        wire_put_u64(message->bytes, wire_get_u64(message->bytes) + 1);
        __real_ws_send(ws, WS_BINARY, message->bytes, message->len);
    }
}

int __wrap_ws_send(struct ws *ws, enum ws_kind kind, const void *bytes, size_t len)
{
    static struct message message;
    const uint8_t *begin = bytes;
    if (kind != WS_BINARY || is_left || len == 0 || len > sizeof message.bytes)
        return __real_ws_send(ws, kind, bytes, len);
    memcpy(message.bytes, bytes, len);
    message.len = len;
    if (begin[0] == 1) {
        guest = ws;
        up.held.len = down.held.len = 0;
    }
    /* A record begins with its counter, whose first byte stays 0 for longer than any test lives. */
    if (begin[0] > 0 && begin[0] < KEPT_TYPES)
        pass_handshake(ws, &message);
    else
        pass_record(ws, ws == guest ? &up : &down, &message);
    return 0;
}
