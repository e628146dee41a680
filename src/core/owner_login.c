/*
 * Owner API: log in (protocol/README 8.2).
 *
 * In: a fingerprint; a nonce signed by its key. Out: a nonce for any fingerprint; a session for a good
 * signature. Kept: answers to failures, each for its time: guessing gets slower with each guess, by key and
 * by address, and a good signature never waits.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json.h"
#include "protocol/login.h"
#include "src/core/challenge.h"
#include "src/core/identity.h"
#include "src/core/object_private.h"
#include "src/core/owner_api_private.h"
#include "src/core/views.h"
#include "src/io/listener.h"
#include "src/io/log.h"
#include "src/io/loop.h"

struct held_back {
    struct owner_api *api;    /* borrowed */
    struct ask *ask;          /* owned */
    struct loop_timer *timer; /* owned */
    struct held_back *next;
};

static void held_free(struct held_back *held)
{
    loop_timer_destroy(held->timer);
    free(held);
}

void owner_login_destroy(struct owner_api *api)
{
    while (api->held) {
        struct held_back *held = api->held;
        api->held = held->next;
        ask_refuse(held->ask, CODE_LOGIN_FAILED, "");
        held_free(held);
    }
}

static void let_go(void *arg)
{
    struct held_back *held = arg;
    struct held_back **at = &held->api->held;
    while (*at != held)
        at = &(*at)->next;
    *at = held->next;
    held->api->nheld--;
    ask_refuse(held->ask, CODE_LOGIN_FAILED, "");
    held_free(held);
}

static void hold_back(struct owner_api *api, struct ask *ask, uint32_t delay_ms)
{
    struct held_back *held = NULL;
    if (api->nheld < OWNER_HELD_BACK_MAX)
        held = calloc(1, sizeof *held);
    if (!held || loop_timer_create(api->verbs->core->loop, let_go, held, &held->timer)) {
        free(held);
        ask->retry_after_s = delay_ms / 1000 + 1;
        ask_refuse(ask, CODE_LIMIT_REACHED, "");
        return;
    }
    held->api = api;
    held->ask = ask;
    held->next = api->held;
    api->held = held;
    api->nheld++;
    loop_timer_arm(held->timer, delay_ms);
}

void owner_login_challenge(struct owner_request *request)
{
    struct ask *ask = request->ask;
    struct json_reader reader = json_reader_init(request->body);
    uint8_t key[CHALLENGE_KEY_BYTES], nonce[CHALLENGE_NONCE_BYTES];
    json_read_hex(&reader, "fingerprint", key, sizeof key);
    if (json_reader_end(&reader)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
        return;
    }
    challenge_give(ask->verbs->challenges, key, loop_monotonic_ms(), nonce);
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_hex(&out, "nonce", nonce, sizeof nonce);
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
}

static void open_session(struct ask *ask, const struct user *user)
{
    uint8_t token[SESSION_TOKEN_BYTES];
    struct json_writer out = json_writer_init(0);
    session_open(ask->verbs->sessions, user->fingerprint, loop_monotonic_ms(), token);
    json_write_object_begin(&out, NULL);
    json_write_hex(&out, "token", token, sizeof token);
    json_write_int(&out, "expires", loop_wall_ms() + SESSION_LIFE_MS);
    json_write_object_begin(&out, "user");
    json_write_text(&out, "name", user->name);
    json_write_text(&out, "role", user->role == USER_ADMIN ? "admin" : "owner");
    json_write_hex(&out, "fingerprint", user->fingerprint, sizeof user->fingerprint);
    json_write_object_end(&out);
    json_write_object_end(&out);
    crypto_wipe(token, sizeof token);
    ask_send(ask, 200, &out);
}

static bool is_signed(const struct core *core, const struct user *user, const uint8_t *nonce,
                      struct bytes signature)
{
    struct crypto_rsa *key;
    if (!user || crypto_rsa_decode_public(user->spki, user->spki_len_bytes, &key))
        return false;
    bool good = login_verify(key, identity_fingerprint(core->identity), nonce, signature) == 0;
    crypto_rsa_destroy(key);
    return good;
}

/* What of failures anybody should see later. Once for each time that answers get slower, so that guessing
 * fills no store. */
static void audit_failure(struct core *core, const char *object, uint32_t delay_ms)
{
    char held[32];
    struct store_batch *batch;
    snprintf(held, sizeof held, "%u ms", (unsigned)delay_ms);
    const struct audit_deed deed = {.actor = "kilnd",
                                    .what = "login.failed",
                                    .object = object,
                                    .to = held,
                                    .story = "a log in failed: so long is its answer held back"};
    int rc = store_batch_create(core->store, &batch);
    if (!rc)
        rc = object_commit(core, batch, &deed, NULL, NULL);
    if (rc)
        log_warning("owner", "a failed log in is not in the audit", "object=%s error=%d", object, -rc);
}

/* Counts for the key, and for the address: who tries many keys from one waits as who tries one. How long the
 * answer is held back. Random keys get no entry: they are as many as somebody likes. */
static uint32_t count_failure(struct owner_request *request, const struct user *user,
                              const uint8_t key[CHALLENGE_KEY_BYTES])
{
    struct verbs *verbs = request->ask->verbs;
    char network[INET6_ADDRSTRLEN];
    uint8_t place[CHALLENGE_KEY_BYTES];
    bool slower, address_slower = false;
    int64_t now_ms = loop_monotonic_ms();
    uint32_t address_ms = 0, key_ms = challenge_failed(verbs->challenges, key, now_ms, &slower);
    listener_name_network(request->peer, network);
    if (*network) {
        crypto_hash(network, strlen(network), place);
        address_ms = challenge_failed(verbs->challenges, place, now_ms, &address_slower);
    }
    log_warning("owner", "a log in failed", "user=%s peer=%s", user ? user->name : "unknown", network);
    if (user && slower)
        audit_failure(verbs->core, user->name, key_ms);
    if (address_slower)
        audit_failure(verbs->core, network, address_ms);
    return key_ms > address_ms ? key_ms : address_ms;
}

void owner_login(struct owner_request *request)
{
    struct ask *ask = request->ask;
    struct verbs *verbs = ask->verbs;
    struct json_reader reader = json_reader_init(request->body);
    uint8_t key[CHALLENGE_KEY_BYTES], nonce[CHALLENGE_NONCE_BYTES], signature[CRYPTO_SIGNATURE_MAX];
    json_read_hex(&reader, "fingerprint", key, sizeof key);
    json_read_hex(&reader, "nonce", nonce, sizeof nonce);
    size_t len = json_read_base64(&reader, "signature", signature, sizeof signature);
    if (json_reader_end(&reader)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
        return;
    }
    const struct user *user = user_find_key(verbs->core, key);
    int64_t now_ms = loop_monotonic_ms();
    if (!challenge_check(verbs->challenges, key, nonce, now_ms) ||
        !is_signed(verbs->core, user, nonce, (struct bytes){signature, len})) {
        hold_back(request->api, ask, count_failure(request, user, key));
        return;
    }
    challenge_passed(verbs->challenges, key);
    if (challenge_use(verbs->challenges, key, nonce, now_ms)) {
        ask->retry_after_s = CHALLENGE_LIFE_MS / 1000;
        ask_refuse(ask, CODE_LIMIT_REACHED, "log ins");
        return;
    }
    log_info("owner", "logged in", "user=%s", user->name);
    open_session(ask, user);
}
