/*
 * Stub: gets the newest controller that the release key signed, runs it, and runs it again (R3).
 * In: boot data, the host's files, the controller's ends. Out: a controller that runs, or a failure on the
 * console. Kept: the floor on disk; the controller's file and its block in memory.
 */
#ifndef KILN_GUEST_STUB_H
#define KILN_GUEST_STUB_H

#include <stdbool.h>

struct loop;
struct stub;

struct stub_options {
    const char *sysroot;      /* borrowed; "": the machine's own. Below it: /sys, /etc/kiln, /var/lib/kiln */
    const char *console_path; /* borrowed; NULL: the machine's console */
};

/* Starts; everything else happens on the loop. A failure stands on the console already. -ENOENT, -EINVAL the
 * boot data or the release key, -ENOMEM, -EPERM. */
int stub_create(struct loop *loop, const struct stub_options *options, struct stub **ret_stub);
/* NULL does nothing. The controller, if one runs, goes on. */
void stub_destroy(struct stub *stub);

#endif
