/*
 * kiln-connect: what is asked of the person at the terminal.
 *
 * In: a descriptor that holds a pass phrase, or /dev/tty. Out: the pass phrase, in memory of the caller's.
 * Never from argv or the environment, which others can read.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "src/cli/connect.h"

/* One line without its end. -E2BIG too long, -ENODATA nothing, -EINTR when SIGNALS (a signalfd, -1: none) has
 * one. */
static int read_line(int fd, int signals, char *out, size_t max)
{
    struct pollfd both[] = {{.fd = signals, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    size_t len = 0;
    for (;;) {
        char c;
        int ready = poll(both, 2, -1);
        if (ready > 0 && both[0].revents)
            return -EINTR;
        ssize_t got = ready > 0 ? read(fd, &c, 1) : -1;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0 || c == '\n')
            break;
        if (len + 1 == max)
            return -E2BIG;
        out[len++] = c;
    }
    out[len] = '\0';
    return len > 0 ? 0 : -ENODATA;
}

static int ask(int tty, int signals, const char *prompt, char *out, size_t max)
{
    if (write(tty, prompt, strlen(prompt)) < 0)
        return -errno;
    return read_line(tty, signals, out, max);
}

/* Without echo, which is there again whatever ends it. */
static int ask_quietly(int tty, int signals, const char *prompt, char *out, size_t max)
{
    struct termios before, quiet;
    if (tcgetattr(tty, &before) < 0)
        return ask(tty, signals, prompt, out, max);
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(tty, TCSAFLUSH, &quiet);
    int error = ask(tty, signals, prompt, out, max);
    tcsetattr(tty, TCSAFLUSH, &before);
    if (write(tty, "\n", 1) < 0 && !error)
        error = -errno;
    return error;
}

/* Signals that would end or stop us with the terminal quiet; those that are ignored stay so. */
static void signals_that_act(sigset_t *set)
{
    static const int all[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    struct sigaction now;
    sigemptyset(set);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (sigaction(all[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(set, all[i]);
}

/* A signal acts once the terminal is as it was; whoever goes on after one (a stop) is asked again. */
static int ask_hidden(int tty, const char *prompt, char *out, size_t max)
{
    struct signalfd_siginfo caught = {.ssi_signo = 0};
    sigset_t set, before;
    signals_that_act(&set);
    sigprocmask(SIG_BLOCK, &set, &before);
    int signals = signalfd(-1, &set, SFD_CLOEXEC);
    int error = signals < 0 ? -errno : ask_quietly(tty, signals, prompt, out, max);
    if (error == -EINTR && read(signals, &caught, sizeof caught) == (ssize_t)sizeof caught)
        raise((int)caught.ssi_signo);
    if (signals >= 0)
        close(signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return caught.ssi_signo == SIGTSTP ? ask_hidden(tty, prompt, out, max) : error;
}

static int ask_on_terminal(const char *prompt, bool twice, char out[CONNECT_SECRET_BYTES])
{
    char again[CONNECT_SECRET_BYTES] = "";
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (tty < 0)
        return cli_local_error("there is no terminal to ask for the pass phrase: give --passphrase-fd");
    int error = ask_hidden(tty, prompt, out, CONNECT_SECRET_BYTES);
    bool same = true;
    if (!error && twice) {
        error = ask_hidden(tty, "once more: ", again, sizeof again);
        same = strcmp(out, again) == 0;
        crypto_wipe(again, sizeof again);
    }
    close(tty);
    if (error)
        return cli_local_error("no pass phrase was given");
    return same ? CLI_OK : cli_local_error("the two pass phrases differ");
}

int connect_passphrase_read(struct connect *connect, const char *prompt, bool twice,
                            char out[CONNECT_SECRET_BYTES])
{
    if (connect->passphrase_fd < 0)
        return ask_on_terminal(prompt, twice, out);
    int error = read_line(connect->passphrase_fd, -1, out, CONNECT_SECRET_BYTES);
    return error ? cli_local_error("descriptor %d holds no pass phrase", connect->passphrase_fd) : CLI_OK;
}

bool connect_confirm(const char *question)
{
    char answer[8];
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (tty < 0)
        return false;
    bool yes = ask(tty, -1, question, answer, sizeof answer) == 0 && strcmp(answer, "yes") == 0;
    close(tty);
    return yes;
}
