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
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/cli/connect.h"

#define PROMPT "pass phrase: "

struct terminal {
    int fd; /* the person's side */
    pid_t child;
    char seen[1024]; /* all that was shown */
    size_t len;
};

/* A child in a terminal of its own, which asks and ends with 0 when it got "secret". */
static void terminal_open(struct terminal *terminal)
{
    *terminal = (struct terminal){.len = 0};
    terminal->child = forkpty(&terminal->fd, NULL, NULL, NULL);
    assert_true(terminal->child >= 0);
    if (terminal->child == 0) {
        struct connect connect = {.passphrase_fd = -1};
        char secret[CONNECT_SECRET_BYTES];
        int exit_code = connect_passphrase_read(&connect, PROMPT, false, secret);
        _exit(exit_code == CLI_OK && strcmp(secret, "secret") == 0 ? 0 : 1);
    }
}

/* Reads until TEXT was shown once more. */
static void terminal_await(struct terminal *terminal, const char *text)
{
    size_t from = terminal->len;
    while (!strstr(terminal->seen + from, text)) {
        ssize_t got =
            read(terminal->fd, terminal->seen + terminal->len, sizeof terminal->seen - 1 - terminal->len);
        if (got <= 0)
            fail_msg("instead of \"%s\": \"%s\"", text, terminal->seen + from);
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

/* Returns the child's status as of waitpid(2). The terminal is looked at before its last reader is gone. */
static int terminal_close(struct terminal *terminal)
{
    int status;
    assert_int_equal(waitpid(terminal->child, &status, 0), terminal->child);
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
            kill(terminal.child, ends[i].signo);
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
    /* A session leader's own stop key is ignored: nobody could continue it. */
    kill(terminal.child, SIGTSTP);
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
