/*
 * kiln-connect watch: changes of VMs as they happen, until told to stop.
 *
 * In: the WebSocket /v1/events. Out: a line a change. Kept: the number of the last change, to go on from
 * there when the connection was lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/connect_again.h"
#include "src/io/loop.h"
#include "src/io/ws.h"

struct watch {
    struct connect *connect; /* borrowed */
    const char *vm;          /* id, or NULL for all */
    const char *until;       /* state to end at, or NULL */
    struct ws *ws;
    int64_t last_seq; /* of the last change that came; 0: none did */
    bool opened;
    bool lost; /* after it was open */
    bool over; /* its time is */
    bool done;
    int exit_code;
};

static void watch_end(struct watch *watch, int exit_code)
{
    watch->done = true;
    watch->exit_code = exit_code;
}

/* Ends at the state that was asked for, and at the end of the VM. */
static void look_for_end(struct watch *watch, const char *state)
{
    if (!watch->until)
        return;
    if (strcmp(state, watch->until) == 0)
        watch_end(watch, CLI_OK);
    else if (strcmp(state, "destroyed") == 0)
        watch_end(watch, CLI_REFUSED);
}

static void print_change(const struct json *change)
{
    char time[CLI_TIME_BYTES], line[512];
    snprintf(line, sizeof line, "%s  %s  %s -> %s  %s %s %s",
             cli_time_text(connect_int(change, "time"), time), connect_shown(change, "name"),
             connect_shown(change, "from"), connect_text(change, "to"), connect_text(change, "story"),
             connect_text(change, "code"), connect_text(change, "detail"));
    cli_print_text(stdout, line);
    putchar('\n');
    fflush(stdout);
}

static void on_message(void *arg, enum ws_kind kind, const void *bytes, size_t len_bytes)
{
    struct watch *watch = arg;
    struct json *change;
    if (kind != WS_TEXT || json_parse(bytes, len_bytes, NULL, &change) < 0) {
        watch_end(watch, cli_unreachable_error("the host's event is malformed"));
        return;
    }
    watch->last_seq = connect_int(change, "seq");
    if (!watch->vm || strcmp(connect_text(change, "vm"), watch->vm) == 0) {
        if (watch->connect->json) {
            connect_print_json(change);
            fflush(stdout);
        } else {
            print_change(change);
        }
        look_for_end(watch, connect_text(change, "to"));
    }
    json_destroy(change);
}

/* What was true before the first event must count too: it is asked for once the events flow. */
static void on_open(void *arg)
{
    struct watch *watch = arg;
    watch->opened = true;
}

static void on_close(void *arg, const struct ws_close *close)
{
    struct watch *watch = arg;
    watch->ws = NULL;
    if (watch->opened && !watch->done)
        watch->lost = true;
    else if (!watch->done)
        watch_end(watch, connect_say_close(close, "events"));
}

static void on_timeout(void *arg)
{
    struct watch *watch = arg;
    watch->over = true;
    cli_mute(false);
    watch_end(watch, cli_failure("DEADLINE_PASSED", "the state was not reached in time", NULL));
}

static int watch_open(struct watch *watch)
{
    static const struct ws_ops ops = {on_open, on_message, NULL, on_close};
    struct connect *connect = watch->connect;
    char headers[128], path[48] = "/v1/events";
    if (watch->last_seq > 0)
        snprintf(path, sizeof path, "/v1/events?since=%lld", (long long)watch->last_seq);
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", connect->token);
    struct ws_target target = {
        .host = connect->host, .port = connect->port, .target = path, .headers = headers};
    watch->opened = watch->lost = false;
    int error = ws_connect(connect->loop, connect->tls, &target, NULL, &ops, watch, &watch->ws);
    if (error)
        return cli_unreachable_error("events: %s", strerror(-error));
    while (!watch->opened && !watch->done)
        loop_step(connect->loop, true);
    return watch->exit_code;
}

static int look_at_present(struct watch *watch)
{
    char path[80];
    struct json *vm;
    if (!watch->until)
        return CLI_OK;
    snprintf(path, sizeof path, "/v1/vms/%.36s", watch->vm);
    int exit_code = connect_call(watch->connect, "GET", path, NULL, false, &vm);
    if (exit_code != CLI_OK)
        return exit_code;
    if (!watch->done)
        look_for_end(watch, connect_text(vm, "state"));
    json_destroy(vm);
    return CLI_OK;
}

static int try_once(struct watch *watch)
{
    watch->done = false;
    watch->exit_code = CLI_OK;
    return watch_open(watch);
}

/* The session may have ended with the host that held it. */
static int try_again(struct watch *watch)
{
    int exit_code = try_once(watch);
    if (exit_code != CLI_NOT_ALLOWED)
        return exit_code;
    exit_code = connect_login(watch->connect);
    return exit_code == CLI_OK ? try_once(watch) : exit_code;
}

/* The host or the network was lost: the changes since then come first. */
static void watch_again(struct watch *watch)
{
    struct backoff backoff = {.first_ms = CONNECT_AGAIN_FIRST_MS, .last_ms = CONNECT_AGAIN_LAST_MS};
    int exit_code = CLI_UNREACHABLE;
    while (exit_code == CLI_UNREACHABLE && !watch->over) {
        connect_again_wait(watch->connect, &backoff, &watch->over);
        cli_mute(true);
        exit_code = try_again(watch);
        cli_mute(false);
    }
    if (exit_code == CLI_OK && !watch->done)
        exit_code = look_at_present(watch);
    if (exit_code != CLI_OK && !watch->over)
        watch_end(watch, cli_failure(NULL, "the changes can be followed no more", NULL));
}

static void watch_on(struct watch *watch)
{
    if (watch->lost)
        watch_again(watch);
    else
        loop_step(watch->connect->loop, true);
}

static int watch_run(struct watch *watch, const char *timeout)
{
    struct loop_timer *timer = NULL;
    struct connect *connect = watch->connect;
    int exit_code = watch_open(watch);
    if (exit_code == CLI_OK)
        exit_code = look_at_present(watch);
    if (exit_code == CLI_OK && timeout && loop_timer_create(connect->loop, on_timeout, watch, &timer) == 0)
        loop_timer_arm(timer, strtoul(timeout, NULL, 10) * 1000);
    if (exit_code == CLI_OK) {
        while (!watch->done)
            watch_on(watch);
        exit_code = watch->exit_code;
    }
    loop_timer_destroy(timer);
    if (watch->ws)
        ws_close(watch->ws, WS_ABNORMAL, NULL);
    return exit_code;
}

int connect_watch_run(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct watch watch = {.connect = connect};
    struct json *vm = NULL;
    const char *timeout = NULL;
    const struct cli_option options[] = {CLI_VALUE("--until", &watch.until), CLI_VALUE("--timeout", &timeout),
                                         CLI_END};
    int exit_code = cli_words_read(argc, argv, options, 0, 1, &words);
    if (exit_code == CLI_OK && watch.until && words.count == 0)
        exit_code = cli_usage_error("--until needs a VM");
    if (exit_code == CLI_OK)
        exit_code = connect_open(connect);
    if (exit_code == CLI_OK && words.count > 0)
        exit_code = connect_find_vm(connect, words.word[0], &vm);
    if (exit_code != CLI_OK)
        return exit_code;
    watch.vm = vm ? connect_text(vm, "id") : NULL;
    exit_code = watch_run(&watch, timeout);
    json_destroy(vm);
    return exit_code;
}
