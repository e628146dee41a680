/*
 * Control: control.sock, for operators (protocol/README 6.2).
 *
 * In: JSON-RPC, one object a line; the kernel's word on who the peer is. Out: answers, and vm.event to those
 * who watch. Kept: connections that watch. Whoever can open the socket may read; operators (root, kilnd's own
 * user, those of the configuration) may change things.
 */
#ifndef KILN_CORE_CONTROL_H
#define KILN_CORE_CONTROL_H

#include "src/core/verbs.h"

struct control;

/* Listens on PATH. VERBS is borrowed. 0 or a negative errno. */
int control_create(struct verbs *verbs, const char *path, struct control **ret_control);
/* For verbs_serve: takes what waited for it. */
void control_serve(struct control *control);
void control_destroy(struct control *control);

#endif
