/*
 * What a terminal's holder stands on: the ring of what was shown, and the packets.
 */
#include "tests/unit/guest_fixture.h"
#include "tests/unit/seed.h"

#include "guest/terminal_packet.h"
#include "guest/terminal_ring.h"

static struct terminal_ring ring;
static uint8_t out[TERMINAL_RING_BYTES];

/* COUNT bytes, each of them its own place modulo 251, but a line's end at every place that is a multiple of
 * 1000. */
static void show(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t byte = ring.end % 1000 == 0 ? '\n' : (uint8_t)(32 + ring.end % 200);
        terminal_ring_add(&ring, &byte, 1);
    }
}

static void test_a_ring_keeps_the_last_bytes(void **state)
{
    (void)state;
    ring = (struct terminal_ring){0};
    assert_int_equal(terminal_ring_oldest(&ring), 0);
    assert_int_equal(terminal_ring_begin(&ring), 0);
    assert_int_equal(terminal_ring_copy(&ring, 0, out, sizeof out), 0);
    show(TERMINAL_RING_BYTES);
    assert_int_equal(terminal_ring_oldest(&ring), 0);
    assert_int_equal(terminal_ring_begin(&ring), 0);
    show(12345);
    assert_int_equal(terminal_ring_oldest(&ring), 12345);
    /* Behind the line's end at 13000. */
    assert_int_equal(terminal_ring_begin(&ring), 13001);
    assert_int_equal(terminal_ring_copy(&ring, 12345, out, sizeof out), TERMINAL_RING_BYTES);
    for (size_t i = 0; i < TERMINAL_RING_BYTES; i++)
        assert_int_equal(out[i], (12345 + i) % 1000 == 0 ? '\n' : 32 + (12345 + i) % 200);
    assert_int_equal(terminal_ring_copy(&ring, ring.end - 5, out, sizeof out), 5);
    assert_int_equal(terminal_ring_copy(&ring, ring.end, out, sizeof out), 0);
}

static void test_a_ring_takes_more_than_it_holds(void **state)
{
    (void)state;
    static uint8_t bytes[3 * TERMINAL_RING_BYTES];
    ring = (struct terminal_ring){0};
    memset(bytes, 'x', sizeof bytes);
    bytes[sizeof bytes - 1] = 'y';
    terminal_ring_add(&ring, bytes, sizeof bytes);
    assert_int_equal(ring.end, sizeof bytes);
    /* No line's end is near: then it begins where it can. */
    assert_int_equal(terminal_ring_begin(&ring), terminal_ring_oldest(&ring));
    assert_int_equal(terminal_ring_copy(&ring, ring.end - 2, out, sizeof out), 2);
    assert_memory_equal(out, "xy", 2);
}

static void check(const char *name, const struct terminal_packet *packet, size_t expected)
{
    uint8_t bytes[TERMINAL_PACKET_MAX + 1];
    struct terminal_packet again;
    size_t len;
    assert_int_equal(terminal_packet_encode(packet, bytes, TERMINAL_PACKET_MAX, &len), 0);
    assert_int_equal(len, expected);
    seed_write("terminal_packet", name, SEED_PLAIN, bytes, len);
    assert_int_equal(terminal_packet_decode(bytes, len, &again), 0);
    assert_int_equal(again.word, packet->word);
    assert_true(again.from == packet->from && again.shown == packet->shown && again.count == packet->count);
    assert_true(again.rows == packet->rows && again.columns == packet->columns);
    assert_int_equal(again.status, packet->status);
    assert_int_equal(again.bytes.len, packet->bytes.len);
    assert_string_equal(again.info.user, packet->info.user);
    assert_true(again.info.keep_s == packet->info.keep_s && again.info.ended == packet->info.ended);
    /* Cut short it is refused, and so is one byte too many, but for what ends with bytes. */
    assert_int_equal(terminal_packet_decode(bytes, 0, &again), -EBADMSG);
    if (packet->bytes.len == 0) {
        assert_int_equal(terminal_packet_decode(bytes, len - 1, &again), -EBADMSG);
        assert_int_equal(terminal_packet_decode(bytes, len + 1, &again), -EBADMSG);
    }
}

static void test_packets_come_back_as_they_were(void **state)
{
    (void)state;
    static const uint8_t text[] = "what is shown";
    check("hello",
          &(struct terminal_packet){
              .word = TERMINAL_HELLO,
              .info = {.user = "ada", .keep_s = 7, .rows = 2, .columns = 3, .ended = true}},
          1 + 4 + 3 + 32 + 8 + 8 + 4 + 2 + 2 + 1 + 1);
    check("joined", &(struct terminal_packet){.word = TERMINAL_JOINED, .from = 1, .shown = UINT64_MAX}, 17);
    check("join",
          &(struct terminal_packet){.word = TERMINAL_JOIN, .from = TERMINAL_NOWHERE, .rows = 9, .columns = 8},
          13);
    check("resize", &(struct terminal_packet){.word = TERMINAL_RESIZE, .rows = 1000, .columns = 999}, 5);
    check("output", &(struct terminal_packet){.word = TERMINAL_OUTPUT, .bytes = {text, 13}}, 14);
    check("grant", &(struct terminal_packet){.word = TERMINAL_GRANT, .count = 65536}, 5);
    check("done", &(struct terminal_packet){.word = TERMINAL_DONE, .status = 130}, 2);
    check("hang_up", &(struct terminal_packet){.word = TERMINAL_HANG_UP}, 1);
}

static void test_strange_packets_are_refused(void **state)
{
    (void)state;
    static const uint8_t none[] = {0}, beyond[] = {99};
    struct terminal_packet packet;
    assert_int_equal(terminal_packet_decode(none, 1, &packet), -EBADMSG);
    assert_int_equal(terminal_packet_decode(beyond, 1, &packet), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ring_keeps_the_last_bytes),
        cmocka_unit_test(test_a_ring_takes_more_than_it_holds),
        cmocka_unit_test(test_packets_come_back_as_they_were),
        cmocka_unit_test(test_strange_packets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
