/*
 * The pass phrase on a terminal: unseen while it is typed; whatever ends the question, the terminal echoes
 * again.
 */
#include <errno.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/cli/connect.h"

#define PROMPT "pass phrase: "

struct terminal {
    int fd;          /* the person's side */
    int leader;      /* to the session's leader */
    pid_t asking;    /* who asks, a child of the leader */
    char seen[1024]; /* all that was shown */
    size_t len;
};

static void ask(void)
{
    struct connect connect = {.passphrase_fd = -1};
    char secret[CONNECT_SECRET_BYTES];
    int exit_code = connect_passphrase_read(&connect, PROMPT, false, secret);
    _exit(exit_code == CLI_OK && strcmp(secret, "secret") == 0 ? 0 : 1);
}

/* With its end a session's leader hangs up the terminal, and what was not read yet is lost: it stays until it
 * is let go. */
static void lead(int test)
{
    int status, one;
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    pid_t asking = fork();
    if (asking == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGQUIT, SIG_DFL);
        ask();
    }
    bool told = write(test, &asking, sizeof asking) == (ssize_t)sizeof asking &&
                waitpid(asking, &status, 0) == asking &&
                write(test, &status, sizeof status) == (ssize_t)sizeof status;
    _exit(told && read(test, &one, sizeof one) == 0 ? 0 : 1);
}

/* Somebody in a terminal of their own, who asks and ends with 0 when it got "secret". */
static void terminal_open(struct terminal *terminal)
{
    int ends[2];
    *terminal = (struct terminal){.len = 0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    pid_t leader = forkpty(&terminal->fd, NULL, NULL, NULL);
    assert_true(leader >= 0);
    if (leader == 0) {
        close(ends[0]);
        lead(ends[1]);
    }
    close(ends[1]);
    terminal->leader = ends[0];
    assert_int_equal(read(terminal->leader, &terminal->asking, sizeof(pid_t)), sizeof(pid_t));
}

/* Reads until TEXT was shown once more. */
static void terminal_await(struct terminal *terminal, const char *text)
{
    size_t from = terminal->len;
    while (!strstr(terminal->seen + from, text)) {
        ssize_t got =
            read(terminal->fd, terminal->seen + terminal->len, sizeof terminal->seen - 1 - terminal->len);
        if (got <= 0)
            fail_msg("instead of \"%s\": \"%s\" (%s)", text, terminal->seen + from,
                     got < 0 ? strerror(errno) : "end");
        terminal->len += (size_t)got;
    }
}

static bool terminal_echoes(const struct terminal *terminal)
{
    struct termios now;
    assert_int_equal(tcgetattr(terminal->fd, &now), 0);
    return now.c_lflag & ECHO;
}

static void terminal_type(const struct terminal *terminal, const char *text)
{
    assert_int_equal(write(terminal->fd, text, strlen(text)), (int)strlen(text));
}

/* Returns how it ended, as of waitpid(2). */
static int terminal_close(struct terminal *terminal)
{
    int status;
    assert_int_equal(read(terminal->leader, &status, sizeof status), sizeof status);
    close(terminal->leader);
    assert_true(wait(NULL) >= 0);
    close(terminal->fd);
    return status;
}

static void what_is_typed_is_taken_and_not_shown(void **state)
{
    struct terminal terminal;
    (void)state;
    terminal_open(&terminal);
    terminal_await(&terminal, PROMPT);
    assert_false(terminal_echoes(&terminal));
    terminal_type(&terminal, "secret\n");
    terminal_await(&terminal, "\n");
    assert_null(strstr(terminal.seen, "secret"));
    assert_true(terminal_echoes(&terminal));
    assert_int_equal(terminal_close(&terminal), 0);
}

/* What a key at the terminal sends, and what others send. */
static void a_signal_ends_it_and_echo_is_back(void **state)
{
    static const struct {
        int signo;
        const char *key;
    } ends[] = {{SIGINT, "\x03"}, {SIGQUIT, "\x1c"}, {SIGTERM, NULL}, {SIGHUP, NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct terminal terminal;
        terminal_open(&terminal);
        terminal_await(&terminal, PROMPT);
        assert_false(terminal_echoes(&terminal));
        terminal_type(&terminal, "sec");
        if (ends[i].key)
            terminal_type(&terminal, ends[i].key);
        else
            kill(terminal.asking, ends[i].signo);
        terminal_await(&terminal, "\n");
        assert_true(terminal_echoes(&terminal));
        int status = terminal_close(&terminal);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == ends[i].signo);
        assert_null(strstr(terminal.seen, "sec"));
    }
}

static void whoever_stops_it_is_asked_again(void **state)
{
    struct terminal terminal;
    (void)state;
    terminal_open(&terminal);
    terminal_await(&terminal, PROMPT);
    assert_false(terminal_echoes(&terminal));
    terminal_type(&terminal, "wrong");
    /* Nobody could continue it: the process group is orphaned, and its stop is ignored. */
    kill(terminal.asking, SIGTSTP);
    terminal_await(&terminal, PROMPT);
    assert_false(terminal_echoes(&terminal));
    terminal_type(&terminal, "secret\n");
    terminal_await(&terminal, "\n");
    assert_true(terminal_echoes(&terminal));
    assert_int_equal(terminal_close(&terminal), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_typed_is_taken_and_not_shown),
        cmocka_unit_test(a_signal_ends_it_and_echo_is_back),
        cmocka_unit_test(whoever_stops_it_is_asked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
