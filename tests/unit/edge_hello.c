/*
 * The edge's hello to a kilnd that takes long: it waits for as long as that does, and is then served.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/edge_world.h"

enum { SHORT_MS = 10, LONG_MS = 20 * SHORT_MS };

/* Half a minute is a hundredth of a second here. */
int __real_rpc_call(struct rpc_peer *peer, const char *method, const char *params, uint32_t timeout_ms,
                    rpc_answered *fn, void *arg);
int __wrap_rpc_call(struct rpc_peer *peer, const char *method, const char *params, uint32_t timeout_ms,
                    rpc_answered *fn, void *arg);

int __wrap_rpc_call(struct rpc_peer *peer, const char *method, const char *params, uint32_t timeout_ms,
                    rpc_answered *fn, void *arg)
{
    return __real_rpc_call(peer, method, params, timeout_ms > 0 ? SHORT_MS : 0, fn, arg);
}

static bool reads_its_store, has_waited;

static bool must_wait(const char *method, void *link)
{
    (void)method;
    (void)link;
    return reads_its_store;
}

static void waited(void *arg)
{
    (void)arg;
    has_waited = true;
}

static void test_a_hello_waits(void **state)
{
    (void)state;
    static struct world world;
    struct loop_timer *timer;
    struct rpc_server_options options = {.methods = kilnd_methods,
                                         .waits = must_wait,
                                         .message_max_bytes = RPC_EDGE_MESSAGE_MAX,
                                         .mode = 0600,
                                         .on_open = kilnd_on_open,
                                         .on_close = kilnd_on_close,
                                         .arg = &world};
    world_init(&world);
    world_stop_kilnd(&world);
    unsigned hellos = world.hellos;
    reads_its_store = true;
    assert_int_equal(rpc_server_open(world.fixture.loop, world.socket, &options, &world.kilnd), 0);
    FIXTURE_RUN_UNTIL(&world.fixture, world.link != NULL);
    assert_int_equal(loop_timer_create(world.fixture.loop, waited, NULL, &timer), 0);
    loop_timer_arm(timer, LONG_MS);
    FIXTURE_RUN_UNTIL(&world.fixture, has_waited);
    assert_int_equal(world.hellos, hellos);
    struct reply reply = call(&world, owner_port(&world), "GET", "/v1/vms", NULL);
    assert_int_equal(reply.status, 503);
    assert_string_not_equal(reply.retry_after, "");

    reads_its_store = false;
    rpc_server_resume(world.kilnd);
    FIXTURE_RUN_UNTIL(&world.fixture, kilnd_is_up(world.edge.kilnd));
    assert_int_equal(world.hellos, hellos + 1);
    loop_timer_destroy(timer);
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_hello_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
