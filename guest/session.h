/*
 * Session: how programs that live for themselves are started, and what a user's processes must not inherit
 * from the controller: to be the last that a lack of memory ends, and to lock as much memory as they like.
 * In: a process of ours that becomes a user's. Out: ordinary limits. Kept: nothing.
 */
#ifndef KILN_GUEST_SESSION_H
#define KILN_GUEST_SESSION_H

#include <spawn.h>
#include <sys/types.h>

/* For PID and whatever it starts from now on. What cannot be set is logged. */
void session_limit(pid_t pid);

/*
 * How a program is started that lives for itself: no signal blocked, SIGPIPE as by default, a session of its
 * own, so that no signal to the controller's group reaches it. The caller destroys them.
 */
void session_attributes_init(posix_spawnattr_t *ret_attributes);

#endif
