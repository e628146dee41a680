/*
 * Terminal holder: see terminal_holder.h.
 */
#include "guest/terminal_holder.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/session.h"

#define NOT_THERE 127

static bool take_terminal(void)
{
    char path[64];
    if (ptsname_r(TERMINAL_HOLDER_MASTER, path, sizeof path) != 0)
        return false;
    int slave = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    /* The shell leads a session of its own with this terminal. */
    return slave >= 0 && setsid() >= 0 && ioctl(slave, TIOCSCTTY, 0) == 0 && dup2(slave, 0) == 0 &&
           dup2(slave, 1) == 1 && dup2(slave, 2) == 2;
}

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

static _Noreturn void run_shell(const struct passwd *user, const char *term)
{
    bool taken = take_terminal();
    close(TERMINAL_HOLDER_MASTER);
    close(TERMINAL_HOLDER_LIFELINE);
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

/* The shell's status, once it has ended; -1 before. */
static int shell_status(pid_t shell)
{
    int status;
    pid_t pid = waitpid(shell, &status, WNOHANG);
    if (pid != shell)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void throw_away_output(void)
{
    char bytes[4096];
    ssize_t len = read(TERMINAL_HOLDER_MASTER, bytes, sizeof bytes);
    (void)len;
}

/* 0 the controller hung up, 1 it is gone without a word. */
static int read_lifeline(void)
{
    char word;
    return read(TERMINAL_HOLDER_LIFELINE, &word, sizeof word) == sizeof word ? 0 : 1;
}

static int keep_open(pid_t shell, int pidfd)
{
    bool orphaned = false, unheard = false;
    int status;
    while ((status = shell_status(shell)) < 0) {
        struct pollfd wait[] = {
            {.fd = pidfd, .events = POLLIN},
            {.fd = orphaned ? -1 : TERMINAL_HOLDER_LIFELINE, .events = POLLIN},
            {.fd = orphaned && !unheard ? TERMINAL_HOLDER_MASTER : -1, .events = POLLIN},
        };
        if (poll(wait, 3, -1) < 0 && errno != EINTR)
            return NOT_THERE;
        if (wait[2].revents & POLLIN)
            throw_away_output();
        else if (wait[2].revents != 0)
            unheard = true; /* nobody has the terminal open, and poll(2) would say so for ever */
        if (wait[1].revents == 0)
            continue;
        /* The last descriptor of the master closes with this process, and the kernel hangs up. */
        if (read_lifeline() == 0)
            return 0;
        orphaned = true;
    }
    return status;
}

int terminal_hold(const char *name, const char *term)
{
    const struct passwd *user = getpwnam(name);
    /* Root's shell is nobody's to have; the controller asks for users of the database only. */
    if (user == NULL || user->pw_uid == 0)
        return NOT_THERE;
    pid_t shell = fork();
    if (shell == 0)
        run_shell(user, term);
    int pidfd = shell < 0 ? -1 : pidfd_open(shell, 0);
    if (pidfd < 0)
        return NOT_THERE;
    return keep_open(shell, pidfd);
}
