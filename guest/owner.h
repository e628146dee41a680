/*
 * Owner: takes up whose VM this is, once a binding says so that holds (README 5.1).
 * In: an owner's key, binding and signature, from the registration's reply or the link. Out: the owner in the
 * controller, and with the stub for after a crash. Kept: one owner, once a boot.
 */
#ifndef KILN_GUEST_OWNER_H
#define KILN_GUEST_OWNER_H

#include "protocol/text.h"

struct controller;

struct owner_claim {
    struct bytes host_identity; /* SPKI */
    struct bytes public_key;    /* SPKI of the owner */
    struct bytes binding, signature;
};

/* -EACCES the binding does not hold or names another owner than before; -EBADMSG malformed; -ENOMEM. Nothing
 * changed then. */
int owner_take(struct controller *controller, const struct owner_claim *claim);

#endif
