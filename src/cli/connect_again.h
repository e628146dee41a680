/*
 * kiln-connect: coming again after the edge, the host or the network was lost.
 *
 * In: an opened connection and what ends the tries. Out: a session and a channel, both authenticated anew.
 * Kept: nothing.
 */
#ifndef KILN_CLI_CONNECT_AGAIN_H
#define KILN_CLI_CONNECT_AGAIN_H

#include "src/cli/connect_channel.h"
#include "src/io/backoff.h"

enum { CONNECT_AGAIN_FIRST_MS = 300, CONNECT_AGAIN_LAST_MS = 10000 };

/* Waits as BACKOFF says, or until *STOP. */
void connect_again_wait(struct connect *connect, struct backoff *backoff, const bool *stop);

/* Logs in and opens a channel to VM, until it is there, refused, or *STOP. The tries are silent; what ended
 * them is said to the user. CLI_OK and a channel; CLI_UNREACHABLE: *STOP; another: refused. */
int connect_again_channel(struct connect *connect, const struct json *vm, const bool *stop,
                          struct connect_channel **ret_channel);

#endif
