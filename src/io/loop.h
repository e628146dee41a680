/*
 * Loop: the event loop of a process, over libevent, with timers, signals, descriptors and posting from
 * threads. In: descriptors, delays, signals, functions posted by other threads. Out: calls, all on the thread
 * that runs the loop. Kept: what is registered.
 */
#ifndef KILN_IO_LOOP_H
#define KILN_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct loop;
struct loop_timer;
struct loop_watch;

/* Makes the loop; also ignores SIGPIPE for the process. -ENOMEM, or the errno of eventfd(2). */
int loop_create(struct loop **ret_loop);
/* Everything that was made on the loop must be destroyed first. NULL does nothing. */
void loop_destroy(struct loop *loop);

/* The base underneath, for the files of src/io that speak libevent. Borrowed. */
struct event_base *loop_base(struct loop *loop);

/* Runs until loop_stop. 0, or -EIO when the backend fails. */
int loop_run(struct loop *loop);
/* Runs what is due; waits at most until something happened when WAIT. 0, or -EIO. For tests and for draining.
 */
int loop_step(struct loop *loop, bool wait);
/* Makes loop_run return after the current call. From the loop's thread or a signal call; other threads post
 * it. */
void loop_stop(struct loop *loop);

/* Calls FN on the loop's thread, soon, in the order posted. From any thread. -ENOMEM. */
int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);

/* Calls FN on the loop's thread whenever SIGNO arrives, until the loop ends. -ENOMEM. */
int loop_on_signal(struct loop *loop, int signo, void (*fn)(int signo, void *arg), void *arg);

/* A one-shot timer on the monotonic clock; made disarmed. Arming an armed timer moves it. */
int loop_timer_create(struct loop *loop, void (*fn)(void *arg), void *arg, struct loop_timer **ret_timer);
void loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms);
void loop_timer_disarm(struct loop_timer *timer);
bool loop_timer_armed(const struct loop_timer *timer);
void loop_timer_destroy(struct loop_timer *timer);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* Watches FD (borrowed), level-triggered, made watching nothing. FN gets the LOOP_ bits that are ready. */
int loop_watch_create(struct loop *loop, int fd, void (*fn)(int ready, void *arg), void *arg,
                      struct loop_watch **ret_watch);
/* What to watch for from now on: a set of LOOP_ bits, 0 for nothing. */
void loop_watch_set(struct loop_watch *watch, int wanted);
/* Calls FN with READY once more in the next turn, though the descriptor may show nothing. */
void loop_watch_kick(struct loop_watch *watch, int ready);
void loop_watch_destroy(struct loop_watch *watch);

/* Who has more to do than fits LOOP_SHARE_US leaves the rest for its next turn, so that others have theirs:
 * begin gives the time (CLOCK_MONOTONIC, us) at which it is over. */
enum { LOOP_SHARE_US = 2000 };
int64_t loop_share_begin(void);
bool loop_share_over(int64_t share_us);

/* Milliseconds of CLOCK_MONOTONIC; milliseconds since the epoch of CLOCK_REALTIME. */
int64_t loop_monotonic_ms(void);
int64_t loop_wall_ms(void);

#endif
