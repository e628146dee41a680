/*
 * What users get of the controller's process: neither its limits nor its descriptors, and the terminal is
 * theirs; what a stranger at port 22 gets: one sshd, and no more of them than there may be.
 */
#include "tests/unit/guest_screen.h"

#include <ctype.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "guest/account.h"
#include "guest/controller.h"
#include "guest/sshd.h"
#include "protocol/users_db.h"

static void test_shell_is_ordinary(void **state)
{
    static const char questions[] =
        "stat -c 'tty=%U' \"$(tty)\"; echo oom=$(cat /proc/self/oom_score_adj); "
        "echo locked=$(ulimit -l); for fd in 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$fd ] || echo has=$fd; "
        "done; exit\n";
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    (void)state;
    setrlimit(RLIMIT_MEMLOCK, &all);
    fixture_write("/proc/self/oom_score_adj", "300", 3);
    struct screen *screen = screen_open("tester", 0, SCREEN_BYTES);
    screen_type(screen, questions);
    screen_wait_end(screen);
    fixture_write("/proc/self/oom_score_adj", "0", 1);
    assert_non_null(strstr(screen->shown, "tty=tester"));
    assert_non_null(strstr(screen->shown, "oom=0\r"));
    assert_non_null(strstr(screen->shown, "locked=8192\r"));
    /* What was typed is shown too, and has no digit there. */
    for (const char *at = screen->shown; (at = strstr(at, "has=")); at++)
        assert_false(isdigit((unsigned char)at[4]));
    free(screen);
}

static int connect_sshd(void)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    sshd_serve(loop, ends[1]);
    return ends[0];
}

static void test_strangers_are_counted(void **state)
{
    char said[SSHD_SAID_MAX] = "", byte;
    int held[SSHD_SESSIONS_MAX];
    (void)state;
    assert_int_equal(sshd_prepare(said), 0);
    for (int i = 0; i < SSHD_SESSIONS_MAX; i++)
        held[i] = connect_sshd();
    int more = connect_sshd();
    assert_int_equal(recv(more, &byte, 1, 0), 0);
    close(more);
    assert_int_equal(recv(held[0], &byte, 1, 0), 1);
    assert_int_equal(byte, 'S');
    for (int i = 0; i < SSHD_SESSIONS_MAX; i++)
        close(held[i]);
    /* Once one has gone, there is room for another. */
    do {
        loop_step(loop, true);
        more = connect_sshd();
        held[0] = (int)recv(more, &byte, 1, 0);
        close(more);
    } while (held[0] != 1);
    /* Until the last is reaped. */
    siginfo_t info;
    while (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) == 0)
        loop_step(loop, true);
}

/* The last test: the user goes. */
static void test_keys_go_with_their_user(void **state)
{
    static const char text[] = "{\"version\": 1, \"users\": [{\"name\": \"next\", \"uid\": 1778}]}";
    char said[TOOL_SAID_MAX] = "", place[USERS_DB_PLACE_BYTES];
    struct users_db *database;
    (void)state;
    assert_int_equal(sshd_prepare(said), 0);
    assert_int_equal(sshd_authorize("tester", "ssh-ed25519 AAAA"), 0);
    assert_int_equal(access(SSHD_FOLDER "/authorized/tester", F_OK), 0);
    assert_int_equal(users_db_parse(text, strlen(text), NULL, NULL, &database, place), 0);
    assert_int_equal(account_apply(database, fixture_folder, said), 0);
    assert_int_equal(access(SSHD_FOLDER "/authorized/tester", F_OK), -1);
    users_db_destroy(database);
}

static void test_stub_is_nobody_elses(void **state)
{
    struct controller *controller;
    int ends[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_int_equal(send(ends[0], "x", 1, 0), 1);
    const struct controller_options options = {.sysroot = "", .stub_fd = ends[1]};
    assert_true(controller_create(loop, &options, &controller) < 0);
    assert_int_equal(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
    close(ends[0]);
    close(ends[1]);
}

int main(int argc, char **argv)
{
    if (terminal_holder_asked(argc, argv))
        return terminal_hold(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shell_is_ordinary), cmocka_unit_test(test_strangers_are_counted),
        cmocka_unit_test(test_stub_is_nobody_elses), cmocka_unit_test(test_keys_go_with_their_user)};
    return cmocka_run_group_tests(tests, screen_make_world, screen_remove_world);
}
