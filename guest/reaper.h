/*
 * Reaper: tells when a child process has ended, by its pidfd; no SIGCHLD, so nobody else's children are
 * taken. In: the pid of a child of ours. Out: one call with its status. Kept: the watch.
 */
#ifndef KILN_GUEST_REAPER_H
#define KILN_GUEST_REAPER_H

#include <sys/types.h>

struct loop;
struct reaper;

/* Waits for PID, then calls FN(arg, status) once, STATUS being the exit status or 128 and the signal, and the
 * reaper is gone. The errno of pidfd_open(2), -ENOMEM; the child is then the caller's still. */
int reaper_create(struct loop *loop, pid_t pid, void (*fn)(void *arg, int status), void *arg,
                  struct reaper **ret_reaper);
/* FN is not called any more; the child lives on and is left to whoever adopts it. NULL does nothing. */
void reaper_destroy(struct reaper *reaper);

#endif
