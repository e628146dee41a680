/*
 * Registrations, as a guest makes them and as an edge might.
 */
#include "tests/unit/core_verbs_guest.h"

static struct world *world;
static struct guest_end guest;

static int open_world(void **state)
{
    char id[37];
    (void)state;
    world = world_create();
    owner_login_good(world, &world->alice);
    owner_make_vm(world, &world->alice, "vm", "[]", id);
    guest_boot(world, id, &guest);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    guest_finish(&guest);
    world_destroy(world);
    return 0;
}

static void prove(struct register_request *request, const uint8_t secret[32])
{
    uint8_t key[CRYPTO_KEY_BYTES];
    register_derive_key(secret, key);
    register_request_prove(request, key);
}

static void a_proved_registration_is_answered_with_a_binding(void **state)
{
    struct register_reply reply;
    uint8_t key[CRYPTO_KEY_BYTES];
    struct binding binding;
    (void)state;
    assert_string_equal(guest_register_with(world, &guest.request), "");
    assert_int_equal(register_reply_decode(world->result, &reply, NULL), 0);
    register_derive_key(guest.secret, key);
    assert_int_equal(register_reply_check(&reply, key, guest.request_hash), 0);
    assert_int_equal(binding_decode(reply.binding, reply.binding_len, &binding), 0);
    assert_memory_equal(binding.uuid, guest.uuid, 16);
    assert_memory_equal(binding.owner_key, world->alice.fingerprint, 32);
    assert_memory_equal(binding.nonce_v, guest.request.nonce_v, 32);
    assert_true(binding.assignment > 0);
    struct crypto_ec *identity;
    assert_int_equal(crypto_ec_decode_public(reply.host_identity, reply.host_identity_len, &identity), 0);
    assert_int_equal(binding_verify(identity, (struct bytes){reply.binding, reply.binding_len},
                                    (struct bytes){reply.signature, reply.signature_len}),
                     0);
    crypto_ec_destroy(identity);
    assert_int_equal(guest_vm(world, &guest)->head.state, VM_REGISTERED);
}

static void the_same_again_gets_the_same_answer(void **state)
{
    (void)state;
    assert_string_equal(guest_register_with(world, &guest.request), "");
    char *first = strdup(world->text);
    assert_string_equal(guest_register_with(world, &guest.request), "");
    assert_string_equal(world->text, first);
    /* also from a kilnd that was started anew: it keeps the record and no secret */
    world_stop(world);
    world_start(world);
    world_hello(world, "[]");
    assert_string_equal(guest_register_with(world, &guest.request), "");
    assert_string_equal(world->text, first);
    free(first);
}

static void a_second_key_is_refused_and_harms_nothing(void **state)
{
    struct register_request other = guest.request;
    (void)state;
    assert_string_equal(guest_register_with(world, &guest.request), "");
    memcpy(other.public_key, world->bob.spki, world->bob.spki_len);
    other.public_key_len = world->bob.spki_len;
    prove(&other, guest.secret);
    assert_string_equal(guest_register_with(world, &other), "ALREADY_REGISTERED");
    other = guest.request;
    other.nonce_v[0] ^= 1;
    prove(&other, guest.secret);
    assert_string_equal(guest_register_with(world, &other), "ALREADY_REGISTERED");
    assert_memory_equal(guest_vm(world, &guest)->registration.spki, guest.request.public_key, 290);
    assert_string_equal(guest_register_with(world, &guest.request), "");
}

static void without_the_secret_nothing_is_registered(void **state)
{
    struct register_request forged = guest.request;
    uint8_t zeros[32] = {0};
    (void)state;
    memcpy(forged.public_key, world->bob.spki, world->bob.spki_len);
    assert_string_equal(guest_register_with(world, &forged), "PROOF_WRONG");
    prove(&forged, zeros);
    assert_string_equal(guest_register_with(world, &forged), "PROOF_WRONG");
    memset(forged.proof, 0, sizeof forged.proof);
    assert_string_equal(guest_register_with(world, &forged), "PROOF_WRONG");
    assert_int_equal(guest_vm(world, &guest)->head.state, VM_BOOTED);
    assert_false(guest_vm(world, &guest)->registered);
    assert_string_equal(guest_register_with(world, &guest.request), "");
}

static void an_unknown_vm_is_answered_like_a_wrong_proof(void **state)
{
    struct register_request stray = guest.request;
    (void)state;
    stray.uuid[0] ^= 1;
    prove(&stray, guest.secret);
    assert_string_equal(guest_register_with(world, &stray), "PROOF_WRONG");
    assert_string_equal(world->detail, "");
}

static void another_vms_secret_does_not_serve(void **state)
{
    struct guest_end second;
    char id[37];
    (void)state;
    owner_make_vm(world, &world->alice, "second", "[]", id);
    guest_boot(world, id, &second);
    struct register_request mixed = second.request;
    memcpy(mixed.uuid, guest.uuid, 16);
    prove(&mixed, second.secret);
    assert_string_equal(guest_register_with(world, &mixed), "PROOF_WRONG");
    assert_string_equal(guest_register_with(world, &second.request), "");
    assert_string_equal(guest_register_with(world, &guest.request), "");
    assert_true(guest_vm(world, &second)->assignment_number > guest_vm(world, &guest)->assignment_number);
    guest_finish(&second);
}

static void a_destroyed_vm_registers_no_more(void **state)
{
    (void)state;
    char params[64];
    snprintf(params, sizeof params, "{\"vm\":\"%s\"}", guest.id);
    assert_string_equal(world_call(world, world->control, "vm.destroy", params), "");
    assert_string_equal(guest_register_with(world, &guest.request), "PROOF_WRONG");
}

static void a_key_that_is_no_vm_key_is_refused(void **state)
{
    struct register_request odd = guest.request;
    (void)state;
    odd.public_key_len = 100;
    prove(&odd, guest.secret);
    assert_string_equal(guest_register_with(world, &odd), "BAD_PARAMETER");
    assert_string_equal(world->detail, "public_key");
    assert_string_equal(world_call(world, world->edge, "guest.register", "{\"uuid\":7}"), "BAD_PARAMETER");
    assert_string_equal(guest_register_with(world, &guest.request), "");
}

static void a_release_that_was_current_before_the_vm_was_there_is_refused(void **state)
{
    struct guest_end second;
    char id[37];
    (void)state;
    uint8_t old[32];
    memcpy(old, world->manifest, sizeof old);
    int64_t published_ms = world_publish(world, 2);
    while (loop_wall_ms() <= published_ms)
        continue;
    owner_make_vm(world, &world->alice, "second", "[]", id);
    guest_boot(world, id, &second);
    memcpy(second.request.manifest, old, sizeof old);
    prove(&second.request, second.secret);
    assert_string_equal(guest_register_with(world, &second.request), "RELEASE_NOT_CURRENT");
    world_await_state(world, id, VM_DESTROYED);
    assert_int_equal(guest_vm(world, &second)->code, CODE_RELEASE_NOT_CURRENT);
    assert_false(guest_vm(world, &second)->registered);
    guest_finish(&second);
}

static void a_clock_set_back_makes_no_old_release_good(void **state)
{
    (void)state;
    world_publish(world, 2);
    assert_int_equal(releases_check(&world->core, guest_vm(world, &guest), guest.request.manifest),
                     CODE_NONE);
    assert_int_equal(world->core.releases.count, 2);
    /* As the clock was an hour ahead when the release came. */
    world->core.releases.known[1].since_ms += 3600 * 1000;
    assert_string_equal(guest_register_with(world, &guest.request), "RELEASE_NOT_CURRENT");
}

static void a_release_that_was_replaced_while_the_vm_came_up_will_do(void **state)
{
    (void)state;
    /* The file's clock is coarser than ours. */
    while (world_publish(world, 2) < guest_vm(world, &guest)->head.entered_at_ms)
        continue;
    assert_string_equal(guest_register_with(world, &guest.request), "");
    /* Later it is the same guest, whatever is published, and whoever has it in memory. */
    world_publish(world, 3);
    world_stop(world);
    world_start(world);
    world_hello(world, "[]");
    assert_string_equal(guest_register_with(world, &guest.request), "");
}

static void what_was_in_force_outlives_kilnd(void **state)
{
    (void)state;
    while (world_publish(world, 2) < guest_vm(world, &guest)->head.entered_at_ms)
        continue;
    world_stop(world);
    world_start(world);
    world_hello(world, "[]");
    assert_int_equal(world->core.releases.count, 2);
    assert_string_equal(guest_register_with(world, &guest.request), "");
}

static void without_a_release_guests_are_asked_to_wait(void **state)
{
    char path[128];
    (void)state;
    world->core.releases.count = 0;
    snprintf(path, sizeof path, "%s/release/manifest.json", world->folder);
    assert_int_equal(unlink(path), 0);
    assert_string_equal(guest_register_with(world, &guest.request), "CONTROLLER_UNAVAILABLE");
    assert_int_equal(guest_vm(world, &guest)->head.state, VM_BOOTED);
    world_publish(world, 1);
    assert_string_equal(guest_register_with(world, &guest.request), "");
}

static const char *show_token(const uint8_t *token)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_uuid(&params, "uuid", guest.uuid);
    json_write_hex(&params, "token", token, 32);
    json_write_object_end(&params);
    const char *code = world_call(world, world->edge, "guest.token", params.text);
    json_writer_finish(&params);
    return code;
}

static void a_token_opens_only_a_registered_vm(void **state)
{
    uint8_t key[CRYPTO_KEY_BYTES], token[32];
    (void)state;
    register_derive_key(guest.secret, key);
    register_derive_token(key, guest.uuid, token);
    assert_string_equal(show_token(token), "NOT_REGISTERED");
    token[31] ^= 1;
    assert_string_equal(show_token(token), "PROOF_WRONG");
    token[31] ^= 1;
    assert_string_equal(guest_register_with(world, &guest.request), "");
    assert_string_equal(show_token(token), "");
    token[31] ^= 1;
    assert_string_equal(show_token(token), "PROOF_WRONG");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_proved_registration_is_answered_with_a_binding),
        TEST(the_same_again_gets_the_same_answer),
        TEST(a_second_key_is_refused_and_harms_nothing),
        TEST(without_the_secret_nothing_is_registered),
        TEST(an_unknown_vm_is_answered_like_a_wrong_proof),
        TEST(another_vms_secret_does_not_serve),
        TEST(a_destroyed_vm_registers_no_more),
        TEST(a_key_that_is_no_vm_key_is_refused),
        TEST(a_release_that_was_current_before_the_vm_was_there_is_refused),
        TEST(a_clock_set_back_makes_no_old_release_good),
        TEST(a_release_that_was_replaced_while_the_vm_came_up_will_do),
        TEST(what_was_in_force_outlives_kilnd),
        TEST(without_a_release_guests_are_asked_to_wait),
        TEST(a_token_opens_only_a_registered_vm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
