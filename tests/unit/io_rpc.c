/*
 * JSON-RPC: the peer on any carrier, and both ends on a Unix socket.
 */
#include "tests/unit/io_fixture.h"
#include "tests/unit/seed.h"

#include <sys/un.h>

#include "protocol/json.h"
#include "src/io/log.h"
#include "src/io/rpc_socket.h"

struct world {
    struct fixture fixture;
    char path[160];
    struct rpc_server *server;
    struct rpc_client *client;
    unsigned opened, closed, ups, downs, notified;
    uid_t uid;
    struct rpc_request *pending;
    struct rpc_link *link;
    /* How calls of the client's ended. */
    unsigned answers;
    int error, code;
    char name[40], result[128];
};

static struct world *world_of(void *link)
{
    return rpc_link_server_arg(link);
}

static void handle_echo(struct rpc_request *request, const struct json *params, void *link)
{
    struct json_writer out = json_writer_init(0);
    (void)link;
    json_write_value(&out, NULL, params);
    rpc_reply_json(request, &out);
}

/* What it writes is no JSON. */
static void handle_unwritten(struct rpc_request *request, const struct json *params, void *link)
{
    struct json_writer out = json_writer_init(0);
    (void)params;
    (void)link;
    json_write_object_begin(&out, NULL);
    rpc_reply_json(request, &out);
}

static void handle_refuse(struct rpc_request *request, const struct json *params, void *link)
{
    (void)params;
    (void)link;
    rpc_fail_code(request, CODE_NOT_FOUND, "x");
}

static void handle_later(struct rpc_request *request, const struct json *params, void *link)
{
    (void)params;
    world_of(link)->pending = request;
}

static void handle_note(struct rpc_request *request, const struct json *params, void *link)
{
    (void)params;
    assert_null(request);
    world_of(link)->notified++;
}

#define FAT_BYTES 60000

static void handle_fat(struct rpc_request *request, const struct json *params, void *link)
{
    static char text[FAT_BYTES];
    struct json_writer out = json_writer_init(0);
    (void)params;
    (void)link;
    memset(text, 'x', sizeof(text) - 1);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "text", text);
    json_write_object_end(&out);
    rpc_reply_json(request, &out);
}

static const struct rpc_method methods[] = {{"echo", handle_echo},
                                            {"fat", handle_fat},
                                            {"refuse", handle_refuse},
                                            {"later", handle_later},
                                            {"note", handle_note},
                                            {"unwritten", handle_unwritten},
                                            {NULL, NULL}};

static bool on_open(struct rpc_link *link, void *arg)
{
    struct world *world = arg;
    world->opened++;
    world->uid = rpc_link_uid(link);
    world->link = link;
    return true;
}

static void on_close(struct rpc_link *link, void *arg)
{
    struct world *world = arg;
    (void)link;
    world->closed++;
}

static void open_server(struct world *world)
{
    struct rpc_server_options options = {.methods = methods,
                                         .mode = 0600,
                                         .links_max = 4,
                                         .on_open = on_open,
                                         .on_close = on_close,
                                         .arg = world};
    assert_int_equal(rpc_server_open(world->fixture.loop, world->path, &options, &world->server), 0);
}

static void on_up(struct rpc_peer *peer, void *arg)
{
    (void)peer;
    ((struct world *)arg)->ups++;
}

static void on_down(int error, void *arg)
{
    assert_true(error < 0);
    ((struct world *)arg)->downs++;
}

static void open_client(struct world *world, bool reconnect)
{
    struct rpc_client_options options = {
        .reconnect = reconnect, .on_up = on_up, .on_down = on_down, .arg = world};
    assert_int_equal(rpc_client_open(world->fixture.loop, world->path, &options, &world->client), 0);
}

static void on_answer(void *arg, const struct rpc_answer *answer)
{
    struct world *world = arg;
    world->answers++;
    world->error = answer->error;
    world->code = answer->code;
    snprintf(world->name, sizeof(world->name), "%s", answer->name);
    const char *text = json_text(json_member(answer->result, "text"));
    snprintf(world->result, sizeof(world->result), "%s", text != NULL ? text : "");
}

static void world_init(struct world *world, bool client)
{
    memset(world, 0, sizeof(*world));
    log_set_level(LOG_LEVEL_ERROR);
    fixture_init(&world->fixture);
    snprintf(world->path, sizeof(world->path), "%s/rpc.sock", world->fixture.folder);
    open_server(world);
    if (!client)
        return;
    open_client(world, true);
    FIXTURE_RUN_UNTIL(&world->fixture, world->ups == 1);
}

static void world_finish(struct world *world)
{
    rpc_client_close(world->client);
    rpc_server_close(world->server);
    fixture_finish(&world->fixture);
}

static void ask(struct world *world, const char *method, const char *params, uint32_t timeout_ms)
{
    unsigned before = world->answers;
    assert_int_equal(rpc_call(rpc_client_peer(world->client), method, params, timeout_ms, on_answer, world),
                     0);
    FIXTURE_RUN_UNTIL(&world->fixture, world->answers > before);
}

static void test_calls_are_answered(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, true);
    assert_int_equal(world.uid, getuid());
    ask(&world, "echo", "{\"text\":\"line\\nbreak\"}", 0);
    assert_int_equal(world.error, 0);
    assert_string_equal(world.result, "line\nbreak");
    ask(&world, "refuse", NULL, 0);
    assert_int_equal(world.code, CODE_NOT_FOUND);
    assert_string_equal(world.name, "NOT_FOUND");
    ask(&world, "nothing.such", NULL, 0);
    assert_int_equal(world.code, RPC_UNKNOWN_METHOD);
    assert_int_equal(rpc_notify(rpc_client_peer(world.client), "note", "{}"), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, world.notified == 1);
    assert_int_equal(rpc_call(rpc_client_peer(world.client), "echo", "{broken", 0, on_answer, &world),
                     -EINVAL);
    assert_int_equal(rpc_call(rpc_client_peer(world.client), "echo", "7", 0, on_answer, &world), -EINVAL);
    world_finish(&world);
}

static void test_an_answer_that_cannot_be_written_is_a_failure(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, true);
    ask(&world, "unwritten", "{}", 0);
    assert_int_equal(world.code, CODE_INTERNAL);
    assert_string_equal(world.name, "INTERNAL");
    world_finish(&world);
}

static void test_a_call_times_out_and_a_late_answer_is_nobodys(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, true);
    ask(&world, "later", "{}", 20);
    assert_int_equal(world.error, -ETIMEDOUT);
    rpc_reply(world.pending, "{}");
    ask(&world, "echo", "{\"text\":\"next\"}", 0);
    assert_string_equal(world.result, "next");
    assert_int_equal(world.answers, 2);
    world_finish(&world);
}

static void test_a_lost_server_ends_calls_and_is_found_again(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, true);
    assert_int_equal(rpc_call(rpc_client_peer(world.client), "later", "{}", 0, on_answer, &world), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, world.pending != NULL);
    rpc_server_close(world.server);
    FIXTURE_RUN_UNTIL(&world.fixture, world.answers == 1 && world.downs >= 1);
    assert_int_equal(world.error, -ECONNRESET);
    assert_null(rpc_client_peer(world.client));
    rpc_reply(world.pending, "{}");
    open_server(&world);
    FIXTURE_RUN_UNTIL(&world.fixture, world.ups == 2);
    ask(&world, "echo", "{\"text\":\"again\"}", 0);
    assert_string_equal(world.result, "again");
    world_finish(&world);
}

/* A plain connection, as `nc -U` makes it. */
static int dial(struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, world->path, strlen(world->path) + 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void test_one_byte_at_a_time(void **state)
{
    (void)state;
    struct world world;
    char out[256];
    const char text[] =
        "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"echo\",\"params\":{\"text\":\"slow\"}}\n";
    world_init(&world, false);
    int fd = dial(&world);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        assert_int_equal(send(fd, &text[i], 1, 0), 1);
        for (int turn = 0; turn < 3; turn++)
            loop_step(world.fixture.loop, false);
    }
    fixture_talk(&world.fixture, fd, "", 0, "\n", out, sizeof(out));
    assert_non_null(strstr(out, "\"id\":\"a\""));
    assert_non_null(strstr(out, "slow"));
    close(fd);
    FIXTURE_RUN_UNTIL(&world.fixture, world.closed == 1);
    world_finish(&world);
}

static void test_many_messages_in_one_write_are_answered_in_order(void **state)
{
    (void)state;
    struct world world;
    char out[1024];
    const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{}}\n\n"
                        "{\"jsonrpc\":\"2.0\",\"method\":\"note\"}\n"
                        "{\"jsonrpc\":\"1.0\",\"id\":2,\"method\":\"echo\"}\n"
                        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"refuse\"}\n";
    seed_write_text("rpc_peer", "lines", SEED_PLAIN, text);
    world_init(&world, false);
    int fd = dial(&world);
    fixture_talk(&world.fixture, fd, text, sizeof(text) - 1, "NOT_FOUND", out, sizeof(out));
    assert_non_null(strstr(out, "\"id\":1"));
    assert_non_null(strstr(out, "-32600"));
    assert_int_equal(world.notified, 1);
    close(fd);
    FIXTURE_RUN_UNTIL(&world.fixture, world.closed == 1);
    world_finish(&world);
}

static void test_malformed_text_is_told_and_closes(void **state)
{
    (void)state;
    struct world world;
    char out[512];
    world_init(&world, false);
    int fd = dial(&world);
    fixture_talk(&world.fixture, fd, "{\"jsonrpc\": nonsense}\n{}\n", 25, NULL, out, sizeof(out));
    assert_non_null(strstr(out, "-32700"));
    assert_null(strstr(out, "-32600"));
    close(fd);
    FIXTURE_RUN_UNTIL(&world.fixture, world.closed == 1);
    world_finish(&world);
}

static void test_a_message_without_end_closes_at_its_limit(void **state)
{
    (void)state;
    struct world world;
    char out[512];
    static char text[RPC_MESSAGE_MAX + 100000];
    world_init(&world, false);
    int fd = dial(&world);
    memset(text, ' ', sizeof(text));
    fixture_talk(&world.fixture, fd, text, sizeof(text), NULL, out, sizeof(out));
    assert_non_null(strstr(out, "\"code\":1002"));
    assert_non_null(strstr(out, "\"MESSAGE_TOO_LARGE\""));
    close(fd);
    FIXTURE_RUN_UNTIL(&world.fixture, world.closed == 1);
    /* Others are served. */
    open_client(&world, false);
    FIXTURE_RUN_UNTIL(&world.fixture, world.ups == 1);
    world_finish(&world);
}

static void test_depth_is_limited(void **state)
{
    (void)state;
    struct world world;
    char out[512];
    const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":"
                        "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}\n";
    world_init(&world, false);
    int fd = dial(&world);
    fixture_talk(&world.fixture, fd, text, sizeof(text) - 1, NULL, out, sizeof(out));
    assert_non_null(strstr(out, "\"MESSAGE_TOO_LARGE\""));
    close(fd);
    FIXTURE_RUN_UNTIL(&world.fixture, world.closed == 1);
    world_finish(&world);
}

/* What a peer would close the link for is not sent to it. */
static void test_a_call_goes_as_deep_as_the_other_end_reads(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, true);
    ask(&world, "echo", "[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]", 0);
    assert_int_equal(world.error, 0);
    assert_int_equal(world.code, 0);
    struct rpc_peer *peer = rpc_client_peer(world.client);
    const char *deep = "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]";
    assert_int_equal(rpc_call(peer, "echo", deep, 0, on_answer, &world), -EINVAL);
    assert_int_equal(rpc_notify(peer, "note", deep), -EINVAL);
    ask(&world, "echo", "{}", 0);
    assert_int_equal(world.error, 0);
    assert_int_equal(world.closed, 0);
    world_finish(&world);
}

/* echo '...' | nc -N -U: the writer closes its half at once and still gets its answer, also a late one. */
static void test_a_half_closed_peer_gets_its_answers(void **state)
{
    (void)state;
    struct world world;
    char out[512];
    const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"later\"}\n";
    world_init(&world, false);
    int fd = dial(&world);
    assert_int_equal(send(fd, text, sizeof(text) - 1, 0), sizeof(text) - 1);
    shutdown(fd, SHUT_WR);
    FIXTURE_RUN_UNTIL(&world.fixture, world.pending != NULL);
    for (int i = 0; i < 20; i++)
        loop_step(world.fixture.loop, false);
    rpc_reply(world.pending, "{\"late\":true}");
    fixture_talk(&world.fixture, fd, "", 0, NULL, out, sizeof(out));
    assert_non_null(strstr(out, "{\"late\":true}"));
    close(fd);
    FIXTURE_RUN_UNTIL(&world.fixture, world.closed == 1);
    world_finish(&world);
}

/* Its answers together are more than may wait; it gets them all, as fast as it reads. */
static void test_who_calls_faster_than_it_reads_waits(void **state)
{
    enum { CALLS = 3 * RPC_QUEUE_MAX / FAT_BYTES };
    (void)state;
    struct world world;
    world_init(&world, true);
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(rpc_call(rpc_client_peer(world.client), "fat", NULL, 0, on_answer, &world), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, world.answers == CALLS);
    assert_int_equal(world.error, 0);
    assert_int_equal(world.closed, 0);
    world_finish(&world);
}

static void test_a_half_closed_peer_that_called_faster_than_it_reads_gets_all(void **state)
{
    enum { CALLS = 2 * RPC_QUEUE_MAX / FAT_BYTES };
    static const char call[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fat\"}\n";
    (void)state;
    struct world world;
    char bytes[65536];
    unsigned lines = 0;
    ssize_t got = -1;
    world_init(&world, false);
    int fd = dial(&world);
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(send(fd, call, sizeof(call) - 1, 0), sizeof(call) - 1);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    while (got != 0) {
        assert_int_equal(loop_step(world.fixture.loop, false), 0);
        got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        assert_true(got >= 0 || errno == EAGAIN);
        for (ssize_t i = 0; i < got; i++)
            lines += bytes[i] == '\n';
    }
    assert_int_equal(lines, CALLS);
    close(fd);
    FIXTURE_RUN_UNTIL(&world.fixture, world.closed == 1);
    world_finish(&world);
}

static void test_a_reader_that_is_too_slow_is_cut_off(void **state)
{
    (void)state;
    struct world world;
    static char params[60000];
    world_init(&world, false);
    int fd = dial(&world);
    FIXTURE_RUN_UNTIL(&world.fixture, world.opened == 1);
    memset(params, 'x', sizeof(params) - 1);
    memcpy(params, "{\"x\":\"", 6);
    strcpy(params + sizeof(params) - 3, "\"}");
    for (int i = 0; i < 100 && world.closed == 0; i++) {
        rpc_notify(rpc_link_peer(world.link), "vm.event", params);
        loop_step(world.fixture.loop, false);
    }
    FIXTURE_RUN_UNTIL(&world.fixture, world.closed == 1);
    close(fd);
    world_finish(&world);
}

static void test_links_are_limited_and_a_live_socket_is_not_replaced(void **state)
{
    (void)state;
    struct world world;
    struct rpc_server *second;
    struct rpc_server_options options = {.methods = methods, .mode = 0600};
    char out[64];
    int fds[4];
    world_init(&world, false);
    assert_int_equal(rpc_server_open(world.fixture.loop, world.path, &options, &second), -EADDRINUSE);
    for (int i = 0; i < 20; i++)
        loop_step(world.fixture.loop, false);
    for (int i = 0; i < 4; i++)
        fds[i] = dial(&world);
    FIXTURE_RUN_UNTIL(&world.fixture, world.opened >= 4);
    int extra = dial(&world);
    fixture_talk(&world.fixture, extra, "", 0, NULL, out, sizeof(out));
    close(extra);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    FIXTURE_RUN_UNTIL(&world.fixture, world.closed == world.opened);
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_are_answered),
        cmocka_unit_test(test_an_answer_that_cannot_be_written_is_a_failure),
        cmocka_unit_test(test_a_call_times_out_and_a_late_answer_is_nobodys),
        cmocka_unit_test(test_a_lost_server_ends_calls_and_is_found_again),
        cmocka_unit_test(test_one_byte_at_a_time),
        cmocka_unit_test(test_many_messages_in_one_write_are_answered_in_order),
        cmocka_unit_test(test_malformed_text_is_told_and_closes),
        cmocka_unit_test(test_a_message_without_end_closes_at_its_limit),
        cmocka_unit_test(test_depth_is_limited),
        cmocka_unit_test(test_a_call_goes_as_deep_as_the_other_end_reads),
        cmocka_unit_test(test_a_half_closed_peer_gets_its_answers),
        cmocka_unit_test(test_who_calls_faster_than_it_reads_waits),
        cmocka_unit_test(test_a_half_closed_peer_that_called_faster_than_it_reads_gets_all),
        cmocka_unit_test(test_a_reader_that_is_too_slow_is_cut_off),
        cmocka_unit_test(test_links_are_limited_and_a_live_socket_is_not_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
