/*
 * kiln-connect terminal: a shell in the VM over its channel, on this terminal.
 *
 * In: keys typed, window sizes. Out: what the shell shows. Kept: the terminal's settings, put back at the
 * end. Ctrl-] leaves at once, whatever the VM does.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "src/cli/connect_pair.h"
#include "src/cli/connect_terminal.h"
#include "src/io/loop.h"

enum { LEAVE_KEY = 0x1d, PIECE_BYTES = 4096 };

struct terminal {
    struct connect *connect;         /* borrowed */
    struct connect_channel *channel; /* borrowed */
    uint32_t stream;                 /* 0: not open yet */
    struct channel_flow flow;
    struct loop_watch *input; /* owned */
    struct termios before;
    bool raw;         /* `before` is to be put back */
    bool input_ended; /* end of file: the shell is told */
    bool done;
    int status;
};

static void watch_input(struct terminal *terminal)
{
    bool may = terminal->stream && !terminal->input_ended && channel_flow_allowed(&terminal->flow, 1) > 0;
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
    if (strcmp(method, "terminal.exited") == 0)
        finish(terminal, (int)(connect_int(params, "status") & 0xff));
}

static void on_end(void *arg)
{
    struct terminal *terminal = arg;
    if (!terminal->done)
        finish(terminal, cli_unreachable_error("the VM closed the channel"));
}

static void on_input(int ready, void *arg)
{
    struct terminal *terminal = arg;
    uint8_t bytes[PIECE_BYTES];
    (void)ready;
    ssize_t len = read(STDIN_FILENO, bytes, channel_flow_allowed(&terminal->flow, sizeof bytes));
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0) {
        terminal->input_ended = true;
        connect_channel_send(terminal->channel, terminal->stream, CHANNEL_END, NULL, 0);
    } else if (terminal->raw && memchr(bytes, LEAVE_KEY, (size_t)len)) {
        finish(terminal, CLI_OK);
    } else {
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

static int open_stream(struct terminal *terminal, const char *user)
{
    const char *term = getenv("TERM");
    struct json *result;
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    write_size(&params);
    json_write_text(&params, "term", term && *term ? term : "dumb");
    if (user)
        json_write_text(&params, "user", user);
    json_write_object_end(&params);
    int exit_code = connect_channel_call(terminal->channel, "terminal.open", params.text, &result);
    json_writer_finish(&params);
    if (exit_code != CLI_OK)
        return exit_code;
    int64_t stream = connect_int(result, "stream");
    json_destroy(result);
    if (stream < 1 || stream > UINT32_MAX)
        return cli_unreachable_error("the VM names no stream");
    terminal->stream = (uint32_t)stream;
    return CLI_OK;
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

static int run_shell(struct terminal *terminal, const char *user)
{
    static const struct connect_channel_ops ops = {on_stream, on_notification, on_end};
    struct loop *loop = terminal->connect->loop;
    connect_channel_set_ops(terminal->channel, &ops, terminal);
    channel_flow_init(&terminal->flow);
    int exit_code = open_stream(terminal, user);
    if (exit_code != CLI_OK)
        return exit_code;
    if (loop_watch_create(loop, STDIN_FILENO, on_input, terminal, &terminal->input) < 0)
        return cli_local_error("standard input is no terminal, pipe or socket");
    watch_signals(terminal);
    make_raw(terminal);
    watch_input(terminal);
    connect_wait(terminal->connect, &terminal->done);
    loop_watch_destroy(terminal->input);
    if (terminal->raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->before);
    return terminal->status;
}

int connect_terminal_run(struct connect *connect, int argc, char **argv)
{
    struct connect_words words;
    const char *user = NULL;
    const struct connect_option options[] = {{"--user", NULL, &user, NULL}, {NULL, NULL, NULL, NULL}};
    struct terminal terminal = {.connect = connect};
    struct json *vm;
    int exit_code = connect_words_read(argc, argv, options, 1, 1, &words);
    if (exit_code == CLI_OK)
        exit_code = connect_pair_begin(connect, words.word[0], &vm, &terminal.channel);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = run_shell(&terminal, user);
    connect_channel_close(terminal.channel);
    json_destroy(vm);
    return exit_code;
}
