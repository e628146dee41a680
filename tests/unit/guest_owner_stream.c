/*
 * A channel's streams over real terminals, with a channel that only notes what it is given: answers, credit
 * both ways, ends and why; and that a flood which nobody takes stays small.
 */
#include "tests/unit/guest_screen.h"

#include "guest/owner_channel.h"
#include "guest/owner_stream.h"
#include "protocol/json.h"
#include "src/io/rpc.h"

/* What stands for the channel in this program. */
struct owner_channel {
    struct owner_streams *streams;
    struct rpc_peer *peer;
    struct terminal *terminal; /* what the next attach is for */
    bool full;                 /* no room in the connection */
    char said[8192];           /* answers and notifications */
    size_t len, ends, data;
    uint32_t credit;
    char shown[1 << 20];
};

int owner_channel_send(struct owner_channel *channel, uint32_t stream, enum channel_kind kind,
                       const void *bytes, size_t len_bytes)
{
    assert_true(stream > 0);
    if (kind == CHANNEL_END)
        channel->ends++;
    if (kind != CHANNEL_DATA)
        return 0;
    assert_true(channel->data + len_bytes < sizeof channel->shown);
    memcpy(channel->shown + channel->data, bytes, len_bytes);
    channel->data += len_bytes;
    return 0;
}

int owner_channel_send_credit(struct owner_channel *channel, uint32_t stream, uint32_t credit)
{
    (void)stream;
    channel->credit += credit;
    return 0;
}

bool owner_channel_has_room(const struct owner_channel *channel)
{
    return !channel->full;
}

static void note(void *arg, const char *text, size_t len)
{
    struct owner_channel *channel = arg;
    assert_true(channel->len + len + 1 < sizeof channel->said);
    memcpy(channel->said + channel->len, text, len);
    channel->len += len;
}

void owner_channel_notify(struct owner_channel *channel, const char *method, const char *params)
{
    assert_int_equal(rpc_notify(channel->peer, method, params), 0);
}

static uint64_t wanted_from;

static void handle_attach(struct rpc_request *request, const struct json *params, void *arg)
{
    struct owner_channel *channel = arg;
    const struct terminal_join where = {.from = wanted_from, .rows = 31, .columns = 99};
    (void)params;
    assert_true(owner_streams_has_room(channel->streams));
    owner_streams_attach(channel->streams, channel->terminal, &where, request);
}

static const struct rpc_method methods[] = {{"attach", handle_attach}, {NULL, NULL}};

static struct owner_channel *make_channel(void)
{
    struct owner_channel *channel = calloc(1, sizeof *channel);
    const struct rpc_options options = {.methods = methods, .emit = note, .arg = channel};
    assert_int_equal(rpc_peer_create(loop, &options, &channel->peer), 0);
    assert_int_equal(owner_streams_create(channel, &channel->streams), 0);
    return channel;
}

static void free_channel(struct owner_channel *channel)
{
    owner_streams_destroy(channel->streams);
    rpc_peer_destroy(channel->peer);
    free(channel);
}

static void wait_said(struct owner_channel *channel, const char *text)
{
    while (strstr(channel->said, text) == NULL)
        loop_step(loop, true);
}

static void wait_shown(struct owner_channel *channel, const char *text)
{
    while (strstr(channel->shown, text) == NULL)
        loop_step(loop, true);
}

static void attach(struct owner_channel *channel, struct terminal *terminal, uint64_t from)
{
    static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"attach\"}";
    channel->terminal = terminal;
    wanted_from = from;
    channel->len = 0;
    memset(channel->said, 0, sizeof channel->said);
    assert_int_equal(rpc_peer_feed(channel->peer, request, strlen(request)), 0);
    wait_said(channel, "\"id\":1");
}

static struct terminal *open_terminal(void)
{
    const struct terminal_start start = {
        .user = "tester", .term = "dumb", .rows = 31, .columns = 99, .keep_s = 60, .owner = screen_owner};
    struct terminal *terminal;
    assert_int_equal(terminals_open(terminals, &start, &terminal), 0);
    return terminal;
}

static void take(struct owner_channel *channel, enum channel_kind kind, const char *text, uint32_t credit)
{
    const struct channel_record record = {
        .stream = 1, .kind = kind, .bytes = {(const uint8_t *)text, strlen(text)}, .credit = credit};
    assert_int_equal(owner_streams_take(channel->streams, &record), 0);
}

static void test_a_shell_from_answer_to_end(void **state)
{
    (void)state;
    struct owner_channel *channel = make_channel();
    struct terminal *terminal = open_terminal();
    attach(channel, terminal, TERMINAL_NOWHERE);
    assert_non_null(strstr(channel->said, "\"stream\":1"));
    assert_non_null(strstr(channel->said, terminal_id(terminal)));
    /* All of it is there; how much that is so far, a prompt or nothing, is the shell's. */
    assert_non_null(strstr(channel->said, "\"user\":\"tester\",\"from\":0,\"shown\":"));
    take(channel, CHANNEL_DATA, "echo fir''st; exit 4\n", 0);
    wait_said(channel, "terminal.exited");
    assert_non_null(strstr(channel->shown, "first\r\n"));
    assert_non_null(strstr(channel->said, "\"status\":4"));
    assert_int_equal(channel->ends, 1);
    /* What comes late for it is no fault; a stream that never was is. */
    take(channel, CHANNEL_DATA, "late", 0);
    const struct channel_record never = {.stream = 2, .kind = CHANNEL_END};
    assert_int_equal(owner_streams_take(channel->streams, &never), -EBADMSG);
    free_channel(channel);
}

static void test_a_flood_waits_for_credit_and_for_room(void **state)
{
    (void)state;
    struct owner_channel *channel = make_channel();
    attach(channel, open_terminal(), TERMINAL_NOWHERE);
    channel->full = true;
    take(channel, CHANNEL_DATA, "yes\n", 0);
    /* What was granted before the connection was full: the credit that a stream begins with, and no more. */
    while (channel->data < CHANNEL_BYTES_MAX)
        loop_step(loop, true);
    assert_true(channel->data <= CHANNEL_CREDIT);
    take(channel, CHANNEL_MORE_CREDIT, "", 200000);
    struct owner_channel *other = make_channel();
    /* Another joins from the beginning and takes nothing: however often, no more than a holder keeps back. */
    struct terminal *terminal = channel->terminal;
    other->full = true;
    attach(other, terminal, channel->data);
    while (strstr(channel->said, "terminal.detached") == NULL)
        loop_step(loop, true);
    assert_true(channel->data <= CHANNEL_CREDIT);
    assert_int_equal(channel->ends, 1);
    other->full = false;
    owner_streams_drained(other->streams);
    while (other->data < CHANNEL_BYTES_MAX)
        loop_step(loop, true);
    assert_true(other->data <= CHANNEL_CREDIT);
    take(other, CHANNEL_MORE_CREDIT, "", 100000);
    while (other->data < CHANNEL_BYTES_MAX + 100000)
        loop_step(loop, true);
    assert_true(other->data <= CHANNEL_CREDIT + 100000);
    terminal_hang_up(terminal);
    assert_non_null(strstr(other->said, "\"status\":129"));
    free_channel(channel);
    free_channel(other);
}

static void test_a_channels_end_leaves_the_shell(void **state)
{
    (void)state;
    struct owner_channel *channel = make_channel();
    struct terminal *terminal = open_terminal();
    attach(channel, terminal, TERMINAL_NOWHERE);
    take(channel, CHANNEL_DATA, "kept=yes; echo ready''.\n", 0);
    wait_shown(channel, "ready.\r\n");
    size_t seen = channel->data;
    free_channel(channel);
    channel = make_channel();
    attach(channel, terminal, seen + 100000);
    assert_non_null(strstr(channel->said, "BAD_PARAMETER"));
    attach(channel, terminal, seen);
    const struct channel_record typed = {
        .stream = 2, .kind = CHANNEL_DATA, .bytes = {(const uint8_t *)"echo still=$kept\n", 17}};
    assert_int_equal(owner_streams_take(channel->streams, &typed), 0);
    wait_shown(channel, "still=yes");
    assert_null(strstr(channel->shown, "ready.\r\n"));
    assert_int_equal(owner_streams_detach(channel->streams, 2), 0);
    assert_int_equal(owner_streams_detach(channel->streams, 2), -ENOENT);
    assert_int_equal(owner_streams_resize(channel->streams, 2, 1, 1), -ENOENT);
    assert_int_equal(channel->ends, 1);
    assert_null(strstr(channel->said, "terminal.detached"));
    terminal_hang_up(terminal);
    free_channel(channel);
}

static void test_too_much_typed_is_an_offence(void **state)
{
    (void)state;
    static uint8_t bytes[CHANNEL_BYTES_MAX];
    struct owner_channel *channel = make_channel();
    struct terminal *terminal = open_terminal();
    attach(channel, terminal, TERMINAL_NOWHERE);
    memset(bytes, 'x', sizeof bytes);
    const struct channel_record record = {.stream = 1, .kind = CHANNEL_DATA, .bytes = {bytes, sizeof bytes}};
    /* The second is over the credit: none was given back, as no turn of the loop has been. */
    assert_int_equal(owner_streams_take(channel->streams, &record), 0);
    assert_int_equal(owner_streams_take(channel->streams, &record), -EBADMSG);
    terminal_hang_up(terminal);
    free_channel(channel);
}

int main(int argc, char **argv)
{
    if (terminal_holder_asked(argc, argv))
        return terminal_hold(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_shell_from_answer_to_end),
        cmocka_unit_test(test_a_flood_waits_for_credit_and_for_room),
        cmocka_unit_test(test_a_channels_end_leaves_the_shell),
        cmocka_unit_test(test_too_much_typed_is_an_offence),
    };
    return cmocka_run_group_tests(tests, screen_make_world, screen_remove_world);
}
