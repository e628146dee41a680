/*
 * Calls: the system calls that a process keeps (seccomp). In: a table, a row a call with its reason. Out:
 * any other call ends the process by SIGSYS, after a line on standard error that names it. Kept: the names of
 * calls, for that line.
 *
 * A thread that has SIGSYS blocked at that moment, as glibc's has while it makes another one, ends without
 * the line: the kernel gives a blocked signal of its own to nobody.
 *
 * A build with sanitizers has no list, as they make calls of their own: it logs so.
 */
#ifndef KILN_IO_CALLS_H
#define KILN_IO_CALLS_H

#include <stddef.h>

enum call_when {
    CALL_ALWAYS,
    CALL_NO_CODE, /* mmap, mprotect: memory that cannot be executed; else EACCES */
    CALL_LOCAL,   /* socket: a Unix one; else EACCES */
    CALL_VM,      /* socket: a Unix or an IPv4 one; else EACCES */
    CALL_COUNT,   /* ioctl: FIONREAD; else ENOTTY */
    CALL_SELF,    /* a signal to this process */
    CALL_THREAD,  /* clone: a thread, no process */
    CALL_ABSENT   /* ENOSYS, as of an older kernel: the caller knows another way */
};

struct call_rule {
    const char *name; /* one that this machine's architecture does not have is passed over */
    const char *why;
    enum call_when when;
};

/* For every thread of PROGRAM; also forbids new privileges. Logs what fails. 0 or a negative errno. */
int calls_restrict(const char *program, const struct call_rule *rules, size_t nrules);

#endif
