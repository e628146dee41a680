/*
 * Vouch: what the host identity signs for owners, guests and clients (protocol/README 5).
 *
 * In: a registered VM's record, nonces. Out: bindings and signatures. Kept: nothing; a VM's binding is made
 * from its record, so it is the same each time.
 */
#ifndef KILN_CORE_VOUCH_H
#define KILN_CORE_VOUCH_H

#include "protocol/binding.h"
#include "src/core/core.h"

struct vouch {
    uint8_t binding[BINDING_MAX];
    size_t binding_len;
    struct binding_signature binding_signature, signature;
};

/* The binding of a VM that is registered and assigned, signed. `signature` stays empty. 0 or -EIO. */
int vouch_bind(struct core *core, const struct vm *vm, struct vouch *ret_vouch);
/* The same, and the signature over it with the owner's nonce. */
int vouch_make(struct core *core, const struct vm *vm, const uint8_t nonce_o[BINDING_NONCE_BYTES],
               struct vouch *ret_vouch);
/* The signature over the edge certificate's fingerprint. */
int vouch_edge(struct core *core, struct binding_signature *ret_signature);

#endif
