/*
 * Terminals: a user's shell, flow control, sizes, its end; what lives on when nobody has joined or the
 * controller is gone, and how it is found and joined again.
 */
#include "tests/unit/guest_screen.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>

#define BIG 1000000 /* a grant that no test uses up */

static void test_shell(void **state)
{
    (void)state;
    struct screen *screen = screen_open("tester", 60, BIG);
    screen_type(screen, "echo $((6*7))-$USER-$TERM; stty size; pwd\n");
    screen_wait(screen, "42-tester-xterm-256color");
    screen_wait(screen, "31 99");
    terminal_resize(screen->terminal, 50, 120);
    screen_type(screen, "stty size; exit 7\n");
    screen_wait_end(screen);
    assert_non_null(strstr(screen->shown, "50 120"));
    assert_int_equal(screen->status, 7);
    assert_true(screen->taken > 0);
    assert_null(terminals_find(terminals, screen->id, screen_owner));
    free(screen);
}

static void test_nothing_comes_ungranted_and_nothing_is_lost(void **state)
{
    (void)state;
    struct screen *screen = screen_open("tester", 60, 0);
    screen_type(screen, "seq 1000 | tr '\\n' +; echo; exit\n");
    while (!screen->ended) {
        if (screen->granted == 0) {
            screen->granted = 100;
            terminal_grant(screen->terminal, 100);
        }
        loop_step(loop, true);
    }
    assert_non_null(strstr(screen->shown, "+999+1000+"));
    free(screen);
}

/* Without credit `yes` is stopped: however often we look, no more has been shown. */
static void test_a_flood_is_stopped(void **state)
{
    (void)state;
    struct screen *screen = screen_open("tester", 60, 0);
    screen_type(screen, "yes\n");
    for (int looks = 0; looks < 20; looks += screen->there == TERMINAL_UNSENT_MAX) {
        screen_join(screen, 0, 0);
        assert_true(screen->there <= TERMINAL_UNSENT_MAX);
    }
    terminal_hang_up(screen->terminal);
    assert_true(screen->ended);
    free(screen);
}

static void test_joined_again_at_its_place(void **state)
{
    (void)state;
    struct screen *screen = screen_open("tester", 60, BIG);
    screen_type(screen, "echo ready; read x; seq 1000; echo last=$x\n");
    screen_wait(screen, "ready\r\n");
    screen_type(screen, "one\n");
    screen_wait(screen, "\r\n7\r\n");
    terminal_leave(screen->terminal);
    screen_join(screen, screen->len, BIG);
    screen_wait(screen, "last=one\r\n");
    /* Every number once, in order. */
    const char *at = strstr(screen->shown, "\r\n1\r\n2\r\n");
    for (int i = 1; i <= 1000; i++) {
        char line[16];
        snprintf(line, sizeof line, "\r\n%d\r\n", i);
        assert_non_null(at);
        assert_int_equal(strncmp(at, line, strlen(line)), 0);
        at += strlen(line) - 2;
    }
    screen_join(screen, screen->len + 1000, BIG);
    assert_true(screen->from == TERMINAL_NOWHERE);
    terminal_hang_up(screen->terminal);
    free(screen);
}

static void test_what_is_forgotten_while_nobody_looks(void **state)
{
    (void)state;
    struct screen *screen = screen_open("tester", 60, BIG);
    int watch = inotify_init1(IN_CLOEXEC);
    assert_true(inotify_add_watch(watch, fixture_path("home"), IN_CREATE) >= 0);
    screen_type(screen, "seq 100000; echo the end; >flooded\n");
    screen_wait(screen, "\r\n9\r\n");
    size_t before = screen->len;
    terminal_leave(screen->terminal);
    /* Nobody takes it, and it runs to its end. */
    struct pollfd wait = {.fd = watch, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 60000), 1);
    close(watch);
    screen->len = 0;
    memset(screen->shown, 0, sizeof screen->shown);
    screen_join(screen, before, BIG);
    screen_wait(screen, "the end\r\n");
    assert_true(screen->from > before && screen->there - screen->from <= TERMINAL_RING_BYTES);
    /* It begins with a whole line. */
    int first = atoi(screen->shown);
    char line[32];
    snprintf(line, sizeof line, "%d\r\n%d\r\n", first, first + 1);
    assert_int_equal(strncmp(screen->shown, line, strlen(line)), 0);
    terminal_hang_up(screen->terminal);
    free(screen);
}

static void test_the_newest_wins(void **state)
{
    (void)state;
    struct screen *screen = screen_open("tester", 60, BIG);
    screen_type(screen, "echo fir''st\n");
    screen_wait(screen, "first");
    struct screen *other = calloc(1, sizeof *other);
    other->terminal = screen->terminal;
    screen_join(other, TERMINAL_NOWHERE, BIG);
    assert_true(screen->displaced);
    size_t len = screen->len;
    screen_type(other, "echo sec''ond\n");
    screen_wait(other, "second");
    assert_non_null(strstr(other->shown, "first"));
    assert_int_equal(screen->len, len);
    terminal_hang_up(other->terminal);
    assert_false(screen->ended);
    free(other);
    free(screen);
}

/* Its connections are gone as after SIGKILL; what is typed after is heard by the same shell. */
static void test_a_controllers_end(void **state)
{
    (void)state;
    static const uint8_t stranger[TERMINAL_OWNER_LEN] = "somebody else";
    struct screen *screen = screen_open("tester", 60, BIG);
    screen_type(screen, "kept=yes; seq 50000; echo do''ne\n");
    screen_wait(screen, "\r\n5\r\n");
    screen_lose_controller(screen);
    assert_null(terminals_find(terminals, screen->id, stranger));
    assert_string_equal(terminal_info(screen->terminal)->user, "tester");
    assert_int_equal(terminal_info(screen->terminal)->rows, 31);
    screen_join(screen, screen->len, BIG);
    screen_wait(screen, "done\r\n");
    screen_type(screen, "echo still=$kept; exit 3\n");
    screen_wait_end(screen);
    assert_non_null(strstr(screen->shown, "still=yes"));
    assert_int_equal(screen->status, 3);
    free(screen);
}

static void test_an_end_that_nobody_saw(void **state)
{
    (void)state;
    struct screen *screen = screen_open("tester", 60, BIG);
    int pidfd = pidfd_open(screen_shell(screen), 0);
    /* The shell waits for us, who come after the controller's end. */
    char *fifo = strdup(fixture_path("home/fifo"));
    assert_int_equal(mkfifo(fifo, 0666), 0);
    screen_type(screen, "cat fifo; echo last words; exit 5\n");
    screen_wait(screen, "exit 5\r\n");
    size_t before = screen->len;
    terminals_destroy(terminals);
    close(open(fifo, O_WRONLY | O_CLOEXEC));
    free(fifo);
    struct pollfd wait = {.fd = pidfd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 20000), 1);
    close(pidfd);
    assert_int_equal(terminals_create(loop, fixture_path("terminals"), &terminals), 0);
    while ((screen->terminal = terminals_find(terminals, screen->id, screen_owner)) == NULL)
        loop_step(loop, true);
    screen_join(screen, before, BIG);
    screen_wait_end(screen);
    assert_non_null(strstr(screen->shown, "last words\r\n"));
    assert_int_equal(screen->status, 5);
    free(screen);
}

static void test_not_kept_is_hung_up(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct screen *screen = screen_open("tester", way == 0 ? 60 : 0, BIG);
        int pidfd = pidfd_open(screen_shell(screen), 0);
        if (way == 0)
            terminal_hang_up(screen->terminal);
        else if (way == 1)
            terminal_leave(screen->terminal);
        else
            terminals_destroy(terminals);
        struct pollfd wait = {.fd = pidfd, .events = POLLIN};
        assert_int_equal(poll(&wait, 1, 20000), 1);
        close(pidfd);
        free(screen);
    }
    assert_int_equal(terminals_create(loop, fixture_path("terminals"), &terminals), 0);
}

static void test_a_full_screen_is_drawn_again(void **state)
{
    (void)state;
    struct screen *screen = screen_open("tester", 60, BIG);
    screen_type(screen, "trap 'echo drawn $((n+=1)).' WINCH; echo wait''ing; while :; do read x; done\n");
    screen_wait(screen, "waiting");
    terminal_leave(screen->terminal);
    /* Whoever has seen everything needs nothing drawn; whoever has not does. The read's end runs the trap. */
    screen_join(screen, screen->len, BIG);
    screen_type(screen, "\n");
    terminal_leave(screen->terminal);
    screen_join(screen, TERMINAL_NOWHERE, BIG);
    screen_type(screen, "\n");
    screen_wait(screen, "drawn 1.");
    terminal_hang_up(screen->terminal);
    free(screen);
}

static void test_nobody_else(void **state)
{
    (void)state;
    static const char *const users[] = {"root", "no-such-user"};
    for (size_t i = 0; i < 2; i++) {
        struct screen *screen = screen_open(users[i], 60, BIG);
        screen_wait_end(screen);
        assert_int_equal(screen->status, 127);
        free(screen);
    }
}

static void test_there_are_not_too_many(void **state)
{
    (void)state;
    struct screen *screens[TERMINALS_MAX];
    const struct terminal_start start = {
        .user = "tester", .term = "dumb", .rows = 1, .columns = 1, .owner = screen_owner};
    struct terminal *terminal;
    for (int i = 0; i < TERMINALS_MAX; i++)
        screens[i] = screen_open("tester", 60, BIG);
    assert_int_equal(terminals_open(terminals, &start, &terminal), -EMFILE);
    for (int i = 0; i < TERMINALS_MAX; i++) {
        terminal_hang_up(screens[i]->terminal);
        free(screens[i]);
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

int main(int argc, char **argv)
{
    if (terminal_holder_asked(argc, argv))
        return terminal_hold(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shell),
        cmocka_unit_test(test_nothing_comes_ungranted_and_nothing_is_lost),
        cmocka_unit_test(test_a_flood_is_stopped),
        cmocka_unit_test(test_joined_again_at_its_place),
        cmocka_unit_test(test_what_is_forgotten_while_nobody_looks),
        cmocka_unit_test(test_the_newest_wins),
        cmocka_unit_test(test_a_controllers_end),
        cmocka_unit_test(test_an_end_that_nobody_saw),
        cmocka_unit_test(test_not_kept_is_hung_up),
        cmocka_unit_test(test_a_full_screen_is_drawn_again),
        cmocka_unit_test(test_nobody_else),
        cmocka_unit_test(test_there_are_not_too_many),
        cmocka_unit_test(test_strange_term),
    };
    return cmocka_run_group_tests(tests, screen_make_world, screen_remove_world);
}
