/*
 * Child: the controller as a process of the stub, and the block that it leaves with the stub.
 * In: a controller's file, what it shall know. Out: its end, with the status. Kept: the block, in locked
 * memory.
 */
#ifndef KILN_GUEST_CHILD_H
#define KILN_GUEST_CHILD_H

#include <stdint.h>

struct child;
struct loop;

struct child_start {
    int controller_fd;        /* borrowed: an executable file */
    const char *sysroot;      /* borrowed */
    const char *console_path; /* borrowed; NULL: the controller's default */
    const uint8_t *manifest, *config;
};

/* EXITED(arg, status) each time a controller that was started has ended. -ENOMEM, -EPERM: no locked
 * memory. */
int child_create(struct loop *loop, void (*exited)(void *arg, int status), void *arg,
                 struct child **ret_child);
/* Starts a controller; none may run. The errno of socketpair(2) or posix_spawn(3). */
int child_start(struct child *child, const struct child_start *start);
/* Asks it to make room for another (SIGTERM); EXITED follows. Without one nothing happens. */
void child_stop(struct child *child);
/* Leaves a running controller alone. NULL does nothing. */
void child_destroy(struct child *child);

#endif
