/* Handshake and channel: both roles end with the same keys, any changed byte ends in failure, records and
 * credit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/handshake.h"
#include "tests/unit/protocol_random.h"
#include "tests/unit/seed.h"

static struct fixed_random source = {2, 0};
static struct crypto_rsa *owner_key, *vm_key, *other_key;

static int make_keys(void **state)
{
    (void)state;
    return crypto_rsa_generate(2048, fixed_random_fill, &source, &owner_key) < 0 ||
           crypto_rsa_generate(2048, fixed_random_fill, &source, &vm_key) < 0 ||
           crypto_rsa_generate(2048, fixed_random_fill, &source, &other_key) < 0;
}

static int drop_keys(void **state)
{
    (void)state;
    crypto_rsa_destroy(owner_key);
    crypto_rsa_destroy(vm_key);
    crypto_rsa_destroy(other_key);
    return 0;
}

struct pair {
    struct handshake *owner, *vm;
    uint8_t messages[4][HANDSHAKE_MESSAGE_MAX];
    size_t lengths[4];
};

static struct handshake_config config_of(enum handshake_role role)
{
    struct handshake_config config = {
        .role = role,
        .own_key = role == HANDSHAKE_OWNER ? owner_key : vm_key,
        .peer_key = role == HANDSHAKE_OWNER ? vm_key : owner_key,
        .binding = {(const uint8_t *)"binding", 7},
        .uuid = {1, 2, 3},
        .nonce_o = {4, 5, 6},
        .random = fixed_random_fill,
        .random_arg = &source,
    };
    return config;
}

static void pair_open(struct pair *pair, const struct handshake_config *owner,
                      const struct handshake_config *vm)
{
    memset(pair, 0, sizeof *pair);
    assert_int_equal(handshake_create(owner, &pair->owner), 0);
    assert_int_equal(handshake_create(vm, &pair->vm), 0);
    assert_int_equal(handshake_start(pair->owner, pair->messages[0], &pair->lengths[0]), 0);
}

static void pair_close(struct pair *pair)
{
    handshake_destroy(pair->owner);
    handshake_destroy(pair->vm);
}

/* Runs the handshake; in message SPOILT byte AT is changed. Returns the first error. */
static int pair_run(struct pair *pair, int spoilt, size_t at)
{
    struct handshake *takers[4] = {pair->vm, pair->owner, pair->vm, pair->owner};
    for (int i = 0; i < 4; i++) {
        uint8_t answer[HANDSHAKE_MESSAGE_MAX];
        size_t len = 0;
        if (i == spoilt)
            pair->messages[i][at] ^= 0x40;
        int error = handshake_feed(takers[i], pair->messages[i], pair->lengths[i], answer, &len);
        if (error) {
            assert_false(handshake_done(takers[i]));
            assert_int_equal(handshake_feed(takers[i], pair->messages[i], pair->lengths[i], answer, &len),
                             -EBADMSG);
            return error;
        }
        if (i < 3) {
            memcpy(pair->messages[i + 1], answer, len);
            pair->lengths[i + 1] = len;
        }
    }
    return 0;
}

static void both_sides_get_the_same_keys(void **state)
{
    struct handshake_config owner = config_of(HANDSHAKE_OWNER), vm = config_of(HANDSHAKE_VM);
    struct channel_keys a, b;
    struct pair pair;
    (void)state;
    pair_open(&pair, &owner, &vm);
    assert_int_equal(handshake_keys(pair.owner, &a), -EAGAIN);
    assert_int_equal(pair_run(&pair, -1, 0), 0);
    assert_true(handshake_done(pair.owner) && handshake_done(pair.vm));
    assert_int_equal(handshake_keys(pair.owner, &a), 0);
    assert_int_equal(handshake_keys(pair.vm, &b), 0);
    assert_memory_equal(a.send_key, b.receive_key, 32);
    assert_memory_equal(a.send_iv, b.receive_iv, 12);
    assert_memory_equal(a.receive_key, b.send_key, 32);
    assert_memory_equal(a.receive_iv, b.send_iv, 12);
    assert_memory_not_equal(a.send_key, a.receive_key, 32);
    pair_close(&pair);
}

/* Every byte of a HELLO is in the transcript; of an AUTH, of those we test one in sixteen, because each costs
 * an RSA. */
static void any_changed_byte_fails(void **state)
{
    struct handshake_config owner = config_of(HANDSHAKE_OWNER), vm = config_of(HANDSHAKE_VM);
    static const size_t lengths[4] = {128, 108, 299, 299};
    (void)state;
    for (int message = 0; message < 4; message++) {
        for (size_t at = 0; at < lengths[message]; at += 16) {
            struct pair pair;
            pair_open(&pair, &owner, &vm);
            assert_int_not_equal(pair_run(&pair, message, at), 0);
            pair_close(&pair);
        }
    }
}

static void differing_views_fail(void **state)
{
    struct handshake_config owner = config_of(HANDSHAKE_OWNER);
    struct handshake_config views[4];
    (void)state;
    for (size_t i = 0; i < 4; i++)
        views[i] = config_of(HANDSHAKE_VM);
    views[0].uuid[0] ^= 1;
    views[1].binding.bytes = (const uint8_t *)"bindinG";
    views[2].own_key = other_key;
    views[3].peer_key = other_key;
    for (size_t i = 0; i < 4; i++) {
        struct pair pair;
        pair_open(&pair, &owner, &views[i]);
        /* Another VM is named in the first message; the rest is known by who signed what. */
        assert_int_equal(pair_run(&pair, -1, 0), i == 0 ? -EBADMSG : -EACCES);
        pair_close(&pair);
    }
}

static void cut_messages_and_wrong_turns_fail(void **state)
{
    struct handshake_config owner = config_of(HANDSHAKE_OWNER), vm = config_of(HANDSHAKE_VM);
    uint8_t out[HANDSHAKE_MESSAGE_MAX];
    size_t len;
    (void)state;
    for (size_t cut = 0; cut < 128; cut += 13) {
        struct pair pair;
        pair_open(&pair, &owner, &vm);
        assert_int_equal(handshake_feed(pair.vm, pair.messages[0], cut, out, &len), -EBADMSG);
        pair_close(&pair);
    }
    struct pair pair;
    pair_open(&pair, &owner, &vm);
    assert_int_equal(handshake_start(pair.owner, out, &len), -EINVAL);
    assert_int_equal(handshake_start(pair.vm, out, &len), -EINVAL);
    assert_int_equal(handshake_feed(pair.owner, pair.messages[0], pair.lengths[0], out, &len), -EBADMSG);
    /* To a VM: a HELLO with its length, and another where an AUTH is due. */
    uint8_t turns[2 * (2 + 128)] = {0, 128};
    memcpy(turns + 2, pair.messages[0], 128);
    memcpy(turns + 130, turns, 130);
    seed_write("handshake", "two-hellos", HANDSHAKE_VM, turns, sizeof turns);
    pair_close(&pair);
}

static void make_channels(struct channel **a, struct channel **b)
{
    struct channel_keys keys = {.send_key = {1}, .send_iv = {2}, .receive_key = {3}, .receive_iv = {4}};
    struct channel_keys mirror = {.send_key = {3}, .send_iv = {4}, .receive_key = {1}, .receive_iv = {2}};
    assert_int_equal(channel_create(&keys, a), 0);
    assert_int_equal(channel_create(&mirror, b), 0);
}

static void records_arrive_in_order_only(void **state)
{
    struct channel *a, *b;
    static uint8_t first[CHANNEL_RECORD_MAX], second[CHANNEL_RECORD_MAX];
    size_t first_len, second_len;
    struct channel_record record;
    (void)state;
    make_channels(&a, &b);
    assert_int_equal(channel_seal(a, 5, CHANNEL_DATA, "hello", 5, first, &first_len), 0);
    assert_int_equal(channel_seal_credit(a, 5, 77, second, &second_len), 0);
    assert_int_equal(channel_open(b, first, first_len, &record), 0);
    assert_int_equal(record.stream, 5);
    assert_int_equal(record.bytes.len, 5);
    assert_memory_equal(record.bytes.bytes, "hello", 5);
    assert_int_equal(channel_open(b, second, second_len, &record), 0);
    assert_int_equal(record.credit, 77);
    assert_int_equal(channel_open(b, second, second_len, &record), -EBADMSG);
    channel_destroy(a);
    channel_destroy(b);
    make_channels(&a, &b);
    assert_int_equal(channel_open(b, second, second_len, &record), -EBADMSG);
    assert_int_equal(channel_open(b, first, first_len, &record), -EBADMSG);
    channel_destroy(a);
    channel_destroy(b);
}

static void kinds_stay_on_their_streams(void **state)
{
    static const struct {
        uint32_t stream;
        int kind;
        size_t len;
        int error;
    } rows[] = {{0, CHANNEL_DATA, 0, 0},
                {0, CHANNEL_MORE_CREDIT, 4, -EBADMSG},
                {1, CHANNEL_MORE_CREDIT, 3, -EBADMSG},
                {1, CHANNEL_MORE_CREDIT, 4, 0},
                {0, CHANNEL_END, 0, -EBADMSG},
                {1, CHANNEL_END, 0, 0},
                {1, CHANNEL_END, 1, -EBADMSG},
                {0, CHANNEL_CLOSE, 0, 0},
                {1, CHANNEL_CLOSE, 0, -EBADMSG},
                {0, CHANNEL_CLOSE, 1, -EBADMSG},
                {0, 4, 0, -EBADMSG},
                {1, CHANNEL_DATA, CHANNEL_BYTES_MAX, 0}};
    static uint8_t bytes[CHANNEL_BYTES_MAX + 1], out[CHANNEL_RECORD_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct channel *a, *b;
        struct channel_record record;
        size_t len;
        make_channels(&a, &b);
        assert_int_equal(channel_seal(a, rows[i].stream, rows[i].kind, bytes, rows[i].len, out, &len), 0);
        assert_int_equal(channel_open(b, out, len, &record), rows[i].error);
        assert_int_equal(channel_seal(a, 1, CHANNEL_DATA, bytes, sizeof bytes, out, &len), -EMSGSIZE);
        channel_destroy(a);
        channel_destroy(b);
    }
}

struct receiver {
    struct channel *channel;
    struct channel_assembly assembly;
    size_t dribble; /* bytes of a record given to the assembly at a time */
};

static int receive(void *arg, const uint8_t *bytes, size_t len)
{
    struct receiver *receiver = arg;
    struct channel_record record;
    assert_int_equal(channel_open(receiver->channel, bytes, len, &record), 0);
    for (size_t at = 0; at < record.bytes.len; at += receiver->dribble) {
        size_t left = record.bytes.len - at, take = left < receiver->dribble ? left : receiver->dribble;
        int error = channel_assembly_feed(&receiver->assembly, (struct bytes){record.bytes.bytes + at, take});
        if (error)
            return error;
    }
    return 0;
}

static void messages_are_put_together(void **state)
{
    static const size_t lengths[] = {
        0, 1, 100, CHANNEL_BYTES_MAX - 4, CHANNEL_BYTES_MAX - 3, 300000, CHANNEL_MESSAGE_MAX};
    uint8_t *text = malloc(CHANNEL_MESSAGE_MAX + 1);
    struct channel *a, *b;
    (void)state;
    make_channels(&a, &b);
    struct receiver receiver = {b, {NULL, 0, 0, 0}, 7777};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct bytes message;
        memset(text, (int)i + 1, lengths[i]);
        assert_int_equal(channel_send_message(a, text, lengths[i], receive, &receiver), 0);
        assert_int_equal(channel_assembly_next(&receiver.assembly, &message), 1);
        assert_int_equal(message.len, lengths[i]);
        assert_memory_equal(message.bytes, text, lengths[i]);
        assert_int_equal(channel_assembly_next(&receiver.assembly, &message), 0);
    }
    assert_int_equal(channel_send_message(a, text, CHANNEL_MESSAGE_MAX + 1, receive, &receiver), -EMSGSIZE);
    channel_assembly_finish(&receiver.assembly);
    channel_destroy(a);
    channel_destroy(b);
    free(text);
}

static void dribbled_messages_come_out_one_by_one(void **state)
{
    static const uint8_t stream[] = {0, 0, 0, 2, 'a', 'b', 0, 0, 0, 0, 0, 0, 0, 1, 'c'};
    struct channel_assembly assembly = {NULL, 0, 0, 0};
    struct bytes message;
    size_t found = 0;
    (void)state;
    for (size_t i = 0; i < sizeof stream; i++) {
        assert_int_equal(channel_assembly_feed(&assembly, (struct bytes){stream + i, 1}), 0);
        while (channel_assembly_next(&assembly, &message) == 1)
            found++;
    }
    assert_int_equal(found, 3);
    /* As one record on stream 0, then credit on stream 1. */
    uint8_t records[4 + sizeof stream + 8] = {0, CHANNEL_DATA, 0, sizeof stream};
    static const uint8_t credit[] = {1, CHANNEL_MORE_CREDIT, 0, 4, 0, 1, 0, 0};
    memcpy(records + 4, stream, sizeof stream);
    memcpy(records + 4 + sizeof stream, credit, sizeof credit);
    seed_write("channel", "messages", SEED_PLAIN, records, sizeof records);
    assert_int_equal(channel_assembly_feed(&assembly, (struct bytes){stream, sizeof stream}), 0);
    for (found = 0; channel_assembly_next(&assembly, &message) == 1;)
        found++;
    assert_int_equal(found, 3);
    assert_int_equal(channel_assembly_feed(&assembly, (struct bytes){(const uint8_t *)"\x7f\0\0\0", 4}),
                     -EMSGSIZE);
    channel_assembly_finish(&assembly);
}

static void credit_is_kept(void **state)
{
    struct channel_flow flow;
    (void)state;
    channel_flow_init(&flow);
    assert_int_equal(channel_flow_allowed(&flow, 10), 10);
    assert_int_equal(channel_flow_allowed(&flow, 100000), CHANNEL_BYTES_MAX);
    channel_flow_sent(&flow, CHANNEL_CREDIT);
    assert_int_equal(channel_flow_allowed(&flow, 10), 0);
    assert_int_equal(channel_flow_granted(&flow, 5), 0);
    assert_int_equal(channel_flow_allowed(&flow, 10), 5);
    assert_int_equal(channel_flow_granted(&flow, 0xffffffff), -EBADMSG);
    assert_int_equal(channel_flow_received(&flow, CHANNEL_CREDIT), 0);
    assert_int_equal(channel_flow_received(&flow, 1), -EBADMSG);
    assert_int_equal(channel_flow_consumed(&flow, 1), 0);
    assert_int_equal(channel_flow_consumed(&flow, CHANNEL_CREDIT - 1), CHANNEL_CREDIT);
    assert_int_equal(channel_flow_received(&flow, CHANNEL_CREDIT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_get_the_same_keys),
        cmocka_unit_test(any_changed_byte_fails),
        cmocka_unit_test(differing_views_fail),
        cmocka_unit_test(cut_messages_and_wrong_turns_fail),
        cmocka_unit_test(records_arrive_in_order_only),
        cmocka_unit_test(kinds_stay_on_their_streams),
        cmocka_unit_test(messages_are_put_together),
        cmocka_unit_test(dribbled_messages_come_out_one_by_one),
        cmocka_unit_test(credit_is_kept),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
