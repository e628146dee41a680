/*
 * kiln-connect: what is asked of the person at the terminal.
 *
 * In: a descriptor that holds a pass phrase, or /dev/tty. Out: the pass phrase, in memory of the caller's.
 * Never from argv or the environment, which others can read.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "src/cli/connect.h"

/* One line without its end. -E2BIG too long, -ENODATA nothing. */
static int read_line(int fd, char *out, size_t max)
{
    size_t len = 0;
    for (;;) {
        char c;
        ssize_t got = read(fd, &c, 1);
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

static int ask(int tty, const char *prompt, bool hidden, char *out, size_t max)
{
    struct termios before, quiet;
    bool terminal = tcgetattr(tty, &before) == 0;
    if (write(tty, prompt, strlen(prompt)) < 0)
        return -errno;
    if (terminal && hidden) {
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(tty, TCSAFLUSH, &quiet);
    }
    int error = read_line(tty, out, max);
    if (terminal && hidden) {
        tcsetattr(tty, TCSAFLUSH, &before);
        if (write(tty, "\n", 1) < 0 && !error)
            error = -errno;
    }
    return error;
}

static int ask_on_terminal(const char *prompt, bool twice, char out[CONNECT_SECRET_BYTES])
{
    char again[CONNECT_SECRET_BYTES] = "";
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (tty < 0)
        return cli_local_error("there is no terminal to ask for the pass phrase: give --passphrase-fd");
    int error = ask(tty, prompt, true, out, CONNECT_SECRET_BYTES);
    bool same = true;
    if (!error && twice) {
        error = ask(tty, "once more: ", true, again, sizeof again);
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
    int error = read_line(connect->passphrase_fd, out, CONNECT_SECRET_BYTES);
    return error ? cli_local_error("descriptor %d holds no pass phrase", connect->passphrase_fd) : CLI_OK;
}

bool connect_confirm(const char *question)
{
    char answer[8];
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (tty < 0)
        return false;
    bool yes = ask(tty, question, false, answer, sizeof answer) == 0 && strcmp(answer, "yes") == 0;
    close(tty);
    return yes;
}
