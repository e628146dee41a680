/*
 * Terminal: see terminal.h.
 */
#include "guest/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest/reaper.h"
#include "guest/session.h"
#include "guest/terminal_holder.h"
#include "src/io/loop.h"

#define PIECE_BYTES 16384
#define FIRST_FD 10 /* descriptors to hand on start here, clear of the numbers they get in the holder */

struct terminal {
    int master;               /* owned */
    int lifeline;             /* owned: the holder reads its other end */
    struct loop_watch *watch; /* owned */
    struct reaper *reaper;    /* owned */
    const struct terminal_ops *ops;
    void *arg; /* borrowed */
    bool exited, closed;
    bool hung; /* nobody has the terminal open for now, though the shell runs */
    bool busy; /* a callback runs: freeing waits */
    int status;
    size_t queued;
    uint8_t queue[TERMINAL_QUEUE_MAX];
};

static void free_terminal(struct terminal *terminal)
{
    if (terminal->watch != NULL)
        loop_watch_destroy(terminal->watch);
    if (terminal->master >= 0)
        close(terminal->master);
    if (terminal->lifeline >= 0)
        close(terminal->lifeline);
    explicit_bzero(terminal->queue, sizeof terminal->queue);
    free(terminal);
}

static void watch_again(struct terminal *terminal)
{
    bool readable = !terminal->hung && terminal->ops->room(terminal->arg) > 0;
    loop_watch_set(terminal->watch, (readable ? LOOP_READ : 0) | (terminal->queued > 0 ? LOOP_WRITE : 0));
}

static void write_queue(struct terminal *terminal)
{
    ssize_t taken = write(terminal->master, terminal->queue, terminal->queued);
    if (taken <= 0)
        return;
    terminal->queued -= (size_t)taken;
    memmove(terminal->queue, terminal->queue + taken, terminal->queued);
    terminal->ops->on_taken(terminal->arg, (size_t)taken);
}

/* Whether more may come. A terminal whose last user is gone reads EIO; of one whose shell ended while a
 * program of its own holds on, what is there now is the end. */
static bool read_piece(struct terminal *terminal)
{
    uint8_t piece[PIECE_BYTES];
    size_t room = terminal->ops->room(terminal->arg);
    if (room == 0)
        return true;
    ssize_t len = read(terminal->master, piece, room < sizeof piece ? room : sizeof piece);
    if (len > 0)
        terminal->ops->on_data(terminal->arg, piece, (size_t)len);
    else if (terminal->exited)
        return false;
    else if (len == 0 || errno != EAGAIN)
        terminal->hung = true;
    return true;
}

static void finish(struct terminal *terminal)
{
    loop_watch_set(terminal->watch, 0);
    terminal->ops->on_exit(terminal->arg, terminal->status);
}

static void take_ready(int ready, void *arg)
{
    struct terminal *terminal = arg;
    terminal->busy = true;
    if (ready & LOOP_WRITE && terminal->queued > 0)
        write_queue(terminal);
    bool more = terminal->closed || !(ready & LOOP_READ) || read_piece(terminal);
    if (!terminal->closed && !more)
        finish(terminal);
    else if (!terminal->closed && terminal->exited)
        terminal_resume(terminal);
    else if (!terminal->closed)
        watch_again(terminal);
    terminal->busy = false;
    if (terminal->closed)
        free_terminal(terminal);
}

void terminal_resume(struct terminal *terminal)
{
    watch_again(terminal);
    /* After the shell's end the descriptor may never become readable: look anyway. */
    if (terminal->exited && terminal->ops->room(terminal->arg) > 0)
        loop_watch_kick(terminal->watch, LOOP_READ);
}

static void take_exit(void *arg, int status)
{
    struct terminal *terminal = arg;
    terminal->reaper = NULL;
    terminal->exited = true;
    terminal->status = status;
    terminal_resume(terminal);
}

static int open_master(const struct terminal_start *start, int *ret_fd)
{
    int low = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    int fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, FIRST_FD);
    int error = errno;
    if (low >= 0)
        close(low);
    if (fd < 0)
        return -error;
    struct winsize size = {.ws_row = start->rows, .ws_col = start->columns};
    if (grantpt(fd) < 0 || unlockpt(fd) < 0 || ioctl(fd, TIOCSWINSZ, &size) < 0) {
        error = errno;
        close(fd);
        return -error;
    }
    *ret_fd = fd;
    return 0;
}

static int spawn_holder(const struct terminal_start *start, int master, int lifeline, pid_t *ret_pid)
{
    const char *const argv[] = {"kiln-terminal", TERMINAL_HOLDER_OPTION, start->user, start->term, NULL};
    static char *const environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    session_attributes_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, master, TERMINAL_HOLDER_MASTER);
    posix_spawn_file_actions_adddup2(&actions, lifeline, TERMINAL_HOLDER_LIFELINE);
    /* This very program, though its file may have no name any more; posix_spawn writes to no argument. */
    int error = posix_spawn(ret_pid, "/proc/self/exe", &actions, &attributes, (char *const *)(size_t)argv,
                            environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -error;
}

static int start_holder(struct loop *loop, const struct terminal_start *start, struct terminal *terminal)
{
    int ends[2];
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    terminal->lifeline = ends[1];
    int reading = fcntl(ends[0], F_DUPFD_CLOEXEC, FIRST_FD);
    close(ends[0]);
    int result = reading < 0 ? -errno : spawn_holder(start, terminal->master, reading, &pid);
    if (reading >= 0)
        close(reading);
    return result < 0 ? result : reaper_create(loop, pid, take_exit, terminal, &terminal->reaper);
}

bool terminal_term_is_plain(const char *term)
{
    size_t len = strspn(term, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-");
    return len > 0 && len < TERMINAL_TERM_MAX && term[len] == '\0';
}

int terminal_open(struct loop *loop, const struct terminal_start *start, const struct terminal_ops *ops,
                  void *arg, struct terminal **ret_terminal)
{
    if (!terminal_term_is_plain(start->term))
        return -EINVAL;
    struct terminal *terminal = calloc(1, sizeof *terminal);
    if (terminal == NULL)
        return -ENOMEM;
    terminal->master = terminal->lifeline = -1;
    terminal->ops = ops;
    terminal->arg = arg;
    int result = open_master(start, &terminal->master);
    if (result == 0)
        result = loop_watch_create(loop, terminal->master, take_ready, terminal, &terminal->watch);
    if (result == 0)
        result = start_holder(loop, start, terminal);
    if (result < 0) {
        free_terminal(terminal);
        return result;
    }
    watch_again(terminal);
    *ret_terminal = terminal;
    return 0;
}

int terminal_write(struct terminal *terminal, const uint8_t *bytes, size_t len_bytes)
{
    if (len_bytes > sizeof terminal->queue - terminal->queued)
        return -ENOSPC;
    memcpy(terminal->queue + terminal->queued, bytes, len_bytes);
    terminal->queued += len_bytes;
    if (!terminal->exited)
        watch_again(terminal);
    return 0;
}

void terminal_resize(struct terminal *terminal, uint16_t rows, uint16_t columns)
{
    const struct winsize size = {.ws_row = rows, .ws_col = columns};
    ioctl(terminal->master, TIOCSWINSZ, &size);
}

void terminal_close(struct terminal *terminal)
{
    if (terminal == NULL || terminal->closed)
        return;
    const char word = TERMINAL_HOLDER_HANG_UP;
    /* The holder reads one byte or none: it fits, or the holder is gone already. */
    ssize_t written = write(terminal->lifeline, &word, sizeof word);
    (void)written;
    terminal->closed = true;
    loop_watch_set(terminal->watch, 0);
    reaper_destroy(terminal->reaper);
    terminal->reaper = NULL;
    if (!terminal->busy)
        free_terminal(terminal);
}
