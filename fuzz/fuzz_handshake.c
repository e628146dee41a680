/* links: kiln_protocol */
/*
 * The handshake against a stranger: whatever is sent in whatever turn, it never ends authenticated and hands
 * out no keys. Input: a role, then messages as u16 length and bytes; a message of length 0xffff is the right
 * first message. And against somebody in between (role 2): bytes of the messages of two honest sides are
 * changed, by four bytes each (message, place, change); who ends authenticated has had all unchanged.
 */
#include <errno.h>
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/handshake.h"
#include "protocol/wire.h"
#include "tests/unit/protocol_random.h"

static struct fixed_random source;
static struct crypto_rsa *keys[2];

static struct handshake *open_side(enum handshake_role role)
{
    struct handshake *handshake;
    struct handshake_config config = {.role = role,
                                      .own_key = keys[role],
                                      .peer_key = keys[!role],
                                      .binding = {(const uint8_t *)"b", 1},
                                      .uuid = {1},
                                      .random = fixed_random_fill,
                                      .random_arg = &source};
    CLAIM(handshake_create(&config, &handshake) == 0);
    return handshake;
}

/* The right message with which a stranger may well begin: it needs no key. */
static size_t right_hello(enum handshake_role peer, uint8_t out[HANDSHAKE_MESSAGE_MAX])
{
    uint8_t hello[HANDSHAKE_MESSAGE_MAX];
    size_t len;
    struct handshake *owner = open_side(HANDSHAKE_OWNER), *vm = open_side(HANDSHAKE_VM);
    CLAIM(handshake_start(owner, out, &len) == 0);
    if (peer == HANDSHAKE_VM) {
        memcpy(hello, out, len);
        CLAIM(handshake_feed(vm, hello, len, out, &len) == 0);
    }
    handshake_destroy(owner);
    handshake_destroy(vm);
    return len;
}

static void play(struct handshake *side, enum handshake_role role, struct wire_reader *input)
{
    uint8_t out[HANDSHAKE_MESSAGE_MAX], right[HANDSHAKE_MESSAGE_MAX];
    struct channel_keys found;
    size_t len;
    for (int turns = 0; turns < 4 && input->left > 0; turns++) {
        uint16_t wanted = wire_read_u16(input);
        struct bytes message = {right, 0};
        if (wanted == 0xffff)
            message.len = right_hello(!role, right);
        else
            message = wire_read_bytes(input, wanted < input->left ? wanted : input->left);
        if (input->bad)
            return;
        handshake_feed(side, message.bytes, message.len, out, &len);
        CLAIM(!handshake_done(side) && handshake_keys(side, &found) != 0);
    }
}

/* Changes the message as the input says; whether it is another one then. */
static bool tamper(struct wire_reader input, int message, uint8_t *bytes, size_t len)
{
    uint8_t right[HANDSHAKE_MESSAGE_MAX];
    memcpy(right, bytes, len);
    while (input.left >= 4) {
        bool meant = wire_read_u8(&input) % 4 == message;
        size_t place = wire_read_u16(&input) % len;
        uint8_t change = wire_read_u8(&input);
        bytes[place] ^= meant ? change : 0;
    }
    return memcmp(right, bytes, len) != 0;
}

static void play_between(struct wire_reader input)
{
    uint8_t messages[5][HANDSHAKE_MESSAGE_MAX];
    size_t len;
    struct handshake *sides[2] = {open_side(HANDSHAKE_OWNER), open_side(HANDSHAKE_VM)};
    struct channel_keys found[2];
    bool changed = false;
    CLAIM(handshake_start(sides[1], messages[0], &len) == -EINVAL);
    int error = handshake_start(sides[0], messages[0], &len);
    for (int i = 0; error == 0 && i < 4; i++) {
        struct handshake *side = sides[(i + 1) % 2];
        changed |= tamper(input, i, messages[i], len);
        error = handshake_feed(side, messages[i], len, messages[i + 1], &len);
        CLAIM(!changed || (!handshake_done(side) && handshake_keys(side, &found[0]) != 0));
    }
    CLAIM((error == 0) == !changed);
    if (error == 0) {
        CLAIM(handshake_keys(sides[0], &found[0]) == 0 && handshake_keys(sides[1], &found[1]) == 0);
        CLAIM(memcmp(found[0].send_key, found[1].receive_key, CRYPTO_KEY_BYTES) == 0);
        CLAIM(memcmp(found[0].receive_key, found[1].send_key, CRYPTO_KEY_BYTES) == 0);
        CLAIM(memcmp(found[0].send_key, found[0].receive_key, CRYPTO_KEY_BYTES) != 0);
    }
    handshake_destroy(sides[0]);
    handshake_destroy(sides[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t out[HANDSHAKE_MESSAGE_MAX];
    size_t len;
    source.counter = 1;
    for (int i = 0; i < 2; i++)
        if (!keys[i])
            CLAIM(crypto_rsa_generate(2048, fixed_random_fill, &source, &keys[i]) == 0);
    struct wire_reader input = wire_reader_init(data, size);
    uint8_t choice = wire_read_u8(&input);
    if (choice & 2) {
        play_between(input);
        return 0;
    }
    enum handshake_role role = choice & 1 ? HANDSHAKE_VM : HANDSHAKE_OWNER;
    struct handshake *side = open_side(role);
    if (role == HANDSHAKE_OWNER)
        CLAIM(handshake_start(side, out, &len) == 0);
    play(side, role, &input);
    handshake_destroy(side);
    return 0;
}
