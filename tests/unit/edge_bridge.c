/*
 * The SSH bridge: ticket, bytes both ways, half-close, refusals, kilnd away.
 */
#include "tests/unit/edge_world.h"

#include <sys/resource.h>

#define LINE "KILN/1 " TOKEN "\r\n"

/* The VM's port 22: a listener of the test's, whose one connection is blocking. */
struct ssh {
    struct listener *listener;
    int fd;
};

static void on_ssh(void *arg, int fd, const char *peer)
{
    (void)peer;
    ((struct ssh *)arg)->fd = fd;
}

static void ssh_init(struct ssh *ssh, struct world *world)
{
    ssh->fd = -1;
    assert_int_equal(listener_open(world->fixture.loop, "127.0.0.1:0", on_ssh, ssh, &ssh->listener), 0);
    world->ssh_port = listener_port(ssh->listener);
}

static void ssh_finish(struct ssh *ssh)
{
    listener_close(ssh->listener);
    if (ssh->fd >= 0)
        close(ssh->fd);
}

/* Reads exactly LEN bytes from FD while the loop runs. */
static void read_exactly(struct world *world, int fd, char *out, size_t len)
{
    size_t got = 0;
    FIXTURE_RUN_UNTIL(&world->fixture, ({
        ssize_t in = recv(fd, out + got, len - got, MSG_DONTWAIT);
        got += in > 0 ? (size_t)in : 0;
        loop_step(world->fixture.loop, false);
        got == len;
    }));
    out[len] = '\0';
}

static int open_bridge(struct world *world, struct ssh *ssh)
{
    char out[64];
    int fd = fixture_dial(bridges_port(world->edge.bridges));
    assert_int_equal(send(fd, LINE, strlen(LINE), 0), strlen(LINE));
    read_exactly(world, fd, out, 4);
    assert_string_equal(out, "OK\r\n");
    FIXTURE_RUN_UNTIL(&world->fixture, ssh->fd >= 0 && world->opened == 1);
    assert_string_equal(world->last_kind, "bridge");
    return fd;
}

static void test_bytes_pass_both_ways_and_half_close_too(void **state)
{
    (void)state;
    struct world world;
    struct ssh ssh;
    char out[64], byte;
    world_init(&world);
    ssh_init(&ssh, &world);
    int fd = open_bridge(&world, &ssh);
    assert_int_equal(send(ssh.fd, "SSH-2.0-vm\r\n", 12, 0), 12);
    read_exactly(&world, fd, out, 12);
    assert_string_equal(out, "SSH-2.0-vm\r\n");
    assert_int_equal(send(fd, "last words", 10, 0), 10);
    shutdown(fd, SHUT_WR);
    read_exactly(&world, ssh.fd, out, 10);
    FIXTURE_RUN_UNTIL(&world.fixture, recv(ssh.fd, &byte, 1, MSG_DONTWAIT) == 0);
    /* The other half is still open. */
    assert_int_equal(world.closed, 0);
    assert_int_equal(send(ssh.fd, "answer", 6, 0), 6);
    read_exactly(&world, fd, out, 6);
    assert_string_equal(out, "answer");
    shutdown(ssh.fd, SHUT_WR);
    FIXTURE_RUN_UNTIL(&world.fixture, world.closed == 1);
    close(fd);
    ssh_finish(&ssh);
    world_finish(&world);
}

static void test_what_follows_the_line_at_once_is_not_lost(void **state)
{
    (void)state;
    struct world world;
    struct ssh ssh;
    char out[64];
    world_init(&world);
    ssh_init(&ssh, &world);
    int fd = fixture_dial(bridges_port(world.edge.bridges));
    const char text[] = LINE "SSH-2.0-eager\r\n";
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        assert_int_equal(send(fd, &text[i], 1, 0), 1);
        loop_step(world.fixture.loop, false);
    }
    FIXTURE_RUN_UNTIL(&world.fixture, ssh.fd >= 0);
    read_exactly(&world, ssh.fd, out, 15);
    assert_string_equal(out, "SSH-2.0-eager\r\n");
    close(fd);
    FIXTURE_RUN_UNTIL(&world.fixture, ({
        char byte;
        bool ended = recv(ssh.fd, &byte, 1, MSG_DONTWAIT) == 0;
        if (ended)
            shutdown(ssh.fd, SHUT_WR);
        ended;
    }));
    FIXTURE_RUN_UNTIL(&world.fixture, world.closed == 1);
    ssh_finish(&ssh);
    world_finish(&world);
}

/* 48 MB to a reader that starts late: the sender is stopped, then everything arrives. */
static void test_a_slow_side_stops_the_other(void **state)
{
    (void)state;
    struct world world;
    struct ssh ssh;
    static char piece[65536];
    const size_t total = 48 * 1048576; /* more than four socket buffers as large as they grow */
    world_init(&world);
    ssh_init(&ssh, &world);
    int fd = open_bridge(&world, &ssh);
    size_t sent = 0, before;
    do {
        before = sent;
        for (int i = 0; i < 50; i++) {
            ssize_t put = send(fd, piece, sizeof(piece), MSG_DONTWAIT);
            sent += put > 0 ? (size_t)put : 0;
            loop_step(world.fixture.loop, false);
        }
    } while (sent != before && sent < total);
    assert_true(sent < total);
    size_t got = 0;
    int64_t start = loop_monotonic_ms();
    while (sent < total || got < sent) {
        ssize_t put = sent < total ? send(fd, piece, sizeof(piece), MSG_DONTWAIT) : 0;
        sent += put > 0 ? (size_t)put : 0;
        ssize_t in = recv(ssh.fd, piece, sizeof(piece), MSG_DONTWAIT);
        got += in > 0 ? (size_t)in : 0;
        loop_step(world.fixture.loop, false);
        assert_true(loop_monotonic_ms() - start < FIXTURE_LIMIT_MS);
    }
    assert_int_equal(got, sent);
    close(fd);
    ssh_finish(&ssh);
    world_finish(&world);
}

static void refused(struct world *world, const char *text, const char *answer)
{
    char out[256];
    int fd = fixture_dial(bridges_port(world->edge.bridges));
    fixture_talk(&world->fixture, fd, text, strlen(text), NULL, out, sizeof(out));
    if (strncmp(out, answer, strlen(answer)) != 0)
        fail_msg("answer was: %s", out);
    close(fd);
}

static void test_refusals_say_why(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    refused(&world, "KILN/1 ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\r\n",
            "ERR TICKET_WRONG ");
    refused(&world, "SSH-2.0-OpenSSH_9.2\r\n", "ERR BAD_PARAMETER ");
    /* Who says more than a line hears it too. */
    static char much[4000];
    memset(much, 'x', sizeof(much) - 1);
    refused(&world, much, "ERR BAD_PARAMETER ");
    /* A port that nobody listens on. */
    world.ssh_port = 1;
    refused(&world, LINE, "ERR UNAVAILABLE ");
    world_stop_kilnd(&world);
    refused(&world, LINE, "ERR UNAVAILABLE ");
    assert_int_equal(world.opened, 0);
    world_finish(&world);
}

/* A connection from the NUMBERth address of loopback. */
static int dial_from(struct world *world, unsigned number)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK + number)}};
    struct sockaddr_in edge = {.sin_family = AF_INET,
                               .sin_port = htons(bridges_port(world->edge.bridges)),
                               .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&edge, sizeof(edge)), 0);
    return fd;
}

/* They come from many addresses, show no ticket and stay. */
static void test_strangers_take_no_place_from_who_has_a_ticket(void **state)
{
    enum { STRANGERS = 1056, EACH = BRIDGES_OPENING_PER_ADDRESS_MAX };
    static int strangers[STRANGERS];
    struct rlimit files;
    (void)state;
    struct world world;
    struct ssh ssh;
    char byte;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    world_init(&world);
    ssh_init(&ssh, &world);
    for (unsigned i = 0; i < STRANGERS; i++) {
        strangers[i] = dial_from(&world, 1 + i / EACH);
        assert_int_equal(loop_step(world.fixture.loop, false), 0);
    }
    close(open_bridge(&world, &ssh));
    /* The oldest made room, without a word; nobody's time is over yet. */
    ssize_t got = -1;
    FIXTURE_RUN_UNTIL(&world.fixture, (got = recv(strangers[0], &byte, 1, MSG_DONTWAIT)) >= 0);
    assert_int_equal(got, 0);
    /* One more of an address that has its share goes, whoever else has none. */
    int extra = dial_from(&world, 1 + (STRANGERS - 1) / EACH);
    FIXTURE_RUN_UNTIL(&world.fixture, recv(extra, &byte, 1, MSG_DONTWAIT) == 0);
    close(extra);
    for (unsigned i = 0; i < STRANGERS; i++)
        close(strangers[i]);
    ssh_finish(&ssh);
    world_finish(&world);
}

static void test_a_bridge_outlives_kilnd_and_kilnd_can_close_it(void **state)
{
    (void)state;
    struct world world;
    struct ssh ssh;
    char out[64];
    world_init(&world);
    ssh_init(&ssh, &world);
    int fd = open_bridge(&world, &ssh);
    world_stop_kilnd(&world);
    assert_int_equal(send(ssh.fd, "alive", 5, 0), 5);
    read_exactly(&world, fd, out, 5);
    world_start_kilnd(&world);
    assert_int_equal(world.hello_relays, 1);
    assert_int_equal(
        rpc_notify(rpc_link_peer(world.link), "relay.close", "{\"vm\":\"" VM "\",\"kind\":\"bridge\"}"), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, recv(fd, out, 1, MSG_DONTWAIT) == 0);
    FIXTURE_RUN_UNTIL(&world.fixture, world.closed == 1);
    close(fd);
    ssh_finish(&ssh);
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_pass_both_ways_and_half_close_too),
        cmocka_unit_test(test_what_follows_the_line_at_once_is_not_lost),
        cmocka_unit_test(test_a_slow_side_stops_the_other),
        cmocka_unit_test(test_refusals_say_why),
        cmocka_unit_test(test_strangers_take_no_place_from_who_has_a_ticket),
        cmocka_unit_test(test_a_bridge_outlives_kilnd_and_kilnd_can_close_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
