/*
 * Loop: see loop.h. Posts from other threads go through a list under a mutex and one eventfd.
 */
#include "src/io/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct loop_post {
    void (*fn)(void *arg);
    void *arg;
    struct loop_post *next;
};

struct loop_signal {
    struct event *event; /* owned */
    void (*fn)(int signo, void *arg);
    void *arg;
    struct loop_signal *next;
};

struct loop {
    struct event_base *base;     /* owned */
    struct event *wake;          /* owned */
    int wake_fd;                 /* owned */
    pthread_mutex_t lock;        /* guards the next two fields */
    struct loop_post *first;     /* owned */
    struct loop_post **last;     /* where the next one goes */
    struct loop_post *taken;     /* owned: the loop's own, being run */
    struct loop_signal *signals; /* owned */
};

struct loop_timer {
    struct event *event; /* owned */
    void (*fn)(void *arg);
    void *arg;
};

struct loop_watch {
    struct event *read, *write; /* owned */
    struct event *kick;         /* owned; apart from the other two, so that unwatching does not lose a kick */
    int kicked;
    void (*fn)(int ready, void *arg);
    void *arg;
};

static struct loop_post *take_posts(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct loop_post *posts = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    pthread_mutex_unlock(&loop->lock);
    return posts;
}

static void ring(struct loop *loop)
{
    const uint64_t one = 1;
    /* Fails only when the counter is full, and then the bell has been rung. */
    if (write(loop->wake_fd, &one, sizeof(one)) < 0)
        return;
}

static void run_posts(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;
    int64_t share_us = loop_share_begin();
    (void)what;
    uint64_t count;
    /* The counter is only a bell: what was posted is in the lists. */
    if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
        return;
    if (loop->taken == NULL)
        loop->taken = take_posts(loop);
    else
        ring(loop);
    while (loop->taken != NULL) {
        struct loop_post *post = loop->taken;
        loop->taken = post->next;
        post->fn(post->arg);
        free(post);
        if (loop_share_over(share_us))
            break;
    }
    if (loop->taken != NULL)
        ring(loop);
}

static void free_posts(struct loop_post *posts)
{
    while (posts != NULL) {
        struct loop_post *next = posts->next;
        free(posts);
        posts = next;
    }
}

static struct event_base *make_base(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL)
        return NULL;
    /* Without EVENT_BASE_FLAG_PRECISE_TIMER deadlines may come a few ms early, which upsets tests of them. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_PRECISE_TIMER);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

int loop_create(struct loop **ret_loop)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL)
        return -ENOMEM;
    loop->last = &loop->first;
    pthread_mutex_init(&loop->lock, NULL);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->base = make_base();
    if (loop->wake_fd >= 0 && loop->base != NULL)
        loop->wake = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, run_posts, loop);
    if (loop->wake == NULL || event_add(loop->wake, NULL) < 0) {
        loop_destroy(loop);
        return -ENOMEM;
    }
    signal(SIGPIPE, SIG_IGN);
    *ret_loop = loop;
    return 0;
}

void loop_destroy(struct loop *loop)
{
    if (loop == NULL)
        return;
    while (loop->signals != NULL) {
        struct loop_signal *next = loop->signals->next;
        event_free(loop->signals->event);
        free(loop->signals);
        loop->signals = next;
    }
    free_posts(loop->taken);
    free_posts(take_posts(loop));
    if (loop->wake != NULL)
        event_free(loop->wake);
    if (loop->base != NULL)
        event_base_free(loop->base);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

int loop_run(struct loop *loop)
{
    return event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0 ? -EIO : 0;
}

int loop_step(struct loop *loop, bool wait)
{
    int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY | (wait ? 0 : EVLOOP_NONBLOCK);
    return event_base_loop(loop->base, flags) < 0 ? -EIO : 0;
}

void loop_stop(struct loop *loop)
{
    event_base_loopbreak(loop->base);
}

int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    struct loop_post *post = malloc(sizeof(*post));
    if (post == NULL)
        return -ENOMEM;
    *post = (struct loop_post){.fn = fn, .arg = arg};
    pthread_mutex_lock(&loop->lock);
    bool is_first = loop->first == NULL;
    *loop->last = post;
    loop->last = &post->next;
    pthread_mutex_unlock(&loop->lock);
    /* Whoever was before it has rung, and is not taken without it. */
    if (is_first)
        ring(loop);
    return 0;
}

static void run_signal(evutil_socket_t signo, short what, void *arg)
{
    (void)what;
    struct loop_signal *watched = arg;
    watched->fn((int)signo, watched->arg);
}

int loop_on_signal(struct loop *loop, int signo, void (*fn)(int signo, void *arg), void *arg)
{
    struct loop_signal *watched = calloc(1, sizeof(*watched));
    if (watched == NULL)
        return -ENOMEM;
    watched->fn = fn;
    watched->arg = arg;
    watched->event = evsignal_new(loop->base, signo, run_signal, watched);
    if (watched->event == NULL || event_add(watched->event, NULL) < 0) {
        if (watched->event != NULL)
            event_free(watched->event);
        free(watched);
        return -ENOMEM;
    }
    watched->next = loop->signals;
    loop->signals = watched;
    return 0;
}

static void run_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct loop_timer *timer = arg;
    timer->fn(timer->arg);
}

int loop_timer_create(struct loop *loop, void (*fn)(void *arg), void *arg, struct loop_timer **ret_timer)
{
    struct loop_timer *timer = calloc(1, sizeof(*timer));
    if (timer == NULL)
        return -ENOMEM;
    timer->fn = fn;
    timer->arg = arg;
    timer->event = evtimer_new(loop->base, run_timer, timer);
    if (timer->event == NULL) {
        free(timer);
        return -ENOMEM;
    }
    *ret_timer = timer;
    return 0;
}

void loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms)
{
    struct timeval delay = {.tv_sec = (time_t)(delay_ms / 1000),
                            .tv_usec = (suseconds_t)(delay_ms % 1000) * 1000};
    evtimer_add(timer->event, &delay);
}

void loop_timer_disarm(struct loop_timer *timer)
{
    evtimer_del(timer->event);
}

bool loop_timer_armed(const struct loop_timer *timer)
{
    return evtimer_pending(timer->event, NULL) != 0;
}

void loop_timer_destroy(struct loop_timer *timer)
{
    if (timer == NULL)
        return;
    event_free(timer->event);
    free(timer);
}

static void run_watch(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    struct loop_watch *watch = arg;
    watch->fn(((what & EV_READ) ? LOOP_READ : 0) | ((what & EV_WRITE) ? LOOP_WRITE : 0), watch->arg);
}

static void run_kick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct loop_watch *watch = arg;
    int kicked = watch->kicked;
    watch->kicked = 0;
    watch->fn(kicked, watch->arg);
}

int loop_watch_create(struct loop *loop, int fd, void (*fn)(int ready, void *arg), void *arg,
                      struct loop_watch **ret_watch)
{
    struct loop_watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return -ENOMEM;
    watch->fn = fn;
    watch->arg = arg;
    watch->read = event_new(loop->base, fd, EV_READ | EV_PERSIST, run_watch, watch);
    watch->write = event_new(loop->base, fd, EV_WRITE | EV_PERSIST, run_watch, watch);
    watch->kick = event_new(loop->base, -1, 0, run_kick, watch);
    if (watch->read == NULL || watch->write == NULL || watch->kick == NULL) {
        loop_watch_destroy(watch);
        return -ENOMEM;
    }
    *ret_watch = watch;
    return 0;
}

void loop_watch_set(struct loop_watch *watch, int wanted)
{
    if (wanted & LOOP_READ)
        event_add(watch->read, NULL);
    else
        event_del(watch->read);
    if (wanted & LOOP_WRITE)
        event_add(watch->write, NULL);
    else
        event_del(watch->write);
}

void loop_watch_kick(struct loop_watch *watch, int ready)
{
    watch->kicked |= ready;
    event_active(watch->kick, 0, 0);
}

void loop_watch_destroy(struct loop_watch *watch)
{
    if (watch == NULL)
        return;
    if (watch->read != NULL)
        event_free(watch->read);
    if (watch->write != NULL)
        event_free(watch->write);
    if (watch->kick != NULL)
        event_free(watch->kick);
    free(watch);
}

static int64_t clock_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t loop_share_begin(void)
{
    return clock_us(CLOCK_MONOTONIC) + LOOP_SHARE_US;
}

bool loop_share_over(int64_t share_us)
{
    return clock_us(CLOCK_MONOTONIC) >= share_us;
}

int64_t loop_monotonic_ms(void)
{
    return clock_us(CLOCK_MONOTONIC) / 1000;
}

int64_t loop_wall_ms(void)
{
    return clock_us(CLOCK_REALTIME) / 1000;
}
