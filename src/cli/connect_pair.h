/*
 * kiln-connect: from a word to an authenticated channel.
 */
#ifndef KILN_CLI_CONNECT_PAIR_H
#define KILN_CLI_CONNECT_PAIR_H

#include "src/cli/connect_channel.h"

/* Opens the session, finds the VM and opens its channel. The caller destroys VM and closes the channel. */
int connect_pair_begin(struct connect *connect, const char *word, struct json **ret_vm,
                       struct connect_channel **ret_channel);

#endif
