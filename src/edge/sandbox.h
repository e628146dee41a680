/*
 * Sandbox: what the process gives up before it serves anybody.
 * In: a user's name or NULL. Out: fewer rights. Nothing is kept.
 */
#ifndef KILN_EDGE_SANDBOX_H
#define KILN_EDGE_SANDBOX_H

/* No core dumps, no tracing by others, no new privileges, as many descriptors as the hard limit allows; as
 * root with USER: becomes that user. Logs what fails. 0 or a negative errno. */
int sandbox_enter(const char *user);

#endif
