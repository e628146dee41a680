/*
 * Thread: one beside the loop. In: what it runs. Out: a thread to be joined. Nothing is kept.
 */
#ifndef KILN_IO_THREAD_H
#define KILN_IO_THREAD_H

#include <pthread.h>

/* Signals are the loop's: the thread gets none, but for those of its own faults and of a call that is not on
 * the list. 0 or a negative errno. */
int thread_create(pthread_t *ret_thread, void *(*run)(void *arg), void *arg);

#endif
