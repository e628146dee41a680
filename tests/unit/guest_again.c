/*
 * A guest that lost the edge comes again, with its link and its channel: later each time, and not with all
 * the others. Its WebSockets are false, and its waits are over when the test says so.
 */
#include "tests/unit/later.h"

#include <errno.h>
#include <string.h>

#include "guest/channels.h"
#include "guest/controller.h"
#include "guest/host_link.h"
#include "protocol/link.h"
#include "src/io/loop.h"
#include "src/io/ws.h"

enum { HOUR_MS = 3600 * 1000 };

static struct ws {
    const struct ws_ops *ops;
    void *arg;
    uint8_t nonce[LINK_NONCE_BYTES]; /* the guest's, of its link */
} * wire;                            /* NULL: none is open */
static struct loop_timer *armed;
static uint64_t armed_ms;
static struct secrets secrets;
static struct controller controller = {.secrets = &secrets, .settings.heartbeat_s = 3600};

void __real_loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms);
void __wrap_loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms);
int __wrap_ws_connect(struct loop *loop, struct tls_client *tls, const struct ws_target *target,
                      const struct ws_options *options, const struct ws_ops *ops, void *arg,
                      struct ws **ret_ws);
int __wrap_ws_send(struct ws *ws, enum ws_kind kind, const void *bytes, size_t len_bytes);

void __wrap_loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms)
{
    armed = timer;
    armed_ms = delay_ms;
    __real_loop_timer_arm(timer, HOUR_MS);
}

int __wrap_ws_connect(struct loop *loop, struct tls_client *tls, const struct ws_target *target,
                      const struct ws_options *options, const struct ws_ops *ops, void *arg,
                      struct ws **ret_ws)
{
    static struct ws only;
    (void)loop;
    (void)tls;
    (void)target;
    (void)options;
    only = (struct ws){.ops = ops, .arg = arg};
    *ret_ws = wire = &only;
    return 0;
}

int __wrap_ws_send(struct ws *ws, enum ws_kind kind, const void *bytes, size_t len_bytes)
{
    (void)kind;
    if (len_bytes == sizeof ws->nonce)
        memcpy(ws->nonce, bytes, len_bytes);
    return 0;
}

/* What was armed last is due. */
static void comes_again(void)
{
    __real_loop_timer_arm(armed, 0);
    while (wire == NULL)
        assert_int_equal(loop_step(controller.loop, true), 0);
}

/* Returns how long the guest waits now. */
static uint64_t is_lost(void)
{
    const struct ws_close away = {.code = WS_ABNORMAL, .error = -ECONNREFUSED};
    const struct ws *lost = wire;
    wire = NULL;
    armed_ms = 0;
    lost->ops->on_close(lost->arg, &away);
    return armed_ms;
}

/* The host answers, as it does to a guest that it knows. */
static void link_comes_up(void)
{
    static const char hello[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}";
    static const uint8_t nonce[LINK_NONCE_BYTES] = {1};
    uint8_t record[sizeof hello + LINK_OVERHEAD_BYTES];
    struct link_session host;
    size_t len;
    wire->ops->on_open(wire->arg);
    link_session_init(&host, LINK_HOST, secrets.boot_secret, controller.request_hash, wire->nonce, nonce);
    wire->ops->on_message(wire->arg, WS_BINARY, nonce, sizeof nonce);
    assert_int_equal(link_session_seal(&host, hello, sizeof hello - 1, record, sizeof record, &len), 0);
    wire->ops->on_message(wire->arg, WS_BINARY, record, len);
    assert_true(controller.machine.link_up);
}

static void the_link_comes_again(void **state)
{
    uint64_t waits_ms[WAITS];
    (void)state;
    host_link_open(controller.link);
    for (int i = 0; i < WAITS; i++) {
        comes_again();
        waits_ms[i] = is_lost();
    }
    waits_check(waits_ms, 250, 8000);
    /* Once it was up, soon, but apart from the others that lost the same edge. */
    for (int i = 0; i < WAITS; i++) {
        comes_again();
        link_comes_up();
        waits_ms[i] = is_lost();
    }
    waits_check(waits_ms, 250, 250);
}

static void the_channel_comes_again(void **state)
{
    uint64_t waits_ms[WAITS];
    (void)state;
    channels_open(controller.channels);
    for (int i = 0; i < WAITS; i++) {
        waits_ms[i] = is_lost();
        comes_again();
    }
    is_lost();
    waits_check(waits_ms, 100, 5000);
}

static int make_controller(void **state)
{
    (void)state;
    controller.machine.head.state = GUEST_READY;
    int result = loop_create(&controller.loop);
    if (result == 0)
        result = channels_create(&controller, &controller.channels);
    return result < 0 ? result : host_link_create(&controller, &controller.link);
}

static int end_controller(void **state)
{
    (void)state;
    host_link_destroy(controller.link);
    channels_destroy(controller.channels);
    loop_destroy(controller.loop);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_link_comes_again),
                                       cmocka_unit_test(the_channel_comes_again)};
    return cmocka_run_group_tests(tests, make_controller, end_controller);
}
