/*
 * Landlock: what of the machine's files and network a process keeps, whatever it is made to do later. In:
 * what it needs. Out: the rest is refused by the kernel (EACCES), for good and for every child. Nothing is
 * kept. Best effort: of what this file knows, as much as the running kernel does (Landlock's ABI 1 to 6).
 */
#ifndef KILN_IO_LANDLOCK_H
#define KILN_IO_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Refused in any case: running a program, making a device node, a FIFO or a symbolic link, listening on a
 * TCP port, signals to other processes, abstract Unix sockets of others. */
struct landlock_needs {
    const char *const *folders; /* borrowed; may be read, one that is not there is passed over */
    size_t nfolders;
    bool writes; /* files in any folder, read and written as its user may; FOLDERS says nothing then */
    uint16_t connect_port; /* the one TCP port that it may connect to; 0: none */
};

/* For the calling thread and those that it creates later; needs no_new_privs. Logs what it did, also that
 * the kernel has no Landlock, which is no error. 0 or a negative errno. */
int landlock_restrict(const struct landlock_needs *needs);

#endif
