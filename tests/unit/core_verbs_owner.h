/*
 * An owner for core_verbs_fixture.h: log in, plain and signed requests, and requests bent on the way.
 */
#ifndef KILN_TESTS_UNIT_CORE_VERBS_OWNER_H
#define KILN_TESTS_UNIT_CORE_VERBS_OWNER_H

#include "tests/unit/core_verbs_fixture.h"

/* What the edge passes on. Members NULL: absent. */
struct passed {
    const char *method, *path, *token, *signature, *body;
};

static inline struct json_writer passed_params(const struct passed *passed)
{
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "peer", "192.0.2.1");
    json_write_text(&out, "method", passed->method);
    json_write_text(&out, "path", passed->path);
    if (passed->token)
        json_write_text(&out, "token", passed->token);
    if (passed->signature)
        json_write_text(&out, "signature", passed->signature);
    if (passed->body)
        json_write_base64(&out, "body", passed->body, strlen(passed->body));
    json_write_object_end(&out);
    return out;
}

/* Passes it on and waits. Returns the stable code's name, "" for a good answer; the body is in
 * world->body. */
static inline const char *owner_pass(struct world *world, const struct passed *passed)
{
    struct json_writer params = passed_params(passed);
    assert_string_equal(world_call(world, world->edge, "owner.request", params.text), "");
    json_writer_finish(&params);
    const char *body = world_text(world->result, "body");
    int64_t status = 0;
    json_int(json_member(world->result, "status"), &status);
    world->status = (int)status;
    assert_int_equal(json_parse(body, strlen(body), NULL, &world->body), 0);
    return world_text(json_member(world->body, "error"), "code");
}

/* The header of a request by PERSON at TIME_MS. */
static inline void owner_sign(struct world *world, const struct person *person, const struct passed *passed,
                              int64_t time_ms, char header[REQUEST_HEADER_MAX])
{
    struct request_signature signature;
    struct request_target target = {
        .host = identity_fingerprint(world->core.identity), .method = passed->method, .path = passed->path};
    if (passed->body)
        target.body = (struct bytes){(const uint8_t *)passed->body, strlen(passed->body)};
    assert_int_equal(request_signature_sign(person->key, test_random, NULL, &target, time_ms, &signature), 0);
    request_signature_format(&signature, header);
}

/* As a client does it: signed unless it is a GET. */
static inline const char *owner_ask(struct world *world, const struct person *person, const char *method,
                                    const char *path, const char *body)
{
    char header[REQUEST_HEADER_MAX];
    struct passed passed = {.method = method, .path = path, .token = person->token, .body = body};
    if (strcmp(method, "GET") != 0) {
        owner_sign(world, person, &passed, loop_wall_ms(), header);
        passed.signature = header;
    }
    return owner_pass(world, &passed);
}

static inline void owner_nonce(struct world *world, const struct person *person, uint8_t nonce[32])
{
    char body[128], fingerprint[65];
    hex_encode(person->fingerprint, sizeof person->fingerprint, fingerprint);
    snprintf(body, sizeof body, "{\"fingerprint\":\"%s\"}", fingerprint);
    struct passed passed = {.method = "POST", .path = "/v1/login/challenge", .body = body};
    assert_string_equal(owner_pass(world, &passed), "");
    assert_int_equal(hex_decode(world_text(world->body, "nonce"), nonce, 32), 0);
}

/* The second step, for the session of PERSON, signed by KEY. */
static inline const char *owner_login_with(struct world *world, const struct person *person,
                                           struct crypto_rsa *key, const uint8_t nonce[32])
{
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    struct json_writer body = json_writer_init(0);
    assert_int_equal(login_sign(key, test_random, NULL, identity_fingerprint(world->core.identity), nonce,
                                signature, &len),
                     0);
    json_write_object_begin(&body, NULL);
    json_write_hex(&body, "fingerprint", person->fingerprint, sizeof person->fingerprint);
    json_write_hex(&body, "nonce", nonce, 32);
    json_write_base64(&body, "signature", signature, len);
    json_write_object_end(&body);
    struct passed passed = {.method = "POST", .path = "/v1/login", .body = body.text};
    const char *code = owner_pass(world, &passed);
    json_writer_finish(&body);
    return code;
}

static inline void owner_login_good(struct world *world, struct person *person)
{
    uint8_t nonce[32];
    owner_nonce(world, person, nonce);
    assert_string_equal(owner_login_with(world, person, person->key, nonce), "");
    snprintf(person->token, sizeof person->token, "%s", world_text(world->body, "token"));
    assert_int_equal(strlen(person->token), 64);
}

/* Makes a VM of PERSON's; its id goes to ID. */
static inline void owner_make_vm(struct world *world, const struct person *person, const char *name,
                                 const char *drives, char id[37])
{
    char body[512];
    snprintf(body, sizeof body, "{\"name\":\"%s\",\"brick\":\"deb\",\"drives\":%s}", name, drives);
    assert_string_equal(owner_ask(world, person, "POST", "/v1/vms", body), "");
    assert_int_equal(world->status, 201);
    snprintf(id, 37, "%s", world_text(world->body, "id"));
}

/* Runs until the VM is in the state. */
static inline void world_await_state(struct world *world, const char *id, enum vm_state state)
{
    uint8_t uuid[16];
    assert_int_equal(core_uuid_parse(id, uuid), 0);
    while (!core_vm(&world->core, uuid) || core_vm(&world->core, uuid)->vm.head.state != (int32_t)state)
        loop_step(world->core.loop, true);
}

#endif
