/*
 * Register: a guest's registration and token, proved by its boot secret (protocol/README 4.2, 4.3).
 *
 * In: what the edge passes on, which may be anything. Out: an event for the VM's machine; the answer.
 * Kept: nothing; the record keeps what the first good registration brought. The proof is checked before
 * anything in the request is believed, in a time that says nothing of it.
 */
#ifndef KILN_CORE_REGISTER_H
#define KILN_CORE_REGISTER_H

#include "src/core/ask.h"

struct json;

/* Answers ASK: once the registration is durable, with 4.2's reply; the same request again gets the same
 * reply. PROOF_WRONG (also for an unknown VM), ALREADY_REGISTERED, BAD_PARAMETER, UNAVAILABLE (the VM is not
 * yet known to run: ask again). RELEASE_NOT_CURRENT (releases.h), which ends the VM. */
void register_guest(struct ask *ask, const struct json *params);

/* Whether TOKEN is the guest's of this VM, and the VM may open its link and channels: CODE_NONE, PROOF_WRONG
 * (also for an unknown VM), NOT_REGISTERED (the token is good: the guest shall register, perhaps again). */
enum kiln_code register_token_check(const struct core *core, const uint8_t uuid[VM_UUID_LEN],
                                    const uint8_t token[RECORD_HASH_LEN]);

#endif
