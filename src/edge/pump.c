/*
 * Pump: see pump.h.
 */
#include "src/edge/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/loop.h"

#define PIPE_BYTES 65536 /* the kernel's own size of a pipe: what one direction may hold */
#define TURN_BYTES 1048576

struct direction {
    int from, to;    /* borrowed */
    int pipe[2];     /* owned */
    size_t held;     /* bytes in the pipe */
    uint64_t passed; /* bytes written to `to` */
    bool ended;      /* `from` will send no more */
    bool done;       /* and `to` was told so */
};

struct pump {
    struct direction up, down;
    struct loop_watch *near, *far; /* owned */
    void (*on_end)(void *arg, int error);
    void *arg;
};

/* Fills the pipe with what is there. A negative errno ends the pump. */
static int fill(struct direction *way)
{
    if (way->ended || way->held >= PIPE_BYTES)
        return 0;
    ssize_t got = splice(way->from, NULL, way->pipe[1], NULL, PIPE_BYTES - way->held,
                         SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    /* EAGAIN also when the pipe has bytes left but no slot: it empties first then. */
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (got == 0)
        way->ended = true;
    way->held += (size_t)got;
    return 0;
}

static int empty(struct direction *way)
{
    while (way->held > 0) {
        ssize_t put = splice(way->pipe[0], NULL, way->to, NULL, way->held, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
        if (put < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        way->held -= (size_t)put;
        way->passed += (uint64_t)put;
    }
    return 0;
}

static int move(struct direction *way)
{
    uint64_t start = way->passed;
    int error = 0;
    uint64_t before;
    do {
        before = way->passed;
        error = fill(way);
        if (error == 0)
            error = empty(way);
    } while (error == 0 && way->passed != before && way->passed - start < TURN_BYTES);
    if (error == 0 && way->ended && way->held == 0 && !way->done) {
        way->done = true;
        /* A peer that has gone entirely is noticed by its own direction. */
        shutdown(way->to, SHUT_WR);
    }
    return error;
}

static int wanted(const struct direction *in, const struct direction *out)
{
    return (!in->ended && in->held == 0 ? LOOP_READ : 0) | (out->held > 0 ? LOOP_WRITE : 0);
}

static void on_ready(int ready, void *arg)
{
    struct pump *pump = arg;
    (void)ready;
    int error = move(&pump->up);
    if (error == 0)
        error = move(&pump->down);
    if (error < 0 || (pump->up.done && pump->down.done)) {
        pump->on_end(pump->arg, error);
        return;
    }
    loop_watch_set(pump->near, wanted(&pump->up, &pump->down));
    loop_watch_set(pump->far, wanted(&pump->down, &pump->up));
}

int pump_create(struct loop *loop, int near, int far, void (*on_end)(void *arg, int error), void *arg,
                struct pump **ret_pump)
{
    struct pump *pump = calloc(1, sizeof(*pump));
    if (pump == NULL)
        return -ENOMEM;
    pump->up = (struct direction){.from = near, .to = far, .pipe = {-1, -1}};
    pump->down = (struct direction){.from = far, .to = near, .pipe = {-1, -1}};
    pump->on_end = on_end;
    pump->arg = arg;
    int error = 0;
    if (pipe2(pump->up.pipe, O_CLOEXEC | O_NONBLOCK) < 0 ||
        pipe2(pump->down.pipe, O_CLOEXEC | O_NONBLOCK) < 0)
        error = -errno;
    if (error == 0)
        error = loop_watch_create(loop, near, on_ready, pump, &pump->near);
    if (error == 0)
        error = loop_watch_create(loop, far, on_ready, pump, &pump->far);
    if (error < 0) {
        pump_destroy(pump);
        return error;
    }
    loop_watch_set(pump->near, LOOP_READ);
    loop_watch_set(pump->far, LOOP_READ);
    *ret_pump = pump;
    return 0;
}

static void close_pipe(const struct direction *way)
{
    for (int i = 0; i < 2; i++) {
        if (way->pipe[i] >= 0)
            close(way->pipe[i]);
    }
}

void pump_destroy(struct pump *pump)
{
    if (pump == NULL)
        return;
    loop_watch_destroy(pump->near);
    loop_watch_destroy(pump->far);
    close_pipe(&pump->up);
    close_pipe(&pump->down);
    free(pump);
}

uint64_t pump_up_bytes(const struct pump *pump)
{
    return pump->up.passed;
}

uint64_t pump_down_bytes(const struct pump *pump)
{
    return pump->down.passed;
}
