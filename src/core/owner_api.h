/*
 * Owner API: requests of people through the edge, which is trusted with none of it (protocol/README 8).
 *
 * In: method, path, token, signature and body as the edge passes them on. Out: a status and a JSON body.
 * Kept: what of failed log ins is held back.
 *
 * The order of checks: the route, the session, the signature over the raw bytes, its time, its nonce; only
 * then the body is parsed. What changes something is signed by the user's key, so that a session alone, which
 * the edge sees, changes nothing.
 */
#ifndef KILN_CORE_OWNER_API_H
#define KILN_CORE_OWNER_API_H

#include "src/core/ask.h"

struct json;
struct owner_api;

enum {
    OWNER_BODY_MAX = 65536,
    OWNER_HELD_BACK_MAX = 256 /* answers to failed log ins; more are LIMIT_REACHED at once */
};

/* VERBS is borrowed. 0 or -ENOMEM. */
int owner_api_create(struct verbs *verbs, struct owner_api **ret_api);
void owner_api_destroy(struct owner_api *api);

/* PARAMS of owner.request. Answers ASK (an http one). */
void owner_api_request(struct owner_api *api, struct ask *ask, const struct json *params);

/* PARAMS {token, vm} of owner.channel: {vm} when the session's user owns the VM and its guest can be spoken
 * to. */
void owner_api_channel(struct ask *ask, const struct json *params);

/* Fills in the ask's caller from a session's token; false: there is no such session, or no such user any
 * more. */
bool owner_api_identify(struct ask *ask, const uint8_t token[32]);

#endif
