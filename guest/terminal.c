/*
 * Terminal: see terminal.h. A connection to the holder; what it cannot take waits here, in the order in which
 * the holder must get it: leave, join, size, grant, input, hang up.
 */
#include "guest/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/reaper.h"
#include "guest/terminal_holder.h"
#include "guest/terminal_private.h"
#include "src/io/log.h"
#include "src/io/loop.h"

#define LOST_STATUS 127 /* of a shell whose holder ended without a word */
#define HUNG_UP_STATUS (128 + SIGHUP)

struct terminal {
    char id[TERMINAL_ID_MAX];
    int fd;                   /* owned; -1: the holder is gone */
    struct loop_watch *watch; /* owned */
    struct reaper *reaper;    /* owned; NULL: nobody to wait for */
    void (*on_gone)(void *arg, struct terminal *terminal);
    void *home; /* borrowed: for on_gone */
    struct terminal_info info;
    bool known;                     /* `info` holds */
    bool over;                      /* ended or hung up */
    bool busy;                      /* a packet is being taken: freeing waits */
    const struct terminal_ops *ops; /* borrowed; NULL: nobody joined */
    void *arg;                      /* borrowed */
    unsigned answers_due;           /* to joins; what comes before the last is an earlier one's */
    bool owes_leave, owes_join, owes_size, owes_hang_up;
    uint64_t from;
    uint32_t granted; /* not told yet */
    size_t queued;
    uint8_t queue[TERMINAL_INPUT_MAX];
};

/* ---- to the holder ---- */

static bool send_packet(struct terminal *terminal, struct terminal_packet packet)
{
    uint8_t bytes[TERMINAL_PACKET_MAX];
    size_t len;
    packet.rows = terminal->info.rows;
    packet.columns = terminal->info.columns;
    if (terminal_packet_encode(&packet, bytes, sizeof bytes, &len) < 0)
        return false;
    ssize_t sent = send(terminal->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    explicit_bzero(bytes, len);
    return sent >= 0;
}

static bool pay(struct terminal *terminal, bool *owed, enum terminal_word word)
{
    if (*owed)
        *owed = !send_packet(terminal, (struct terminal_packet){.word = word, .from = terminal->from});
    return !*owed;
}

static bool send_input(struct terminal *terminal)
{
    while (terminal->queued > 0) {
        size_t len = terminal->queued < TERMINAL_BYTES_MAX ? terminal->queued : TERMINAL_BYTES_MAX;
        if (!send_packet(terminal,
                         (struct terminal_packet){.word = TERMINAL_INPUT, .bytes = {terminal->queue, len}}))
            return false;
        terminal->queued -= len;
        memmove(terminal->queue, terminal->queue + len, terminal->queued);
        explicit_bzero(terminal->queue + terminal->queued, len);
    }
    return true;
}

static bool send_grant(struct terminal *terminal)
{
    if (terminal->granted > 0 &&
        !send_packet(terminal, (struct terminal_packet){.word = TERMINAL_GRANT, .count = terminal->granted}))
        return false;
    terminal->granted = 0;
    return true;
}

/* Sends what is owed until the holder takes no more; the rest when it does again. */
static void flush(struct terminal *terminal)
{
    if (terminal->fd < 0)
        return;
    bool join = terminal->owes_join;
    bool all = pay(terminal, &terminal->owes_leave, TERMINAL_LEAVE) &&
               pay(terminal, &terminal->owes_join, TERMINAL_JOIN);
    if (join && !terminal->owes_join)
        terminal->answers_due++;
    all = all && pay(terminal, &terminal->owes_size, TERMINAL_RESIZE) && send_grant(terminal) &&
          send_input(terminal) && pay(terminal, &terminal->owes_hang_up, TERMINAL_HANG_UP);
    loop_watch_set(terminal->watch, LOOP_READ | (all ? 0 : LOOP_WRITE));
}

/* ---- its end ---- */

static void free_if_over(struct terminal *terminal)
{
    if (terminal->fd < 0 && terminal->reaper == NULL && !terminal->busy)
        terminal->on_gone(terminal->home, terminal);
}

static void end(struct terminal *terminal, int status)
{
    const struct terminal_ops *ops = terminal->ops;
    terminal->over = true;
    terminal->ops = NULL;
    if (ops != NULL)
        ops->on_exit(terminal->arg, status);
}

static void close_connection(struct terminal *terminal)
{
    loop_watch_destroy(terminal->watch);
    terminal->watch = NULL;
    close(terminal->fd);
    terminal->fd = -1;
    if (!terminal->over)
        end(terminal, LOST_STATUS);
}

static void take_holder_end(void *arg, int status)
{
    struct terminal *terminal = arg;
    terminal->reaper = NULL;
    log_debug("terminal", "its holder ended", "terminal=%s status=%d", terminal->id, status);
    free_if_over(terminal);
}

/* ---- from the holder ---- */

static void take_joined(struct terminal *terminal, const struct terminal_packet *packet)
{
    if (terminal->answers_due > 0)
        terminal->answers_due--;
    if (terminal->answers_due > 0 || terminal->owes_join || terminal->ops == NULL)
        return;
    const struct terminal_ops *ops = terminal->ops;
    if (packet->from == TERMINAL_NOWHERE)
        terminal->ops = NULL;
    ops->on_joined(terminal->arg, packet->from, packet->shown);
}

/* Whether what comes is for whoever is joined now. */
static bool is_heard(const struct terminal *terminal)
{
    return terminal->ops != NULL && terminal->answers_due == 0 && !terminal->owes_join;
}

static void take_packet(struct terminal *terminal, const struct terminal_packet *packet)
{
    if (packet->word == TERMINAL_HELLO)
        terminal_introduce(terminal, &packet->info);
    else if (packet->word == TERMINAL_JOINED)
        take_joined(terminal, packet);
    else if (packet->word == TERMINAL_OUTPUT && is_heard(terminal))
        terminal->ops->on_data(terminal->arg, packet->bytes.bytes, packet->bytes.len);
    else if (packet->word == TERMINAL_TAKEN && is_heard(terminal))
        terminal->ops->on_taken(terminal->arg, packet->count);
    if (packet->word == TERMINAL_ENDED || packet->word == TERMINAL_DONE) {
        terminal->info.ended = true;
        terminal->info.status = packet->status;
    }
    if (packet->word == TERMINAL_DONE && !terminal->over)
        end(terminal, packet->status);
}

static void read_packet(struct terminal *terminal)
{
    uint8_t bytes[TERMINAL_PACKET_MAX];
    struct terminal_packet packet;
    ssize_t len = recv(terminal->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    /* A peer that ended with packets of ours unread resets once, before its last packets are read. */
    if (len < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNRESET))
        return;
    if (len <= 0 || terminal_packet_decode(bytes, (size_t)len, &packet) < 0)
        close_connection(terminal);
    else
        take_packet(terminal, &packet);
}

static void take_ready(int ready, void *arg)
{
    struct terminal *terminal = arg;
    terminal->busy = true;
    if (ready & LOOP_READ)
        read_packet(terminal);
    if (ready & LOOP_WRITE)
        flush(terminal);
    terminal->busy = false;
    free_if_over(terminal);
}

/* ---- for whoever joins ---- */

void terminal_join(struct terminal *terminal, const struct terminal_join *where,
                   const struct terminal_ops *ops, void *arg)
{
    const struct terminal_ops *before = terminal->ops;
    void *before_arg = terminal->arg;
    terminal->ops = ops;
    terminal->arg = arg;
    terminal->from = where->from;
    terminal->info.rows = where->rows;
    terminal->info.columns = where->columns;
    terminal->owes_join = true;
    terminal->owes_size = false;
    terminal->granted = 0;
    terminal->queued = 0;
    flush(terminal);
    if (before != NULL)
        before->on_displaced(before_arg);
}

void terminal_leave(struct terminal *terminal)
{
    terminal->ops = NULL;
    terminal->owes_leave = true;
    terminal->owes_join = terminal->owes_size = false;
    terminal->granted = 0;
    terminal->queued = 0;
    terminal->info.detached_ms = (uint64_t)loop_wall_ms();
    flush(terminal);
}

void terminal_grant(struct terminal *terminal, uint32_t count)
{
    terminal->granted += count;
    flush(terminal);
}

int terminal_write(struct terminal *terminal, const uint8_t *bytes, size_t len_bytes)
{
    if (len_bytes > sizeof terminal->queue - terminal->queued)
        return -ENOSPC;
    memcpy(terminal->queue + terminal->queued, bytes, len_bytes);
    terminal->queued += len_bytes;
    flush(terminal);
    return 0;
}

void terminal_resize(struct terminal *terminal, uint16_t rows, uint16_t columns)
{
    terminal->info.rows = rows;
    terminal->info.columns = columns;
    terminal->owes_size = true;
    flush(terminal);
}

void terminal_hang_up(struct terminal *terminal)
{
    terminal->owes_hang_up = true;
    flush(terminal);
    end(terminal, HUNG_UP_STATUS);
}

const char *terminal_id(const struct terminal *terminal)
{
    return terminal->id;
}

const struct terminal_info *terminal_info(const struct terminal *terminal)
{
    return &terminal->info;
}

bool terminal_is_joined(const struct terminal *terminal)
{
    return terminal->ops != NULL;
}

bool terminal_is_there(const struct terminal *terminal)
{
    return terminal->known && !terminal->over;
}

void terminal_introduce(struct terminal *terminal, const struct terminal_info *info)
{
    uint16_t rows = terminal->info.rows, columns = terminal->info.columns;
    bool known = terminal->known;
    terminal->info = *info;
    terminal->known = true;
    /* Sizes that were asked for meanwhile are newer than what the holder says of itself. */
    if (known) {
        terminal->info.rows = rows;
        terminal->info.columns = columns;
    }
}

int terminal_create(struct loop *loop, const char *id, int fd, pid_t pid,
                    void (*on_gone)(void *arg, struct terminal *terminal), void *arg,
                    struct terminal **ret_terminal)
{
    struct terminal *terminal = calloc(1, sizeof *terminal);
    if (terminal == NULL) {
        close(fd);
        return -ENOMEM;
    }
    terminal->fd = fd;
    terminal->on_gone = on_gone;
    terminal->home = arg;
    memcpy(terminal->id, id, strnlen(id, sizeof terminal->id - 1));
    int result = loop_watch_create(loop, fd, take_ready, terminal, &terminal->watch);
    if (result == 0 && pid > 0)
        result = reaper_create(loop, pid, take_holder_end, terminal, &terminal->reaper);
    if (result < 0) {
        terminal_destroy(terminal);
        return result;
    }
    loop_watch_set(terminal->watch, LOOP_READ);
    *ret_terminal = terminal;
    return 0;
}

void terminal_destroy(struct terminal *terminal)
{
    if (terminal->watch != NULL)
        loop_watch_destroy(terminal->watch);
    if (terminal->fd >= 0)
        close(terminal->fd);
    reaper_destroy(terminal->reaper);
    explicit_bzero(terminal->queue, sizeof terminal->queue);
    free(terminal);
}
