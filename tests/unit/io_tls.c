/*
 * TLS under a peer that sends what costs work and means nothing: the loop is never held by it.
 */
#include "tests/unit/io_fixture.h"

#include <sys/ioctl.h>

#include <event2/buffer.h>

#include "src/io/stream.h"

/* One cipher, one group, one signature: as little as a handshake may begin with. */
static const uint8_t hello[] = {0x16, 3,  1,  0,  74, 1,  0,  0,  70, 3,  3,    1,  2,  3,  4,    5,
                                6,    7,  8,  9,  10, 11, 12, 13, 14, 15, 16,   17, 18, 19, 20,   21,
                                22,   23, 24, 25, 26, 27, 28, 29, 30, 31, 32,   0,  0,  2,  0xcc, 0xa9,
                                1,    0,  0,  27, 0,  10, 0,  4,  0,  2,  0,    23, 0,  11, 0,    2,
                                1,    0,  0,  13, 0,  4,  0,  2,  4,  3,  0xff, 1,  0,  1,  0};
/* A warning (RFC 5246 7.2), which goes on with the handshake. */
static const uint8_t warning[] = {0x15, 3, 3, 0, 2, 1, 90};

struct peer {
    struct fixture fixture;
    struct stream *stream;
    int near, far; /* the server's socket, borrowed, and ours */
    bool ended;
    int error;
};

static void on_data(void *arg, struct evbuffer *input)
{
    (void)arg;
    evbuffer_drain(input, evbuffer_get_length(input));
}

static void on_end(void *arg, int error)
{
    struct peer *peer = arg;
    peer->ended = true;
    peer->error = error;
}

static const struct stream_ops ops = {.on_data = on_data, .on_end = on_end};

static void peer_init(struct peer *peer)
{
    int fds[2], bytes = 4 << 20;
    memset(peer, 0, sizeof(*peer));
    fixture_init(&peer->fixture);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    peer->near = fds[0];
    peer->far = fds[1];
    setsockopt(peer->far, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    assert_int_equal(
        stream_accept(peer->fixture.loop, peer->near, peer->fixture.server_tls, &ops, peer, &peer->stream),
        0);
}

static void peer_finish(struct peer *peer)
{
    stream_abort(peer->stream);
    close(peer->far);
    fixture_finish(&peer->fixture);
}

static int unread(const struct peer *peer)
{
    int bytes = 0;
    assert_int_equal(ioctl(peer->near, FIONREAD, &bytes), 0);
    return bytes;
}

/* All that is there is not taken at once: whoever sends faster than it is read would hold the loop for ever.
 * And no handshake is as long as that. */
static void test_warnings_do_not_hold_the_loop(void **state)
{
    (void)state;
    struct peer peer;
    char flood[150 * 1000];
    peer_init(&peer);
    assert_int_equal(send(peer.far, hello, sizeof(hello), 0), sizeof(hello));
    for (size_t i = 0; i < sizeof(flood); i++)
        flood[i] = (char)warning[i % sizeof(warning)];
    const int whole = (int)(sizeof(flood) - sizeof(flood) % sizeof(warning));
    assert_int_equal(send(peer.far, flood, (size_t)whole, 0), whole);
    int before = unread(&peer);
    FIXTURE_RUN_UNTIL(&peer.fixture, unread(&peer) < before - 1000);
    assert_in_range(unread(&peer), before - 2000, before - 1000);
    assert_false(peer.ended);
    FIXTURE_RUN_UNTIL(&peer.fixture, peer.ended);
    assert_in_range(unread(&peer), before - 26000, before - 24000);
    assert_int_equal(peer.error, -EPROTO);
    peer_finish(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_warnings_do_not_hold_the_loop)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
