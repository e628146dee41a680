/*
 * The event loop of src/io/loop.h on the simulator's time. A loop is a process's: when that dies, its timers
 * and what was posted go with it.
 */
#include "src/io/loop.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/sim/false_loop.h"
#include "tests/sim/false_virt.h"

enum {
    LATE_TIMES = 10,
    SHARE_LOOKS = 64 /* of the VMs that one turn decides for, say */
};

struct loop_timer {
    struct loop *loop; /* borrowed */
    struct clock_item *item;
    void (*fn)(void *arg);
    void *arg;
};

int loop_create(struct loop **ret_loop)
{
    *ret_loop = calloc(1, sizeof **ret_loop);
    return *ret_loop ? 0 : -ENOMEM;
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    clock_cancel_owner(&loop->owner);
    free(loop);
}

struct clock_owner *loop_owner(struct loop *loop)
{
    return &loop->owner;
}

struct event_base *loop_base(struct loop *loop)
{
    (void)loop;
    return NULL;
}

int loop_run(struct loop *loop)
{
    (void)loop;
    return -EIO;
}

/* Nothing is due but in its time, which does not pass for one who waits for it here. */
int loop_step(struct loop *loop, bool wait)
{
    (void)loop;
    return wait ? -EIO : 0;
}

void loop_stop(struct loop *loop)
{
    (void)loop;
}

int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    clock_after(1, fn, arg, &loop->owner);
    return 0;
}

int loop_on_signal(struct loop *loop, int signo, void (*fn)(int signo, void *arg), void *arg)
{
    (void)loop;
    (void)signo;
    (void)fn;
    (void)arg;
    return 0;
}

/* ---- timers ---- */

int loop_timer_create(struct loop *loop, void (*fn)(void *arg), void *arg, struct loop_timer **ret_timer)
{
    struct loop_timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        return -ENOMEM;
    *timer = (struct loop_timer){.loop = loop, .fn = fn, .arg = arg};
    *ret_timer = timer;
    return 0;
}

static void due(void *arg)
{
    struct loop_timer *timer = arg;
    timer->item = NULL;
    timer->fn(timer->arg);
}

void loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms)
{
    int64_t times = false_virt_lie() == VIRT_LIE_LATE_TIMERS ? LATE_TIMES : 1;
    clock_cancel(timer->item);
    timer->item = clock_after((int64_t)delay_ms * times * MS, due, timer, &timer->loop->owner);
}

void loop_timer_disarm(struct loop_timer *timer)
{
    clock_cancel(timer->item);
    timer->item = NULL;
}

bool loop_timer_armed(const struct loop_timer *timer)
{
    return timer->item != NULL;
}

void loop_timer_destroy(struct loop_timer *timer)
{
    if (!timer)
        return;
    clock_cancel(timer->item);
    free(timer);
}

/* ---- descriptors: there are none ---- */

int loop_watch_create(struct loop *loop, int fd, void (*fn)(int ready, void *arg), void *arg,
                      struct loop_watch **ret_watch)
{
    (void)loop;
    (void)fd;
    (void)fn;
    (void)arg;
    (void)ret_watch;
    return -ENOSYS;
}

void loop_watch_set(struct loop_watch *watch, int wanted)
{
    (void)watch;
    (void)wanted;
}

void loop_watch_kick(struct loop_watch *watch, int ready)
{
    (void)watch;
    (void)ready;
}

void loop_watch_destroy(struct loop_watch *watch)
{
    (void)watch;
}

/* ---- clocks ---- */

int64_t loop_monotonic_ms(void)
{
    /* 0 means "never" to those who keep such a time. */
    return clock_us() / MS + 1;
}

/* No time passes within a turn, so a share is a number of looks at it. */
static int64_t looks;

int64_t loop_share_begin(void)
{
    return looks + SHARE_LOOKS;
}

bool loop_share_over(int64_t share_us)
{
    return ++looks > share_us;
}

int64_t loop_wall_ms(void)
{
    return clock_wall_ms();
}
