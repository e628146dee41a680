/*
 * Owner terminals: the methods `terminal.*` of an owner's channel (README 7.7). In: calls. Out: answers,
 * terminals begun, attached and ended. Nothing is kept. ARG of each is the struct owner_channel.
 */
#ifndef KILN_GUEST_OWNER_TERMINALS_H
#define KILN_GUEST_OWNER_TERMINALS_H

#include "src/io/rpc.h"

struct owner_channel;
struct terminal_start;

rpc_handler owner_terminals_open, owner_terminals_list, owner_terminals_attach, owner_terminals_resize,
    owner_terminals_detach, owner_terminals_close;

/* Begins the terminal that the machine has granted, and attaches it; REQUEST is answered in any case. */
void owner_terminals_begin(struct owner_channel *channel, struct rpc_request *request,
                           const struct terminal_start *start);

#endif
