/*
 * Owner methods: what an authenticated owner may ask of the VM (README 7.4); ARG is the struct owner_channel.
 */
#ifndef KILN_GUEST_OWNER_METHODS_H
#define KILN_GUEST_OWNER_METHODS_H

#include "src/io/rpc.h"

extern const struct rpc_method owner_methods[];

#endif
