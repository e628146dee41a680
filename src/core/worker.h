/*
 * Runs calls that block, off the loop: libvirt calls and the hashing of volumes.
 *
 * In: jobs, each with a key. Out: `done` of each job, exactly once, on the loop's thread.
 * Kept: one first-in-first-out queue a key (a VM's uuid), so that one VM's calls never overtake one another
 * and one stuck VM never holds up another. The destroy lane has threads of its own, so that ending a VM
 * does not wait behind whatever is stuck, nor behind the boots of others.
 */
#ifndef KILN_CORE_WORKER_H
#define KILN_CORE_WORKER_H

#include <stdbool.h>

struct loop;
struct worker;

enum worker_lane { WORKER_NORMAL, WORKER_DESTROY, WORKER_NLANES };

/* In the destroy lane: ahead of everything of the normal lane, also of what runs now for the same key; or
 * never at once with a job of that key, though ahead of those that wait. */
enum worker_order { WORKER_AT_ONCE, WORKER_APART };

/* What runs at once: four of libvirt's five workers a connection, so that one stays free for keepalive
 * probes. */
enum { WORKER_NORMAL_THREADS = 4, WORKER_DESTROY_THREADS = 2, WORKER_KEY_BYTES = 64 };

/* `run` is called on a thread of the pool. `done` is called on the loop's thread with ran = true afterwards,
 * or with ran = false when the job was cancelled before it began. `arg` is borrowed until `done` returns. */
typedef void worker_run(void *arg);
typedef void worker_done(void *arg, bool ran);

/* Starts the threads. `loop` is borrowed and must outlive the worker. Returns 0 or -ENOMEM, -EAGAIN. */
int worker_create(struct loop *loop, struct worker **ret_worker);

/* Waits for the running jobs and lets no other begin. Answers still wait for the loop or worker_destroy, and
 * worker_post still works. */
void worker_stop(struct worker *worker);

/* As worker_stop, then calls every `done` that is still owed, and frees. On the loop's thread only. NULL does
 * nothing. */
void worker_destroy(struct worker *worker);

/* Queues a job behind every earlier one of the same key and lane. A NULL key waits for nobody. Returns 0,
 * -ENOMEM, -ENAMETOOLONG for a key of WORKER_KEY_BYTES or more, -ECANCELED when the worker is ending; only
 * after a 0 is `done` called. */
int worker_submit(struct worker *worker, enum worker_lane lane, const char *key, worker_run *run,
                  worker_done *done, void *arg);

/* The same in the destroy lane, in the given order to the normal one. */
int worker_submit_destroy(struct worker *worker, enum worker_order order, const char *key, worker_run *run,
                          worker_done *done, void *arg);

/* Cancels what is queued and not begun for the key in the normal lane; each is told so by `done` on a later
 * loop turn. Returns whether a job of this key is running right now. */
bool worker_cancel(struct worker *worker, const char *key);

/* For a job that runs in the normal lane, of its own key: whether worker_cancel was called since it was
 * queued. Any thread. */
bool worker_is_overtaken(struct worker *worker, const char *key);

/* Calls `done` with ran = true on the loop's thread, in the order posted, from any thread that ends before
 * worker_destroy, which delivers what is left. For what happens on threads that are not the pool's. Returns 0
 * or -ENOMEM. */
int worker_post(struct worker *worker, worker_done *done, void *arg);

#endif
