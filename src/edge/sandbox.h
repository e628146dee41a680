/*
 * Sandbox: what kiln-edge gives up before it serves anybody. In: a user's name or NULL, the configuration.
 * Out: fewer rights, for good. Nothing is kept.
 */
#ifndef KILN_EDGE_SANDBOX_H
#define KILN_EDGE_SANDBOX_H

struct config;

/* First of all: as root with USER, becomes that user; no core dumps, no tracing by others, no new privileges,
 * a bound on memory, as many descriptors as the hard limit allows. Logs what fails. 0 or a negative errno. */
int sandbox_enter(const char *user);
/* When everything is open: of files, the folders that it serves and its certificate's may be read and nothing
 * written (Landlock); of TCP, port 22 may be connected to; of system calls, those of the table in sandbox.c
 * are left (seccomp). Errors as above. */
int sandbox_lock(const struct config *config);

#endif
