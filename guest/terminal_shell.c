/*
 * Terminal shell: see terminal_shell.h.
 */
#include "guest/terminal_shell.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "guest/session.h"

#define NOT_THERE 127
#define FIRST_FD 3

/* The terminal's node is the user's too, for programs that open it by its name. */
static bool become(const struct passwd *user)
{
    session_limit(getpid());
    return fchown(STDIN_FILENO, user->pw_uid, (gid_t)-1) == 0 &&
           initgroups(user->pw_name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0 &&
           setuid(user->pw_uid) == 0;
}

static void set_environment(const struct passwd *user, const char *term)
{
    clearenv();
    setenv("HOME", user->pw_dir, 1);
    setenv("USER", user->pw_name, 1);
    setenv("LOGNAME", user->pw_name, 1);
    setenv("SHELL", user->pw_shell, 1);
    setenv("TERM", term, 1);
    setenv("LANG", "C.UTF-8", 1);
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
}

static _Noreturn void run_shell(const struct passwd *user, const char *term, int slave)
{
    /* The shell leads a session of its own with this terminal. */
    bool taken = setsid() >= 0 && ioctl(slave, TIOCSCTTY, 0) == 0 && dup2(slave, 0) == 0 &&
                 dup2(slave, 1) == 1 && dup2(slave, 2) == 2 && close_range(FIRST_FD, ~0U, 0) == 0;
    if (!taken || !become(user))
        _exit(NOT_THERE);
    set_environment(user, term);
    if (chdir(user->pw_dir) < 0 && chdir("/") < 0)
        _exit(NOT_THERE);
    /* A shell whose name begins with a dash is a login shell. */
    execl(user->pw_shell, "-shell", (char *)NULL);
    perror(user->pw_shell);
    _exit(NOT_THERE);
}

static int open_slave(int master)
{
    char path[64];
    if (grantpt(master) < 0 || unlockpt(master) < 0)
        return -errno;
    int error = ptsname_r(master, path, sizeof path);
    int fd = error != 0 ? -1 : open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (error != 0)
        return -error;
    return fd < 0 ? -errno : fd;
}

static int open_ends(struct terminal_shell *shell)
{
    shell->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (shell->master < 0)
        return -errno;
    shell->slave = open_slave(shell->master);
    if (shell->slave >= 0)
        return 0;
    close(shell->master);
    return shell->slave;
}

int terminal_shell_start(const char *name, const char *term, uint16_t rows, uint16_t columns,
                         struct terminal_shell *ret_shell)
{
    const struct passwd *user = getpwnam(name);
    struct terminal_shell shell = {.master = -1, .slave = -1};
    if (user == NULL)
        return -ENOENT;
    if (user->pw_uid == 0)
        return -EPERM;
    int result = open_ends(&shell);
    if (result < 0)
        return result;
    terminal_shell_resize(&shell, rows, columns, false);
    shell.pid = fork();
    if (shell.pid == 0)
        run_shell(user, term, shell.slave);
    if (shell.pid < 0) {
        result = -errno;
        close(shell.master);
        close(shell.slave);
        return result;
    }
    *ret_shell = shell;
    return 0;
}

void terminal_shell_resize(const struct terminal_shell *shell, uint16_t rows, uint16_t columns, bool redraw)
{
    const struct winsize size = {.ws_row = rows, .ws_col = columns};
    struct winsize before = {0};
    ioctl(shell->master, TIOCGWINSZ, &before);
    ioctl(shell->master, TIOCSWINSZ, &size);
    bool same = before.ws_row == rows && before.ws_col == columns;
    pid_t foreground = redraw && same ? tcgetpgrp(shell->master) : 0;
    if (foreground > 1)
        killpg(foreground, SIGWINCH);
}
