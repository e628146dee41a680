/*
 * kiln-connect: what the host says of a VM's key, checked (protocol/README 5.2).
 */
#ifndef KILN_CLI_CONNECT_VOUCH_H
#define KILN_CLI_CONNECT_VOUCH_H

#include "protocol/binding.h"
#include "src/cli/connect.h"

struct connect_vouch {
    uint8_t nonce_o[BINDING_NONCE_BYTES];
    uint8_t bytes[BINDING_MAX]; /* the binding as it came */
    size_t len;
    struct binding binding;
    struct crypto_rsa *vm_key; /* owned */
};

/* Asks for a vouch of VM with a fresh nonce. CLI_OK only if both signatures, the UUID, both fingerprints and
 * the brick are right. */
int connect_vouch_ask(struct connect *connect, const struct json *vm, struct connect_vouch *ret_vouch);
void connect_vouch_finish(struct connect_vouch *vouch);

#endif
