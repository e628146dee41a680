/*
 * Terminal holder: see terminal_holder.h.
 */
#include "guest/terminal_holder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/terminal_packet.h"
#include "guest/terminal_ring.h"
#include "guest/terminal_shell.h"
#include "src/io/locked.h"
#include "src/io/loop.h"

#define NOT_THERE 127
#define PIECE_BYTES 4096
#define FIRST_JOIN_S 60 /* whoever started it joins in that time */

struct holder {
    const char *path; /* of the socket */
    struct terminal_info info;
    struct terminal_shell shell;
    struct terminal_ring ring;
    int listener, connection, pidfd; /* -1: none */
    bool joined;                     /* output goes to the connection */
    uint64_t sent;                   /* place of the next byte to send */
    uint64_t credit;
    uint64_t from;  /* of the answer to a join */
    uint32_t taken; /* bytes of input, not told yet */
    bool owes_hello, owes_joined, owes_ended;
    bool blocked;     /* the connection takes no more for now */
    bool drained;     /* the shell ended, and all that it showed was read */
    bool over;        /* the end, whatever the shell does */
    int64_t until_ms; /* monotonic: when it is no longer kept, unless joined */
    size_t queued;
    uint8_t queue[TERMINAL_INPUT_MAX]; /* input that the terminal has not taken */
};

static void count_down(struct holder *holder, uint32_t keep_s)
{
    holder->until_ms = loop_monotonic_ms() + (int64_t)keep_s * 1000;
    holder->info.detached_ms = (uint64_t)loop_wall_ms();
}

static void leave(struct holder *holder)
{
    if (!holder->joined)
        return;
    holder->joined = false;
    holder->credit = 0;
    holder->taken = 0;
    count_down(holder, holder->info.keep_s);
}

static void close_connection(struct holder *holder)
{
    leave(holder);
    if (holder->connection >= 0)
        close(holder->connection);
    holder->connection = -1;
    holder->blocked = holder->owes_joined = false;
}

static void accept_connection(struct holder *holder)
{
    int fd = accept4(holder->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    close_connection(holder);
    holder->connection = fd;
    holder->owes_hello = true;
    holder->owes_ended = false;
}

/* ---- what is told ---- */

/* Whether it went; else the connection is blocked, or gone. */
static bool send_packet(struct holder *holder, const struct terminal_packet *packet)
{
    uint8_t bytes[TERMINAL_PACKET_MAX];
    size_t len;
    if (terminal_packet_encode(packet, bytes, sizeof bytes, &len) < 0)
        return false;
    if (send(holder->connection, bytes, len, MSG_NOSIGNAL) >= 0)
        return true;
    /* When it is gone, what it still said is read before its end is. */
    holder->blocked = true;
    return false;
}

static bool send_owed(struct holder *holder)
{
    const struct terminal_packet hello = {.word = TERMINAL_HELLO, .info = holder->info};
    const struct terminal_packet joined = {
        .word = TERMINAL_JOINED, .from = holder->from, .shown = holder->ring.end};
    const struct terminal_packet taken = {.word = TERMINAL_TAKEN, .count = holder->taken};
    const struct terminal_packet ended = {.word = TERMINAL_ENDED, .status = holder->info.status};
    if (holder->owes_hello && (holder->owes_hello = !send_packet(holder, &hello)))
        return false;
    if (holder->owes_joined && (holder->owes_joined = !send_packet(holder, &joined)))
        return false;
    if (holder->owes_ended && (holder->owes_ended = !send_packet(holder, &ended)))
        return false;
    if (holder->taken > 0 && !send_packet(holder, &taken))
        return false;
    holder->taken = 0;
    return true;
}

static bool send_output(struct holder *holder)
{
    uint8_t piece[TERMINAL_BYTES_MAX];
    while (holder->joined && holder->credit > 0 && holder->sent < holder->ring.end) {
        size_t room = holder->credit < sizeof piece ? (size_t)holder->credit : sizeof piece;
        size_t len = terminal_ring_copy(&holder->ring, holder->sent, piece, room);
        const struct terminal_packet packet = {.word = TERMINAL_OUTPUT, .bytes = {piece, len}};
        if (!send_packet(holder, &packet))
            return false;
        holder->sent += len;
        holder->credit -= len;
    }
    return true;
}

static void tell(struct holder *holder)
{
    if (holder->connection < 0 || holder->blocked || !send_owed(holder) || !send_output(holder))
        return;
    if (!holder->joined || !holder->drained || holder->sent < holder->ring.end)
        return;
    const struct terminal_packet done = {.word = TERMINAL_DONE, .status = holder->info.status};
    holder->over = send_packet(holder, &done);
}

/* ---- what comes ---- */

static void resize(struct holder *holder, const struct terminal_packet *packet, bool redraw)
{
    holder->info.rows = packet->rows;
    holder->info.columns = packet->columns;
    terminal_shell_resize(&holder->shell, packet->rows, packet->columns, redraw);
}

static void join(struct holder *holder, const struct terminal_packet *packet)
{
    leave(holder);
    holder->owes_joined = true;
    if (packet->from != TERMINAL_NOWHERE && packet->from > holder->ring.end) {
        holder->from = TERMINAL_NOWHERE;
        return;
    }
    bool known = packet->from != TERMINAL_NOWHERE && packet->from >= terminal_ring_oldest(&holder->ring);
    holder->from = known ? packet->from : terminal_ring_begin(&holder->ring);
    holder->sent = holder->from;
    holder->joined = true;
    /* What an earlier connection sent and no program has read would count against the new one's credit. */
    holder->queued = 0;
    resize(holder, packet, !known && holder->ring.end > 0);
}

static void write_terminal(struct holder *holder)
{
    ssize_t len = write(holder->shell.master, holder->queue, holder->queued);
    if (len <= 0)
        return;
    holder->queued -= (size_t)len;
    memmove(holder->queue, holder->queue + len, holder->queued);
    explicit_bzero(holder->queue + holder->queued, (size_t)len);
    if (holder->joined)
        holder->taken += (uint32_t)len;
}

static void take_input(struct holder *holder, struct bytes bytes)
{
    if (!holder->joined)
        return;
    if (bytes.len > sizeof holder->queue - holder->queued) {
        close_connection(holder);
        return;
    }
    memcpy(holder->queue + holder->queued, bytes.bytes, bytes.len);
    holder->queued += bytes.len;
    /* At once: what waits here is lost when the next connection joins. */
    write_terminal(holder);
}

static void take_packet(struct holder *holder, const struct terminal_packet *packet)
{
    if (packet->word == TERMINAL_JOIN)
        join(holder, packet);
    else if (packet->word == TERMINAL_LEAVE)
        leave(holder);
    else if (packet->word == TERMINAL_INPUT)
        take_input(holder, packet->bytes);
    else if (packet->word == TERMINAL_RESIZE)
        resize(holder, packet, false);
    else if (packet->word == TERMINAL_GRANT)
        holder->credit += packet->count;
    else if (packet->word == TERMINAL_HANG_UP)
        holder->over = true;
    else
        close_connection(holder);
}

static void read_connection(struct holder *holder)
{
    uint8_t bytes[TERMINAL_PACKET_MAX];
    struct terminal_packet packet;
    ssize_t len = recv(holder->connection, bytes, sizeof bytes, 0);
    /* A peer that ended with packets of ours unread resets once, before its last packets are read. */
    if (len < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNRESET))
        return;
    if (len <= 0 || terminal_packet_decode(bytes, (size_t)len, &packet) < 0)
        close_connection(holder);
    else
        take_packet(holder, &packet);
    explicit_bzero(bytes, sizeof bytes);
}

/* ---- the terminal ---- */

/* How many bytes may be read of the terminal now. */
static size_t readable(const struct holder *holder)
{
    if (holder->drained)
        return 0;
    if (!holder->joined)
        return PIECE_BYTES;
    uint64_t waiting = holder->ring.end - holder->sent;
    if (waiting >= TERMINAL_UNSENT_MAX)
        return 0;
    return waiting + PIECE_BYTES > TERMINAL_UNSENT_MAX ? (size_t)(TERMINAL_UNSENT_MAX - waiting)
                                                       : PIECE_BYTES;
}

static void read_terminal(struct holder *holder)
{
    uint8_t piece[PIECE_BYTES];
    size_t room = readable(holder);
    ssize_t len = room == 0 ? 0 : read(holder->shell.master, piece, room);
    if (len > 0)
        terminal_ring_add(&holder->ring, piece, (size_t)len);
    /* What a program that lives on shows after the shell's end is nobody's any more. */
    else if (room > 0 && holder->info.ended)
        holder->drained = true;
}

static void reap_shell(struct holder *holder)
{
    int status;
    if (waitpid(holder->shell.pid, &status, WNOHANG) != holder->shell.pid)
        return;
    holder->info.ended = holder->owes_ended = true;
    holder->info.status = (uint8_t)(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    close(holder->pidfd);
    holder->pidfd = -1;
}

/* ---- the process ---- */

static int wait_ms(const struct holder *holder)
{
    if (holder->info.ended && !holder->drained && readable(holder) > 0)
        return 0;
    if (holder->joined)
        return -1;
    int64_t left = holder->until_ms - loop_monotonic_ms();
    return left <= 0 ? 0 : left > 3600000 ? 3600000 : (int)left + 1;
}

static void wait_and_take(struct holder *holder)
{
    int terminal = (readable(holder) > 0 ? POLLIN : 0) | (holder->queued > 0 ? POLLOUT : 0);
    struct pollfd wait[] = {
        {.fd = holder->listener, .events = POLLIN},
        {.fd = holder->connection, .events = (short)(POLLIN | (holder->blocked ? POLLOUT : 0))},
        {.fd = terminal != 0 ? holder->shell.master : -1, .events = (short)terminal},
        {.fd = holder->pidfd, .events = POLLIN},
    };
    if (poll(wait, 4, wait_ms(holder)) < 0)
        return;
    if (wait[1].revents & POLLOUT)
        holder->blocked = false;
    if (wait[1].revents & ~POLLOUT)
        read_connection(holder);
    if (wait[0].revents != 0)
        accept_connection(holder);
    if (wait[2].revents & POLLOUT && holder->queued > 0)
        write_terminal(holder);
    if (wait[3].revents != 0)
        reap_shell(holder);
    if (wait[2].revents & POLLIN || holder->info.ended)
        read_terminal(holder);
}

static int hold(struct holder *holder)
{
    while (!holder->over && (holder->joined || loop_monotonic_ms() < holder->until_ms)) {
        tell(holder);
        if (!holder->over)
            wait_and_take(holder);
    }
    unlink(holder->path);
    /* The terminal's last descriptors close with this process, and the kernel hangs up. */
    return holder->info.ended ? holder->info.status : 0;
}

/* Who reads what the controller says must not wait for a shell's end. */
static bool close_output(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool done = fd >= 0 && dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0 &&
                dup2(fd, STDERR_FILENO) >= 0;
    if (fd > STDERR_FILENO)
        close(fd);
    return done;
}

static uint32_t number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 10);
}

bool terminal_holder_asked(int argc, char **argv)
{
    return argc == TERMINAL_HOLDER_ARGC && strcmp(argv[1], TERMINAL_HOLDER_OPTION) == 0;
}

int terminal_hold(char **argv)
{
    static struct holder holder;
    struct terminal_info *info = &holder.info;
    locked_forbid_dumps();
    holder.path = argv[2];
    holder.listener = TERMINAL_HOLDER_SOCKET;
    holder.connection = -1;
    *info = (struct terminal_info){.opened_ms = (uint64_t)loop_wall_ms(),
                                   .rows = (uint16_t)number(argv[5]),
                                   .columns = (uint16_t)number(argv[6]),
                                   .keep_s = number(argv[7])};
    snprintf(info->user, sizeof info->user, "%s", argv[3]);
    if (hex_decode(argv[8], info->owner, sizeof info->owner) < 0 ||
        fcntl(holder.listener, F_SETFD, FD_CLOEXEC) < 0 || !close_output() ||
        terminal_shell_start(argv[3], argv[4], info->rows, info->columns, &holder.shell) < 0 ||
        (holder.pidfd = pidfd_open(holder.shell.pid, 0)) < 0) {
        unlink(holder.path);
        return NOT_THERE;
    }
    count_down(&holder, FIRST_JOIN_S);
    return hold(&holder);
}
