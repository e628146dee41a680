/*
 * Job: blocking work (LUKS, mkfs, useradd, an RSA key) on one thread of its own, so that the loop goes on.
 * In: a function to do and a function to tell. Out: the second, on the loop, when the first is done.
 * Kept: what waits. Jobs run one after the other in the order given: libcryptsetup and the system's user
 * tools each want to be alone.
 */
#ifndef KILN_GUEST_JOB_H
#define KILN_GUEST_JOB_H

struct job_queue;
struct loop;

/* Starts the thread. -ENOMEM, or the errno of pthread_create(3). */
int job_queue_create(struct loop *loop, struct job_queue **ret_queue);
/* Waits for the job that runs; those that wait are dropped, their DONE is not called. NULL does nothing. */
void job_queue_destroy(struct job_queue *queue);

/* WORK(arg) on the thread, then DONE(arg) on the loop. DONE owns ARG from then on. -ENOMEM. */
int job_start(struct job_queue *queue, void (*work)(void *arg), void (*done)(void *arg), void *arg);

#endif
