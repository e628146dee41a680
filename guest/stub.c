/*
 * Stub: see stub.h.
 */
#include "guest/stub.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "guest/boot.h"
#include "guest/child.h"
#include "guest/console.h"
#include "guest/floor.h"
#include "guest/handover.h"
#include "guest/net_watch.h"
#include "guest/release.h"
#include "guest/tool.h"
#include "protocol/crypto.h"
#include "src/io/backoff.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/random.h"
#include "src/io/tls.h"

#define RELEASE_KEY_PATH "/etc/kiln/release.pub"
#define POLL_MS 60000      /* between looks for a newer release */
#define RETRY_FIRST_MS 200 /* after a failure; doubles */
#define RETRY_LAST_MS 5000
#define PATIENCE_MS 30000 /* how long the host may be out of reach before the console says so */
#define TRIES_PASSING 3   /* how often what may pass by itself is tried before the console says so */
#define AWAY_MS 15000     /* before a controller that did not reach the host starts again */
#define CRASHES_MAX 5     /* in CRASH_SPAN_MS: then it is given up */
#define CRASH_SPAN_MS 60000

struct stub {
    struct loop *loop; /* borrowed */
    struct stub_options options;
    struct console console;
    struct boot boot;
    struct utsname machine;
    char floor_path[PATH_MAX];
    uint64_t floor, version;
    uint8_t manifest[CRYPTO_HASH_BYTES], config[CRYPTO_HASH_BYTES];
    int controller_fd;         /* owned; -1: none yet */
    struct crypto_ec *key;     /* owned */
    struct tls_client *tls;    /* owned */
    struct release *release;   /* owned, while one is fetched */
    struct child *child;       /* owned */
    struct net_watch *network; /* owned */
    struct loop_timer *look;   /* owned: when to fetch next */
    struct loop_timer *again;  /* owned: when to start the controller again */
    struct backoff backoff;    /* of fetching the release */
    unsigned failures;         /* of fetching, in a row */
    int64_t began_ms;          /* first failure of that row */
    int64_t crashed_ms[CRASHES_MAX];
    unsigned crashes;
    bool running, stopping, given_up, ending;
};

static int random_bytes(void *arg, uint8_t *out, size_t len)
{
    (void)arg;
    random_fill(out, len);
    return 0;
}

static void start_controller(void *arg)
{
    struct stub *stub = arg;
    const struct child_start start = {.controller_fd = stub->controller_fd,
                                      .sysroot = stub->options.sysroot,
                                      .console_path = stub->options.console_path,
                                      .manifest = stub->manifest,
                                      .config = stub->config};
    int result = child_start(stub->child, &start);
    stub->running = result == 0;
    log_info("stub", "starts the controller", "version=%llu result=%d", (unsigned long long)stub->version,
             result);
    if (result < 0)
        console_fail(&stub->console, CODE_GUEST_CRASHED, "the controller cannot be started");
}

/* Whether the last CRASHES_MAX crashes all fall into CRASH_SPAN_MS. */
static bool count_crash(struct stub *stub)
{
    int64_t now_ms = loop_monotonic_ms();
    int64_t *oldest = &stub->crashed_ms[stub->crashes % CRASHES_MAX];
    bool too_many = stub->crashes >= CRASHES_MAX - 1 &&
                    now_ms - stub->crashed_ms[(stub->crashes + 1) % CRASHES_MAX] < CRASH_SPAN_MS;
    *oldest = now_ms;
    stub->crashes++;
    return too_many;
}

static void controller_crashed(struct stub *stub, int status)
{
    char detail[96];
    snprintf(detail, sizeof detail, "%u crashes, the last with status %d", stub->crashes + 1, status);
    log_warning("stub", "the controller crashed", "status=%d", status);
    if (count_crash(stub)) {
        stub->given_up = true;
        console_fail(&stub->console, CODE_GUEST_CRASHED, detail);
        return;
    }
    uint64_t delay_ms = RETRY_FIRST_MS;
    for (unsigned i = 1; i < stub->crashes && delay_ms < RETRY_LAST_MS; i++)
        delay_ms *= 2;
    loop_timer_arm(stub->again, delay_ms);
}

static void power_off(struct stub *stub)
{
    static const char *const argv[] = {"/usr/bin/systemctl", "poweroff", "--no-block", NULL};
    char said[TOOL_SAID_MAX];
    stub->ending = true;
    /* Under a false root there is no machine of ours to switch off. */
    if (stub->options.sysroot[0] != '\0')
        loop_stop(stub->loop);
    else if (tool_run(argv, NULL, said) < 0)
        log_error("stub", "cannot switch off", "said=%s", said);
}

static void controller_exited(void *arg, int status)
{
    struct stub *stub = arg;
    stub->running = false;
    if (stub->ending || stub->stopping || status == HANDOVER_UPDATE) {
        stub->stopping = false;
        /* After an update was announced the newest is fetched before anything starts. */
        if (!stub->ending)
            loop_timer_arm(status == HANDOVER_UPDATE ? stub->look : stub->again, 0);
    } else if (status == HANDOVER_SHUTDOWN) {
        power_off(stub);
    } else if (status == HANDOVER_UNREACHABLE) {
        loop_timer_arm(stub->again, AWAY_MS);
    } else if (status == HANDOVER_FAILED) {
        stub->given_up = true;
        log_error("stub", "the controller abandoned integration", "%s", "");
    } else {
        controller_crashed(stub, status);
    }
}

static void take_release(struct stub *stub, const struct release_outcome *outcome)
{
    if (outcome->version > stub->floor) {
        int result = floor_write(stub->floor_path, outcome->version);
        if (result < 0)
            log_error("stub", "the floor cannot be kept", "path=%s error=%s", stub->floor_path,
                      strerror(-result));
        stub->floor = outcome->version;
    }
    if (stub->controller_fd >= 0)
        close(stub->controller_fd);
    stub->controller_fd = outcome->controller_fd;
    stub->version = outcome->version;
    memcpy(stub->manifest, outcome->manifest, sizeof stub->manifest);
    memcpy(stub->config, outcome->config, sizeof stub->config);
    stub->given_up = false;
    stub->crashes = 0;
}

static void release_failed(struct stub *stub, const struct release_outcome *outcome)
{
    int64_t now_ms = loop_monotonic_ms();
    if (stub->failures++ == 0)
        stub->began_ms = now_ms;
    bool patient = outcome->network   ? now_ms - stub->began_ms < PATIENCE_MS
                   : outcome->passing ? stub->failures < TRIES_PASSING
                                      : false;
    log_warning("stub", "no release", "code=%d detail=\"%s\" patient=%d", outcome->code, outcome->detail,
                patient);
    if (!patient)
        console_fail(&stub->console, outcome->code, outcome->detail);
    bool soon = outcome->network || outcome->passing;
    loop_timer_arm(stub->look, soon ? backoff_next(&stub->backoff) : POLL_MS);
}

static void release_fetched(void *arg, const struct release_outcome *outcome)
{
    struct stub *stub = arg;
    stub->release = NULL;
    if (outcome->code != CODE_NONE) {
        release_failed(stub, outcome);
    } else {
        stub->failures = 0;
        backoff_reset(&stub->backoff);
        loop_timer_arm(stub->look, POLL_MS);
        if (outcome->newer)
            take_release(stub, outcome);
        if (outcome->newer && stub->running) {
            stub->stopping = true;
            child_stop(stub->child);
            return;
        }
    }
    /* What was there before serves on when the host has nothing better to give. */
    if (!stub->running && !stub->given_up && !stub->ending && stub->controller_fd >= 0 &&
        !loop_timer_armed(stub->again))
        start_controller(stub);
}

static void fetch_release(void *arg)
{
    struct stub *stub = arg;
    if (stub->release != NULL || stub->ending)
        return;
    const struct release_source source = {.host = stub->boot.data.host,
                                          .port = stub->boot.data.port,
                                          .tls = stub->tls,
                                          .key = stub->key,
                                          .architecture = stub->machine.machine,
                                          .floor = stub->floor,
                                          .running = stub->version};
    int result = release_fetch(stub->loop, &source, release_fetched, stub, &stub->release);
    if (result < 0) {
        struct release_outcome outcome = {
            .code = CODE_HOST_UNREACHABLE, .network = true, .controller_fd = -1};
        snprintf(outcome.detail, sizeof outcome.detail, "%s port %u: %s", source.host, source.port,
                 strerror(-result));
        release_fetched(stub, &outcome);
    }
}

/* An address or a route came: no need to wait for the rest of the delay. */
static void network_changed(void *arg)
{
    struct stub *stub = arg;
    if (stub->failures > 0 && stub->release == NULL)
        loop_timer_arm(stub->look, 0);
}

static int read_key(struct stub *stub)
{
    char path[PATH_MAX], pem[CRYPTO_PEM_MAX];
    snprintf(path, sizeof path, "%s%s", stub->options.sysroot, RELEASE_KEY_PATH);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, pem, sizeof pem - 1);
    if (fd >= 0)
        close(fd);
    if (len >= 0) {
        pem[len] = '\0';
        if (crypto_ec_decode_pem(pem, random_bytes, NULL, &stub->key) == 0)
            return 0;
    }
    console_fail(&stub->console, CODE_BOOT_DATA_MISSING,
                 "the release key " RELEASE_KEY_PATH " cannot be read");
    return -EINVAL;
}

static int read_data(struct stub *stub)
{
    char error[BOOT_ERROR_MAX] = "";
    int result = boot_read(stub->options.sysroot, &stub->boot, error);
    if (result < 0) {
        console_fail(&stub->console, CODE_BOOT_DATA_MISSING, error);
        return result;
    }
    result = read_key(stub);
    if (result < 0)
        return result;
    snprintf(stub->floor_path, sizeof stub->floor_path, "%s%s", stub->options.sysroot, FLOOR_PATH);
    result = floor_read(stub->floor_path, &stub->floor);
    if (result < 0)
        console_fail(&stub->console, CODE_BOOT_DATA_MISSING, "the version floor cannot be read");
    return result;
}

int stub_create(struct loop *loop, const struct stub_options *options, struct stub **ret_stub)
{
    struct stub *stub = calloc(1, sizeof *stub);
    if (stub == NULL)
        return -ENOMEM;
    *stub = (struct stub){.loop = loop,
                          .options = *options,
                          .controller_fd = -1,
                          .backoff = {.first_ms = RETRY_FIRST_MS, .last_ms = RETRY_LAST_MS}};
    console_init(&stub->console, options->console_path);
    uname(&stub->machine);
    int result = read_data(stub);
    if (result == 0)
        result = tls_client_create(stub->boot.data.edge, &stub->tls);
    if (result == 0)
        result = child_create(loop, controller_exited, stub, &stub->child);
    if (result == 0)
        result = loop_timer_create(loop, fetch_release, stub, &stub->look);
    if (result == 0)
        result = loop_timer_create(loop, start_controller, stub, &stub->again);
    if (result == 0)
        result = net_watch_create(loop, network_changed, stub, &stub->network);
    if (result < 0) {
        stub_destroy(stub);
        return result;
    }
    loop_timer_arm(stub->look, 0);
    *ret_stub = stub;
    return 0;
}

void stub_destroy(struct stub *stub)
{
    if (stub == NULL)
        return;
    release_cancel(stub->release);
    net_watch_destroy(stub->network);
    if (stub->look != NULL)
        loop_timer_destroy(stub->look);
    if (stub->again != NULL)
        loop_timer_destroy(stub->again);
    child_destroy(stub->child);
    tls_client_destroy(stub->tls);
    crypto_ec_destroy(stub->key);
    if (stub->controller_fd >= 0)
        close(stub->controller_fd);
    free(stub);
}
