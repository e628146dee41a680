/*
 * Sandbox: what kilnd gives up before it serves anybody. In: nothing. Out: fewer rights, for good, in every
 * thread. Nothing is kept.
 */
#ifndef KILN_CORE_SANDBOX_H
#define KILN_CORE_SANDBOX_H

/* Before the first thread: no core dumps, no tracing by others, no new privileges, a bound on memory; no
 * program may be run, no device node made, no TCP port used (Landlock). Files stay as its user's rights are:
 * operators name where a backup goes. Logs what fails. 0 or a negative errno. */
int sandbox_enter(void);
/* When the sockets are open, before anybody is answered and before store and libvirt are: of system calls,
 * those of the table in sandbox.c are left (seccomp), in all threads. Errors as above. */
int sandbox_lock(void);

#endif
