/*
 * A guest for core_verbs_fixture.h: its registration and its link, through the edge.
 */
#ifndef KILN_TESTS_UNIT_CORE_VERBS_GUEST_H
#define KILN_TESTS_UNIT_CORE_VERBS_GUEST_H

#include "tests/unit/core_verbs_owner.h"

struct guest_end {
    uint8_t uuid[16];
    char id[37];
    uint8_t secret[32];
    struct crypto_rsa *key;
    struct register_request request;
    uint8_t request_hash[32];
    uint64_t link; /* the edge's number */
    struct link_session session;
};

/* What QEMU and the stub give a guest: its id and its boot secret. RSA is its key (owned). */
static inline void guest_boot_with(struct world *world, const char *id, struct crypto_rsa *rsa,
                                   struct guest_end *guest)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    memset(guest, 0, sizeof *guest);
    guest->key = rsa;
    snprintf(guest->id, sizeof guest->id, "%s", id);
    world_await_state(world, id, VM_BOOTED);
    assert_int_equal(core_uuid_parse(id, guest->uuid), 0);
    const struct vm *vm = &core_vm(&world->core, guest->uuid)->vm;
    assert_int_equal(identity_boot_secret(world->core.identity, guest->uuid, vm->boot_number, guest->secret),
                     0);
    struct register_request *request = &guest->request;
    memcpy(request->uuid, guest->uuid, 16);
    assert_int_equal(crypto_rsa_encode_public(guest->key, request->public_key, &request->public_key_len), 0);
    random_fill(request->nonce_v, sizeof request->nonce_v);
    strcpy(request->addresses[0], "10.77.0.5");
    request->naddresses = 1;
    strcpy(request->stub_version, "0.1.0");
    strcpy(request->controller_version, "0.1.0");
    memcpy(request->manifest, world->manifest, sizeof request->manifest);
    register_derive_key(guest->secret, key);
    register_request_prove(request, key);
    register_request_hash(request, guest->request_hash);
}

static inline void guest_boot(struct world *world, const char *id, struct guest_end *guest)
{
    struct crypto_rsa *key;
    assert_int_equal(crypto_rsa_generate(2048, test_random, NULL, &key), 0);
    guest_boot_with(world, id, key, guest);
}

static inline void guest_finish(struct guest_end *guest)
{
    crypto_rsa_destroy(guest->key);
    link_session_finish(&guest->session);
}

/* Returns the stable code's name, "" for a reply. */
static inline const char *guest_register_with(struct world *world, const struct register_request *request)
{
    struct json_writer params = json_writer_init(0);
    register_request_write(&params, NULL, request);
    const char *code = world_call(world, world->edge, "guest.register", params.text);
    json_writer_finish(&params);
    return code;
}

static inline void guest_send(struct world *world, const struct guest_end *guest, const void *record,
                              size_t len)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_int(&params, "link", (int64_t)guest->link);
    json_write_base64(&params, "data", record, len);
    json_write_object_end(&params);
    world_notify(world, "link.data", params.text);
    json_writer_finish(&params);
}

/* The next record for this guest's link, those for others dropped; returns its length. */
static inline size_t guest_receive(struct world *world, const struct guest_end *guest, uint8_t *record,
                                   size_t max)
{
    for (;;) {
        struct json *params = world_notice(world, "link.data");
        const char *data = world_text(params, "data");
        int64_t link = -1;
        size_t len;
        json_int(json_member(params, "link"), &link);
        int error = base64_decode(data, strlen(data), record, max, &len);
        json_destroy(params);
        if (link != (int64_t)guest->link)
            continue;
        assert_int_equal(error, 0);
        return len;
    }
}

/* Opens link number LINK and exchanges nonces. */
static inline void guest_open_link(struct world *world, struct guest_end *guest, uint64_t link)
{
    char params[128];
    uint8_t nonce_g[32], nonce_h[32];
    guest->link = link;
    snprintf(params, sizeof params, "{\"link\":%llu,\"uuid\":\"%s\"}", (unsigned long long)link, guest->id);
    world_notify(world, "link.open", params);
    random_fill(nonce_g, sizeof nonce_g);
    guest_send(world, guest, nonce_g, sizeof nonce_g);
    assert_int_equal(guest_receive(world, guest, nonce_h, sizeof nonce_h), 32);
    link_session_init(&guest->session, LINK_GUEST, guest->secret, guest->request_hash, nonce_g, nonce_h);
}

static inline size_t guest_seal(struct guest_end *guest, const char *method, const char *params,
                                uint8_t *record, size_t max)
{
    char text[1024];
    size_t len;
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":%s}", method, params);
    assert_int_equal(link_session_seal(&guest->session, text, strlen(text), record, max, &len), 0);
    return len;
}

static inline void guest_say(struct world *world, struct guest_end *guest, const char *method,
                             const char *params)
{
    uint8_t record[2048];
    guest_send(world, guest, record, guest_seal(guest, method, params, record, sizeof record));
}

/* The next message of the host on the link; the caller destroys it. */
static inline struct json *guest_hear(struct world *world, struct guest_end *guest)
{
    uint8_t record[8192];
    struct bytes body;
    struct json *tree;
    size_t len = guest_receive(world, guest, record, sizeof record);
    assert_int_equal(link_session_open(&guest->session, record, len, &body), 0);
    assert_int_equal(json_parse((const char *)body.bytes, body.len, NULL, &tree), 0);
    return tree;
}

/* Waits until the host closes link LINK. */
static inline void guest_await_close(struct world *world, uint64_t link)
{
    for (;;) {
        struct json *params = world_notice(world, "link.close");
        int64_t number = -1;
        json_int(json_member(params, "link"), &number);
        json_destroy(params);
        if (number == (int64_t)link)
            return;
    }
}

/* Alice's VM, registered. */
static inline void guest_make(struct world *world, const char *name, const char *drives,
                              struct guest_end *guest)
{
    char id[37];
    owner_make_vm(world, &world->alice, name, drives, id);
    guest_boot(world, id, guest);
    assert_string_equal(guest_register_with(world, &guest->request), "");
}

static inline const struct vm *guest_vm(const struct world *world, const struct guest_end *guest)
{
    return &core_vm(&world->core, guest->uuid)->vm;
}

#endif
