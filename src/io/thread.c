/*
 * Thread: see thread.h.
 */
#include "src/io/thread.h"

#include <signal.h>

int thread_create(pthread_t *ret_thread, void *(*run)(void *arg), void *arg)
{
    /* One that is blocked when a fault raises it ends the process without its last words. */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGSYS};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int error = pthread_create(ret_thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}
