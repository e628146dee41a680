/*
 * Owner API: the checks that every request passes, in their order; owner_api.h says why. Routes are in
 * owner_routes.c.
 */
#include "src/core/owner_api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json.h"
#include "protocol/login.h"
#include "src/core/identity.h"
#include "src/core/owner_api_private.h"
#include "src/core/replay.h"
#include "src/io/loop.h"
#include "src/io/rates.h"

/* Some four people at a page and a script of each, or a program that asks as fast as it may. */
enum { USER_REQUESTS_PER_SECOND = 100, USER_REQUESTS_BURST = 400, USERS_KNOWN_MAX = 1024 };

int owner_api_create(struct verbs *verbs, struct owner_api **ret_api)
{
    struct owner_api *api = calloc(1, sizeof *api);
    if (!api)
        return -ENOMEM;
    const struct rates_config each = {USER_REQUESTS_PER_SECOND, USER_REQUESTS_BURST, USERS_KNOWN_MAX};
    int rc = rates_create(&each, &api->users);
    if (rc) {
        free(api);
        return rc;
    }
    api->verbs = verbs;
    *ret_api = api;
    return 0;
}

void owner_api_destroy(struct owner_api *api)
{
    if (!api)
        return;
    owner_login_destroy(api);
    rates_destroy(api->users);
    free(api);
}

bool owner_api_identify(struct ask *ask, const uint8_t token[32])
{
    uint8_t key[RECORD_HASH_LEN];
    if (!session_use(ask->verbs->sessions, token, loop_monotonic_ms(), key))
        return false;
    const struct user *user = user_find_key(ask->verbs->core, key);
    if (!user)
        return false;
    ask->caller = (struct caller){.is_user = true};
    ask->caller.sees_all = ask->caller.changes = user->role == USER_ADMIN;
    memcpy(ask->caller.key, key, sizeof key);
    core_actor_key(ask->caller.actor, key);
    return true;
}

/* ---- the route ---- */

/* RET_KNOWN: the path is there, with this or another method. */
static const struct owner_route *find_route(struct owner_request *request, bool *ret_known)
{
    *ret_known = false;
    for (const struct owner_route *route = owner_routes; route->method; route++) {
        if (!api_path_fits(&request->target, route->path, request->segment))
            continue;
        *ret_known = true;
        if (strcmp(route->method, request->method) == 0)
            return route;
    }
    return NULL;
}

/* ---- who, and what was signed ---- */

static enum kiln_code check_nonce(struct verbs *verbs, const uint8_t *user,
                                  const struct request_signature *signature)
{
    switch (replay_take(verbs->replay, user, signature->nonce, signature->time_ms, loop_wall_ms())) {
    case 0:
        return CODE_NONE;
    case -ETIME:
        return CODE_CLOCK_SKEW;
    case -EEXIST:
        return CODE_REPLAYED;
    case -ENOSPC:
        return CODE_LIMIT_REACHED;
    default:
        return CODE_STORE_FAILED;
    }
}

static int verify(const struct owner_request *request, const struct user *user,
                  const struct request_signature *signature)
{
    struct request_target target = {.host = identity_fingerprint(request->ask->verbs->core->identity),
                                    .method = request->method,
                                    .path = request->path,
                                    .body = request->raw};
    struct crypto_rsa *key;
    int error = crypto_rsa_decode_public(user->spki, user->spki_len_bytes, &key);
    if (error)
        return error;
    error = request_signature_verify(key, &target, signature);
    crypto_rsa_destroy(key);
    return error;
}

static enum kiln_code check_signature(const struct owner_request *request)
{
    struct verbs *verbs = request->ask->verbs;
    const uint8_t *key = request->ask->caller.key;
    const struct user *user = user_find_key(verbs->core, key);
    struct request_signature signature;
    if (request_signature_parse(request->signature_header, &signature) || verify(request, user, &signature))
        return CODE_SIGNATURE_WRONG;
    return check_nonce(verbs, key, &signature);
}

/* One user's requests do not hold up the others'. */
static enum kiln_code check_rate(const struct owner_request *request)
{
    struct ask *ask = request->ask;
    uint32_t wait_ms =
        rates_take(request->api->users, ask->caller.key, sizeof ask->caller.key, loop_monotonic_ms());
    if (wait_ms == 0)
        return CODE_NONE;
    ask->retry_after_s = wait_ms / 1000 + 1;
    return CODE_LIMIT_REACHED;
}

static enum kiln_code check_access(struct owner_request *request, enum owner_access access)
{
    if (access == OWNER_OPEN)
        return CODE_NONE;
    if (!request->has_token || !owner_api_identify(request->ask, request->token))
        return CODE_SESSION_EXPIRED;
    enum kiln_code code = check_rate(request);
    return code == CODE_NONE && access == OWNER_SIGNED ? check_signature(request) : code;
}

/* ---- the request ---- */

static void handle(struct owner_request *request, const struct owner_route *route)
{
    struct json *body = NULL;
    enum kiln_code code = check_access(request, route->access);
    if (code != CODE_NONE) {
        ask_refuse(request->ask, code, "");
        return;
    }
    if (request->raw.len > 0 &&
        (json_parse((const char *)request->raw.bytes, request->raw.len, NULL, &body) ||
         json_kind(body) != JSON_OBJECT)) {
        json_destroy(body);
        ask_refuse(request->ask, CODE_BAD_PARAMETER, "the body is no JSON object");
        return;
    }
    request->body = body;
    route->handle(request);
    json_destroy(body);
}

static void route_request(struct owner_request *request)
{
    bool known = false;
    const struct owner_route *route = NULL;
    if (api_path_parse(request->path, &request->target) == 0)
        route = find_route(request, &known);
    if (!route) {
        ask_refuse(request->ask, known ? CODE_METHOD_NOT_ALLOWED : CODE_NOT_FOUND, "");
        return;
    }
    if (*request->target.after)
        request->after = request->target.after;
    handle(request, route);
}

void owner_api_request(struct owner_api *api, struct ask *ask, const struct json *params)
{
    struct json_reader reader = json_reader_init(params);
    struct owner_request request = {.api = api, .ask = ask};
    uint8_t *raw = malloc(OWNER_BODY_MAX);
    if (!raw) {
        ask_refuse(ask, CODE_INTERNAL, "");
        return;
    }
    request.method = json_read_text(&reader, "method");
    request.path = json_read_text(&reader, "path");
    request.peer = json_read_text_or(&reader, "peer", "");
    request.signature_header = json_read_text_or(&reader, "signature", "");
    const char *token = json_read_text_or(&reader, "token", "");
    request.has_token = hex_decode(token, request.token, sizeof request.token) == 0;
    request.raw = (struct bytes){raw, json_read_base64_or_empty(&reader, "body", raw, OWNER_BODY_MAX)};
    if (json_reader_end(&reader))
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
    else
        route_request(&request);
    crypto_wipe(request.token, sizeof request.token);
    free(raw);
}

void owner_api_channel(struct ask *ask, const struct json *params)
{
    struct json_reader reader = json_reader_init(params);
    uint8_t token[SESSION_TOKEN_BYTES], uuid[VM_UUID_LEN];
    json_read_hex(&reader, "token", token, sizeof token);
    json_read_uuid(&reader, "vm", uuid);
    const struct vm_slot *slot = core_vm(ask->verbs->core, uuid);
    if (json_reader_end(&reader)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
    } else if (!owner_api_identify(ask, token)) {
        ask_refuse(ask, CODE_SESSION_EXPIRED, "");
    } else if (!slot || !slot->vm.assigned || !caller_is(&ask->caller, slot->vm.owner)) {
        ask_refuse(ask, CODE_NOT_FOUND, "");
    } else if (!vm_link_allowed(&slot->vm)) {
        ask_refuse(ask, CODE_CONFLICT, vm_state_name(slot->vm.head.state));
    } else {
        struct json_writer out = json_writer_init(0);
        json_write_object_begin(&out, NULL);
        json_write_uuid(&out, "vm", uuid);
        json_write_object_end(&out);
        ask_send(ask, 200, &out);
    }
    crypto_wipe(token, sizeof token);
}
