/*
 * kiln-connect terminal: a shell in the VM over its channel, on this terminal.
 *
 * In: keys typed, window sizes. Out: what the shell shows. Kept: the terminal's settings, put back at the
 * end; how far the shell's output was shown. Ctrl-] leaves at once, whatever the VM does; the shell runs on.
 * When the channel is lost it is attached to again at the byte that was missed.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "src/cli/connect_again.h"
#include "src/cli/connect_pair.h"
#include "src/cli/connect_terminal.h"
#include "src/io/loop.h"

enum {
    LEAVE_KEY = 0x1d,
    PIECE_BYTES = 4096,
    ID_CHARACTERS = 16, /* of a terminal's id (README 7.7) */
    ATTACH_TIMEOUT_MS = 30000,
    ATTACH_TRIES = 50 /* a controller that crashed is ready again a moment after the channel is there */
};

struct terminal {
    struct connect *connect;         /* borrowed */
    const struct json *vm;           /* borrowed */
    struct connect_channel *channel; /* owned; NULL while it is lost */
    uint32_t stream;                 /* 0: not open */
    char id[ID_CHARACTERS + 1];      /* "": it cannot be attached to again */
    uint64_t from, got;              /* where the stream begins in its output; what came on it */
    struct channel_flow flow;
    struct loop_watch *input; /* owned */
    struct termios before;
    bool raw;         /* `before` is to be put back */
    bool input_ended; /* end of file: the shell is told */
    bool lost;        /* the channel ended under it */
    bool left;        /* the person left, and the shell runs on */
    bool done;
    int status;
};

/* While it is lost the key to leave is looked for on a terminal; what comes from a file or a program waits.
 */
static void watch_input(struct terminal *terminal)
{
    bool may = terminal->stream ? channel_flow_allowed(&terminal->flow, 1) > 0 : terminal->raw;
    may = may && !terminal->input_ended;
    if (terminal->input)
        loop_watch_set(terminal->input, may ? LOOP_READ : 0);
}

static void finish(struct terminal *terminal, int status)
{
    terminal->done = true;
    terminal->status = status;
}

static void show(const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t done = write(STDOUT_FILENO, bytes, len);
        if (done < 0 && errno != EINTR && errno != EAGAIN)
            return;
        if (done > 0) {
            bytes += done;
            len -= (size_t)done;
        }
    }
}

static void on_stream(void *arg, const struct channel_record *record)
{
    struct terminal *terminal = arg;
    if (record->kind == CHANNEL_DATA) {
        if (channel_flow_received(&terminal->flow, record->bytes.len) < 0) {
            finish(terminal, cli_unreachable_error("the VM sends more than it may"));
            return;
        }
        show(record->bytes.bytes, record->bytes.len);
        terminal->got += record->bytes.len;
        uint32_t credit = channel_flow_consumed(&terminal->flow, record->bytes.len);
        if (credit > 0)
            connect_channel_send_credit(terminal->channel, record->stream, credit);
    } else if (record->kind == CHANNEL_MORE_CREDIT) {
        if (channel_flow_granted(&terminal->flow, record->credit) < 0)
            finish(terminal, cli_unreachable_error("the VM grants more than there is"));
        watch_input(terminal);
    }
}

static void on_notification(void *arg, const char *method, const struct json *params)
{
    struct terminal *terminal = arg;
    if (strcmp(method, "terminal.exited") == 0) {
        terminal->stream = 0;
        finish(terminal, (int)(connect_int(params, "status") & 0xff));
    } else if (strcmp(method, "terminal.detached") == 0) {
        terminal->stream = 0;
        finish(terminal, cli_unreachable_error("somebody attached to this terminal from elsewhere"));
    }
}

static void on_end(void *arg)
{
    struct terminal *terminal = arg;
    terminal->stream = 0;
    terminal->lost = true;
    watch_input(terminal);
}

static void on_input(int ready, void *arg)
{
    struct terminal *terminal = arg;
    uint8_t bytes[PIECE_BYTES];
    (void)ready;
    size_t room = terminal->stream ? channel_flow_allowed(&terminal->flow, sizeof bytes) : sizeof bytes;
    ssize_t len = read(STDIN_FILENO, bytes, room);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0) {
        terminal->input_ended = true;
        if (terminal->stream)
            connect_channel_send(terminal->channel, terminal->stream, CHANNEL_END, NULL, 0);
    } else if (terminal->raw && memchr(bytes, LEAVE_KEY, (size_t)len)) {
        terminal->left = true;
        finish(terminal, CLI_OK);
    } else if (terminal->stream) {
        channel_flow_sent(&terminal->flow, (size_t)len);
        connect_channel_send(terminal->channel, terminal->stream, CHANNEL_DATA, bytes, (size_t)len);
    }
    crypto_wipe(bytes, sizeof bytes);
    watch_input(terminal);
}

static void write_size(struct json_writer *params)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    json_write_int(params, "rows", size.ws_row);
    json_write_int(params, "columns", size.ws_col);
}

static void on_resize(int signo, void *arg)
{
    struct terminal *terminal = arg;
    struct json_writer params = json_writer_init(0);
    (void)signo;
    json_write_object_begin(&params, NULL);
    json_write_int(&params, "stream", terminal->stream);
    write_size(&params);
    json_write_object_end(&params);
    if (terminal->stream && !terminal->done)
        connect_channel_tell(terminal->channel, "terminal.resize", params.text);
    json_writer_finish(&params);
}

static void on_terminate(int signo, void *arg)
{
    finish(arg, 128 + signo);
}

/* A signal that ends us must not leave the terminal raw. */
static void watch_signals(struct terminal *terminal)
{
    static const int ends[] = {SIGHUP, SIGINT, SIGTERM};
    struct loop *loop = terminal->connect->loop;
    loop_on_signal(loop, SIGWINCH, on_resize, terminal);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        loop_on_signal(loop, ends[i], on_terminate, terminal);
}

static int take_stream(struct terminal *terminal, const struct json *result)
{
    int64_t stream = connect_int(result, "stream");
    const char *id = connect_text(result, "terminal");
    if (stream < 1 || stream > UINT32_MAX)
        return cli_unreachable_error("the VM names no stream");
    terminal->stream = (uint32_t)stream;
    if (connect_terminal_id_valid(id))
        memcpy(terminal->id, id, sizeof terminal->id);
    return CLI_OK;
}

static int open_stream(struct terminal *terminal, const struct connect_terminal_wish *wish)
{
    const char *term = getenv("TERM");
    struct json *result;
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    write_size(&params);
    json_write_text(&params, "term", term && *term ? term : "dumb");
    if (wish->keep_s >= 0)
        json_write_int(&params, "keep_s", wish->keep_s);
    if (wish->user)
        json_write_text(&params, "user", wish->user);
    json_write_object_end(&params);
    int exit_code = connect_channel_call(terminal->channel, "terminal.open", params.text, &result);
    json_writer_finish(&params);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = take_stream(terminal, result);
    json_destroy(result);
    return exit_code;
}

/* Asks to attach at the byte that was missed (or wherever the VM can, when none was seen), again while the VM
 * is not ready for it. */
static void ask_to_attach(struct terminal *terminal, struct connect_result *ret_result)
{
    struct json_writer params = json_writer_init(0);
    struct backoff backoff = {.first_ms = 200, .last_ms = 2000};
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "terminal", terminal->id);
    if (terminal->from > 0)
        json_write_int(&params, "from", (int64_t)terminal->from);
    write_size(&params);
    json_write_object_end(&params);
    for (int i = 0; i < ATTACH_TRIES; i++) {
        connect_channel_ask(terminal->channel, "terminal.attach", params.text, ATTACH_TIMEOUT_MS, ret_result);
        if (!ret_result->failed || strcmp(ret_result->name, "CONFLICT") != 0 || terminal->done)
            break;
        connect_again_wait(terminal->connect, &backoff, &terminal->done);
    }
    json_writer_finish(&params);
}

static int attach_stream(struct terminal *terminal)
{
    struct connect_result result;
    cli_mute(true);
    ask_to_attach(terminal, &result);
    cli_mute(false);
    if (result.exit_code != CLI_OK)
        return result.exit_code;
    if (result.failed)
        return cli_failure(*result.name ? result.name : NULL, result.words, result.detail);
    terminal->from = (uint64_t)connect_int(result.result, "from");
    int exit_code = take_stream(terminal, result.result);
    json_destroy(result.result);
    return exit_code;
}

static void make_raw(struct terminal *terminal)
{
    struct termios raw;
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &terminal->before) < 0)
        return;
    raw = terminal->before;
    cfmakeraw(&raw);
    terminal->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    if (terminal->raw)
        fputs("(Ctrl-] leaves)\r\n", stderr);
}

static void take_channel(struct terminal *terminal)
{
    static const struct connect_channel_ops ops = {on_stream, on_notification, on_end};
    terminal->lost = false;
    /* Output can come in one piece with the answer that begins it, so it is counted by itself. */
    terminal->from += terminal->got;
    terminal->got = 0;
    channel_flow_init(&terminal->flow);
    connect_channel_set_ops(terminal->channel, &ops, terminal);
}

static void say(const struct terminal *terminal, const char *words)
{
    fprintf(stderr, "(%s)%s", words, terminal->raw ? "\r\n" : "\n");
}

/* Channel and stream again. Leaves `lost` when the new ones are lost at once; finishes when there are none to
 * be had. */
static void come_again(struct terminal *terminal)
{
    connect_channel_close(terminal->channel);
    terminal->channel = NULL;
    say(terminal, "the connection is lost; the shell runs on and is attached to again");
    int exit_code =
        connect_again_channel(terminal->connect, terminal->vm, &terminal->done, &terminal->channel);
    if (exit_code == CLI_OK && terminal->channel) {
        take_channel(terminal);
        exit_code = attach_stream(terminal);
    }
    if (terminal->done)
        return;
    if (exit_code == CLI_OK)
        say(terminal, "connected again");
    else if (exit_code != CLI_UNREACHABLE)
        finish(terminal, CLI_UNREACHABLE);
    else
        terminal->lost = true;
    watch_input(terminal);
}

static void run_until_done(struct terminal *terminal)
{
    while (!terminal->done) {
        if (!terminal->lost)
            loop_step(terminal->connect->loop, true);
        else if (terminal->id[0])
            come_again(terminal);
        else
            finish(terminal, cli_unreachable_error("the VM closed the channel"));
    }
}

/* A terminal of before, or a new one. */
static int open_or_attach(struct terminal *terminal, const struct connect_terminal_wish *wish)
{
    if (!wish->id)
        return open_stream(terminal, wish);
    snprintf(terminal->id, sizeof terminal->id, "%s", wish->id);
    return attach_stream(terminal);
}

static int run_shell(struct terminal *terminal, const struct connect_terminal_wish *wish)
{
    struct loop *loop = terminal->connect->loop;
    take_channel(terminal);
    int exit_code = open_or_attach(terminal, wish);
    if (exit_code != CLI_OK)
        return exit_code;
    if (loop_watch_create(loop, STDIN_FILENO, on_input, terminal, &terminal->input) < 0)
        return cli_local_error("standard input is no terminal, pipe or socket");
    watch_signals(terminal);
    make_raw(terminal);
    watch_input(terminal);
    run_until_done(terminal);
    loop_watch_destroy(terminal->input);
    if (terminal->raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->before);
    if (terminal->left)
        fprintf(stderr, "\nThe shell runs on: kiln-connect terminal --attach %s %s\n", terminal->id,
                connect_text(terminal->vm, "id"));
    return terminal->status;
}

int connect_terminal_show(struct connect *connect, const struct json *vm, struct connect_channel *channel,
                          const struct connect_terminal_wish *wish)
{
    struct terminal terminal = {.connect = connect, .vm = vm, .channel = channel};
    int exit_code = run_shell(&terminal, wish);
    connect_channel_close(terminal.channel);
    return exit_code;
}
