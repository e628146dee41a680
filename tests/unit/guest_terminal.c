/*
 * Terminals: a user's shell, flow control, sizes, its end; and what lives on when the controller is gone.
 * The program is its own holder, as the controller is.
 */
#include "tests/unit/guest_fixture.h"

#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "guest/terminal.h"
#include "guest/terminal_holder.h"
#include "src/io/loop.h"

#define SHOWN_MAX 65536

struct screen {
    struct terminal *terminal;
    char shown[SHOWN_MAX];
    size_t len, room, taken;
    int status;
    bool ended;
};

static struct loop *loop;

static size_t room(void *arg)
{
    return ((struct screen *)arg)->room;
}

static void show(void *arg, const uint8_t *bytes, size_t len)
{
    struct screen *screen = arg;
    assert_true(len <= screen->room && screen->len + len < SHOWN_MAX);
    memcpy(screen->shown + screen->len, bytes, len);
    screen->len += len;
    screen->room -= len;
}

static void taken(void *arg, size_t len)
{
    ((struct screen *)arg)->taken += len;
}

static void ended(void *arg, int status)
{
    struct screen *screen = arg;
    screen->ended = true;
    screen->status = status;
    terminal_close(screen->terminal);
    screen->terminal = NULL;
}

static struct screen *open_screen(const char *user, size_t bytes)
{
    static const struct terminal_ops ops = {
        .room = room, .on_data = show, .on_taken = taken, .on_exit = ended};
    const struct terminal_start start = {.user = user, .term = "xterm-256color", .rows = 31, .columns = 99};
    struct screen *screen = calloc(1, sizeof *screen);
    screen->room = bytes;
    assert_int_equal(terminal_open(loop, &start, &ops, screen, &screen->terminal), 0);
    return screen;
}

static void type(struct screen *screen, const char *text)
{
    assert_int_equal(terminal_write(screen->terminal, (const uint8_t *)text, strlen(text)), 0);
}

static void wait_text(struct screen *screen, const char *text)
{
    while (strstr(screen->shown, text) == NULL) {
        assert_false(screen->ended);
        loop_step(loop, true);
    }
}

static void wait_end(struct screen *screen)
{
    while (!screen->ended)
        loop_step(loop, true);
}

static void test_shell(void **state)
{
    (void)state;
    struct screen *screen = open_screen("tester", 60000);
    type(screen, "echo $((6*7))-$USER-$TERM; stty size; pwd\n");
    wait_text(screen, "42-tester-xterm-256color");
    wait_text(screen, "31 99");
    terminal_resize(screen->terminal, 50, 120);
    type(screen, "stty size; exit 7\n");
    wait_end(screen);
    assert_non_null(strstr(screen->shown, "50 120"));
    assert_int_equal(screen->status, 7);
    assert_true(screen->taken > 0);
    free(screen);
}

static void test_room(void **state)
{
    (void)state;
    struct screen *screen = open_screen("tester", 0);
    type(screen, "seq 1000 | tr '\\n' +; echo; exit\n");
    /* Nothing is shown without room, and nothing is lost: it comes piece by piece. */
    while (!screen->ended) {
        if (screen->room == 0) {
            screen->room = 100;
            terminal_resume(screen->terminal);
        }
        loop_step(loop, true);
    }
    assert_non_null(strstr(screen->shown, "+999+1000+"));
    free(screen);
}

static void test_nobody_else(void **state)
{
    (void)state;
    static const char *const users[] = {"root", "no-such-user"};
    for (size_t i = 0; i < 2; i++) {
        struct screen *screen = open_screen(users[i], 1000);
        wait_end(screen);
        assert_int_equal(screen->status, 127);
        free(screen);
    }
}

static void test_strange_term(void **state)
{
    (void)state;
    assert_true(terminal_term_is_plain("xterm-256color"));
    assert_false(terminal_term_is_plain(""));
    assert_false(terminal_term_is_plain("a b"));
    assert_false(terminal_term_is_plain("x\n"));
}

/* Its answer, not the echo of the question, has a digit after "pid=". */
static pid_t shell_of(struct screen *screen)
{
    int pid = 0;
    type(screen, "echo pid=$$=\n");
    while (pid == 0) {
        loop_step(loop, true);
        for (const char *at = screen->shown; pid == 0 && (at = strstr(at, "pid=")) != NULL; at++)
            if (strchr(at + 4, '=') != NULL)
                pid = atoi(at + 4);
    }
    return pid;
}

static void test_hang_up(void **state)
{
    (void)state;
    struct screen *screen = open_screen("tester", 60000);
    int pidfd = pidfd_open(shell_of(screen), 0);
    terminal_close(screen->terminal);
    struct pollfd wait = {.fd = pidfd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 10000), 1);
    close(pidfd);
    free(screen);
}

/* A controller that dies (a child of ours stands for it) leaves its shells running. */
static void test_outlives(void **state)
{
    (void)state;
    int ends[2];
    pid_t shell = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct screen *screen = open_screen("tester", 60000);
        shell = shell_of(screen);
        /* Much more than a terminal holds: it must not block when nobody reads any more. */
        type(screen, "trap '' HUP; seq 100000; echo done >$HOME/done; read x\n");
        wait_text(screen, "5\r\n6\r\n");
        _exit(write(ends[1], &shell, sizeof shell) == sizeof shell ? 0 : 1);
    }
    assert_int_equal(read(ends[0], &shell, sizeof shell), sizeof shell);
    waitpid(child, NULL, 0);
    int pidfd = pidfd_open(shell, 0);
    assert_true(pidfd >= 0);
    int watch = inotify_init1(IN_CLOEXEC);
    inotify_add_watch(watch, fixture_path("home"), IN_CLOSE_WRITE);
    struct pollfd wait[] = {{.fd = pidfd, .events = POLLIN}, {.fd = watch, .events = POLLIN}};
    if (access(fixture_path("home/done"), F_OK) < 0)
        assert_int_equal(poll(wait, 2, 20000), 1);
    assert_int_equal(wait[0].revents, 0);
    assert_int_equal(access(fixture_path("home/done"), F_OK), 0);
    assert_int_equal(kill(shell, SIGKILL), 0);
    assert_int_equal(poll(wait, 1, 10000), 1);
    close(pidfd);
    close(watch);
}

static int make_user(void **state)
{
    char line[PATH_MAX];
    if (fixture_make_world(state) < 0)
        return -1;
    snprintf(line, sizeof line, "%s", fixture_path("home"));
    if (fixture_run((const char *const[]){"/usr/sbin/useradd", "--uid", "1777", "--home-dir", line,
                                          "--create-home", "--shell", "/bin/sh", "tester", NULL}) < 0)
        return -1;
    return loop_create(&loop);
}

static int remove_user(void **state)
{
    loop_destroy(loop);
    return fixture_remove_world(state);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], TERMINAL_HOLDER_OPTION) == 0)
        return terminal_hold(argv[2], argv[3]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shell),       cmocka_unit_test(test_room),
        cmocka_unit_test(test_nobody_else), cmocka_unit_test(test_strange_term),
        cmocka_unit_test(test_hang_up),     cmocka_unit_test(test_outlives)};
    return cmocka_run_group_tests(tests, make_user, remove_user);
}
