/* What is proved and signed: registration, bindings, vouches, link records, log in, signed requests,
 * manifests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/link.h"
#include "protocol/login.h"
#include "protocol/manifest.h"
#include "protocol/register.h"
#include "tests/unit/protocol_random.h"
#include "tests/unit/seed.h"

static struct fixed_random source = {3, 0};
static struct crypto_ec *identity, *other_identity;
static struct crypto_rsa *user;

static int make_keys(void **state)
{
    (void)state;
    return crypto_ec_generate(fixed_random_fill, &source, &identity) < 0 ||
           crypto_ec_generate(fixed_random_fill, &source, &other_identity) < 0 ||
           crypto_rsa_generate(2048, fixed_random_fill, &source, &user) < 0;
}

static int drop_keys(void **state)
{
    (void)state;
    crypto_ec_destroy(identity);
    crypto_ec_destroy(other_identity);
    crypto_rsa_destroy(user);
    return 0;
}

static struct register_request sample_request(void)
{
    struct register_request request = {
        .uuid = {1},
        .public_key = {2, 3, 4},
        .public_key_len = 3,
        .nonce_v = {5},
        .addresses = {"10.77.0.5", "fe80::1"},
        .naddresses = 2,
        .stub_version = "0.1.0",
        .controller_version = "0.2.0",
        .manifest = {6},
        .config = {7},
    };
    return request;
}

static int decode_request(const char *text, struct register_request *request, const char **wrong)
{
    struct json *tree;
    assert_int_equal(json_parse(text, strlen(text), NULL, &tree), 0);
    int error = register_request_decode(tree, request, wrong);
    /* what is wrong is named by a constant, so it outlives the tree */
    json_destroy(tree);
    return error;
}

static void a_registration_survives_its_json(void **state)
{
    struct register_request request = sample_request(), again;
    struct json_writer out = json_writer_init(0);
    const uint8_t secret[32] = {9};
    uint8_t key[32], a[32], b[32];
    (void)state;
    register_derive_key(secret, key);
    register_request_prove(&request, key);
    register_request_write(&out, NULL, &request);
    seed_write_text("register", "request", SEED_PLAIN, out.text);
    assert_int_equal(decode_request(out.text, &again, NULL), 0);
    register_request_hash(&request, a);
    register_request_hash(&again, b);
    assert_memory_equal(a, b, 32);
    assert_int_equal(register_request_check(&again, key), 0);
    json_writer_finish(&out);
}

static void any_other_registration_fails_its_proof(void **state)
{
    struct register_request good = sample_request();
    uint8_t key[32] = {1};
    (void)state;
    register_request_prove(&good, key);
    for (int i = 0; i < 9; i++) {
        struct register_request bad = good;
        uint8_t *const places[] = {bad.uuid,
                                   bad.public_key,
                                   bad.nonce_v,
                                   (uint8_t *)bad.addresses[0],
                                   (uint8_t *)bad.stub_version,
                                   (uint8_t *)bad.controller_version,
                                   bad.manifest,
                                   bad.config,
                                   bad.proof};
        places[i][0] ^= 1;
        assert_int_equal(register_request_check(&bad, key), -EACCES);
    }
    /* why no address may hold a comma: the joined text would be the same */
    struct register_request moved = good;
    strcpy(moved.addresses[0], "10.77.0.5,fe80::1");
    moved.naddresses = 1;
    uint8_t a[32], b[32];
    register_request_hash(&moved, a);
    register_request_hash(&good, b);
    assert_memory_equal(a, b, 32);
}

static void a_malformed_registration_names_its_member(void **state)
{
    static const char *const rows[][2] = {
        {"\"uuid\":\"0\"", "uuid"},
        {"\"nonce_v\":\"00\"", "nonce_v"},
        {"\"addresses\":[\"10.0.0.1,10.0.0.2\"]", "addresses"},
        {"\"addresses\":[\"\"]", "addresses"},
        {"\"addresses\":[1]", "addresses"},
        {"\"addresses\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]", "addresses"},
        {"\"stub_version\":\"012345678901234567890123456789012\"", "stub_version"},
        {"\"proof\":null", "proof"},
        {"\"public_key\":\"####\"", "public_key"},
    };
    struct register_request request = sample_request(), out;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json_writer good = json_writer_init(0), bad = json_writer_init(0);
        struct json *tree;
        const char *wrong = NULL;
        register_request_write(&good, NULL, &request);
        assert_int_equal(json_parse(good.text, good.len, NULL, &tree), 0);
        json_write_object_begin(&bad, NULL);
        for (size_t j = 0; j < json_count(tree); j++)
            if (strcmp(json_key_at(tree, j), rows[i][1]) != 0)
                json_write_value(&bad, json_key_at(tree, j), json_at(tree, j));
        json_write_object_end(&bad);
        char text[4096];
        snprintf(text, sizeof text, "%.*s,%s}", (int)bad.len - 1, bad.text, rows[i][0]);
        assert_int_equal(decode_request(text, &out, &wrong), -EINVAL);
        assert_string_equal(wrong, rows[i][1]);
        json_destroy(tree);
        json_writer_finish(&good);
        json_writer_finish(&bad);
    }
}

static void a_reply_is_tied_to_its_request(void **state)
{
    struct register_reply reply = {.settings = "{}", .host_identity_len = 3, .host_identity = {1, 2, 3}},
                          again;
    struct json_writer out = json_writer_init(0);
    struct json *tree;
    const uint8_t key[32] = {1}, hash[32] = {2}, other[32] = {3};
    (void)state;
    register_reply_prove(&reply, key, hash);
    register_reply_write(&out, NULL, &reply);
    seed_write_text("register", "reply", SEED_PLAIN, out.text);
    assert_int_equal(json_parse(out.text, out.len, NULL, &tree), 0);
    assert_int_equal(register_reply_decode(tree, &again, NULL), 0);
    assert_int_equal(again.owner_public_key_len, 0);
    assert_int_equal(register_reply_check(&again, key, hash), 0);
    assert_int_equal(register_reply_check(&again, key, other), -EACCES);
    assert_int_equal(register_reply_check(&again, other, hash), -EACCES);
    again.settings[1] = ']';
    assert_int_equal(register_reply_check(&again, key, hash), -EACCES);
    json_destroy(tree);
    json_writer_finish(&out);
}

static void each_boot_has_its_own_secrets(void **state)
{
    const uint8_t master[32] = {1}, uuid[16] = {2}, other[16] = {3};
    uint8_t a[32], b[32], c[32], key[32], token[32];
    (void)state;
    register_derive_boot_secret(master, uuid, 1, a);
    register_derive_boot_secret(master, uuid, 2, b);
    register_derive_boot_secret(master, other, 1, c);
    assert_memory_not_equal(a, b, 32);
    assert_memory_not_equal(a, c, 32);
    register_derive_key(a, key);
    register_derive_token(key, uuid, token);
    assert_memory_not_equal(key, token, 32);
}

static const struct binding sample_binding = {.uuid = {1},
                                              .vm_key = {2},
                                              .owner_key = {3},
                                              .brick = {4},
                                              .assignment = 5,
                                              .nonce_v = {6},
                                              .manifest = {7},
                                              .config = {8}};

static void bindings_hold_for_what_they_name_only(void **state)
{
    uint8_t bytes[BINDING_MAX];
    struct binding_signature signature;
    struct binding found;
    uint64_t assignment = 0;
    (void)state;
    struct bytes encoded = {bytes, binding_encode(&sample_binding, bytes)};
    seed_write("binding", "binding", SEED_PLAIN, bytes, encoded.len);
    assert_int_equal(binding_decode(bytes, encoded.len, &found), 0);
    assert_int_equal(found.assignment, 5);
    assert_int_equal(binding_sign(identity, fixed_random_fill, &source, encoded, &signature), 0);
    struct bytes signed_bytes = {signature.bytes, signature.len};
    assert_int_equal(binding_check(identity, encoded, signed_bytes, &sample_binding, &assignment), 0);
    assert_int_equal(assignment, 5);
    assert_int_equal(binding_check(other_identity, encoded, signed_bytes, &sample_binding, NULL), -EACCES);
    for (int i = 0; i < 7; i++) {
        struct binding wrong = sample_binding;
        uint8_t *const places[] = {wrong.uuid,    wrong.vm_key,   wrong.owner_key, wrong.brick,
                                   wrong.nonce_v, wrong.manifest, wrong.config};
        places[i][0] ^= 1;
        assert_int_equal(binding_check(identity, encoded, signed_bytes, &wrong, NULL), -EACCES);
    }
    for (size_t cut = 0; cut < encoded.len; cut++)
        assert_int_equal(binding_decode(bytes, cut, &found), -EBADMSG);
    bytes[4 + 14 + 4 + 7] = 2;
    assert_int_equal(binding_decode(bytes, encoded.len, &found), -EBADMSG);
}

static void vouches_are_fresh_and_labels_differ(void **state)
{
    uint8_t bytes[BINDING_MAX];
    const uint8_t nonce[32] = {1}, other[32] = {2};
    struct binding_signature signature, plain;
    (void)state;
    struct bytes encoded = {bytes, binding_encode(&sample_binding, bytes)};
    assert_int_equal(vouch_sign(identity, fixed_random_fill, &source, nonce, encoded, &signature), 0);
    struct bytes vouched = {signature.bytes, signature.len};
    assert_int_equal(vouch_verify(identity, nonce, encoded, vouched), 0);
    assert_int_equal(vouch_verify(identity, other, encoded, vouched), -EACCES);
    assert_int_equal(binding_verify(identity, encoded, vouched), -EACCES);
    assert_int_equal(edge_certificate_sign(identity, fixed_random_fill, &source, nonce, &plain), 0);
    assert_int_equal(edge_certificate_verify(identity, nonce, (struct bytes){plain.bytes, plain.len}), 0);
    assert_int_equal(edge_certificate_verify(identity, other, (struct bytes){plain.bytes, plain.len}),
                     -EACCES);
    assert_int_equal(edge_certificate_verify(identity, nonce, vouched), -EACCES);
}

static void the_brick_hash_knows_every_part(void **state)
{
    const uint8_t image[32] = {1}, kernel[32] = {2};
    uint8_t a[32], b[32], c[32], d[32];
    (void)state;
    brick_hash(image, NULL, NULL, "", a);
    brick_hash(image, kernel, NULL, "", b);
    brick_hash(image, NULL, kernel, "", c);
    brick_hash(image, NULL, NULL, "quiet", d);
    assert_memory_not_equal(a, b, 32);
    assert_memory_not_equal(b, c, 32);
    assert_memory_not_equal(a, d, 32);
}

static void make_links(struct link_session *guest, struct link_session *host)
{
    const uint8_t secret[32] = {1}, hash[32] = {2}, nonce_g[32] = {3}, nonce_h[32] = {4};
    link_session_init(guest, LINK_GUEST, secret, hash, nonce_g, nonce_h);
    link_session_init(host, LINK_HOST, secret, hash, nonce_g, nonce_h);
}

static void link_records_are_neither_changed_nor_repeated(void **state)
{
    struct link_session guest, host;
    uint8_t first[64], second[64], bad[64];
    size_t first_len, second_len;
    struct bytes body;
    (void)state;
    make_links(&guest, &host);
    assert_int_equal(link_session_seal(&guest, "one", 3, first, sizeof first, &first_len), 0);
    assert_int_equal(link_session_seal(&guest, "", 0, second, sizeof second, &second_len), 0);
    assert_int_equal(link_session_seal(&guest, "x", 1, bad, 40, &first_len), -ENOSPC);
    first_len = 3 + LINK_OVERHEAD_BYTES;
    seed_write_text("link", "body", SEED_PLAIN, "{\"jsonrpc\":\"2.0\"}");
    for (size_t i = 0; i < first_len; i++) {
        struct link_session copy = host;
        memcpy(bad, first, first_len);
        bad[i] ^= 1;
        assert_int_equal(link_session_open(&copy, bad, first_len, &body), -EBADMSG);
        assert_int_equal(link_session_open(&copy, first, first_len, &body), -EBADMSG);
    }
    seed_write("link", "record", SEED_PLAIN, bad, first_len);
    assert_int_equal(link_session_open(&host, first, first_len, &body), 0);
    assert_memory_equal(body.bytes, "one", 3);
    assert_int_equal(link_session_open(&host, second, second_len, &body), 0);
    assert_int_equal(body.len, 0);
    assert_int_equal(link_session_open(&host, second, second_len, &body), -EBADMSG);
    make_links(&guest, &host);
    assert_int_equal(link_session_open(&guest, first, first_len, &body), -EBADMSG);
}

static void log_in_is_for_one_host_and_nonce(void **state)
{
    const uint8_t host[32] = {1}, other[32] = {2}, nonce[32] = {3};
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    (void)state;
    assert_int_equal(login_sign(user, fixed_random_fill, &source, host, nonce, signature, &len), 0);
    assert_int_equal(login_verify(user, host, nonce, (struct bytes){signature, len}), 0);
    assert_int_equal(login_verify(user, other, nonce, (struct bytes){signature, len}), -EACCES);
    assert_int_equal(login_verify(user, host, other, (struct bytes){signature, len}), -EACCES);
}

static void a_signed_request_holds_as_it_was_signed(void **state)
{
    const uint8_t host[32] = {1}, other[32] = {2};
    struct request_target target = {host, "POST", "/v1/vms", {(const uint8_t *)"{}", 2}};
    struct request_signature signature, again;
    char header[REQUEST_HEADER_MAX];
    (void)state;
    assert_int_equal(request_signature_sign(user, fixed_random_fill, &source, &target, 123456789, &signature),
                     0);
    request_signature_format(&signature, header);
    seed_write_text("login", "header", SEED_PLAIN, header);
    assert_int_equal(request_signature_parse(header, &again), 0);
    assert_int_equal(request_signature_verify(user, &target, &again), 0);
    struct request_target wrong[4] = {target, target, target, target};
    wrong[0].host = other;
    wrong[1].method = "PUT";
    wrong[2].path = "/v1/vm";
    wrong[3].body.len = 1;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(request_signature_verify(user, &wrong[i], &again), -EACCES);
    again.time_ms++;
    assert_int_equal(request_signature_verify(user, &target, &again), -EACCES);
    again = signature;
    again.nonce[0] ^= 1;
    assert_int_equal(request_signature_verify(user, &target, &again), -EACCES);
}

static void the_signature_header_has_one_form(void **state)
{
#define NONCE "00112233445566778899aabbccddeeff"
    static const char *const wrong[] = {"",
                                        "time=1",
                                        "time=,nonce=" NONCE ",signature=AAAA",
                                        "time=-1,nonce=" NONCE ",signature=AAAA",
                                        "time=01,nonce=" NONCE ",signature=AAAA",
                                        "time=1,nonce=" NONCE "0,signature=AAAA",
                                        "time=1,nonce=00,signature=AAAA",
                                        "time=1,nonce=" NONCE ",signature=",
                                        "time=1,nonce=" NONCE ",signature=AAA",
                                        "time=1, nonce=" NONCE ",signature=AAAA",
                                        "nonce=" NONCE ",time=1,signature=AAAA",
                                        "time=1234567890123456,nonce=" NONCE ",signature=AAAA"};
    struct request_signature signature;
    (void)state;
    assert_int_equal(request_signature_parse("time=1,nonce=" NONCE ",signature=AAAA", &signature), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(request_signature_parse(wrong[i], &signature), -EBADMSG);
}

#define TOKEN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void a_token_is_whole_or_none(void **state)
{
    static const char *const good[][2] = {{"Bearer " TOKEN, NULL},
                                          {"bearer " TOKEN, "kiln.token.00"},
                                          {NULL, "kiln.token." TOKEN},
                                          {NULL, "kiln.v1, kiln.token." TOKEN},
                                          {NULL, "kiln.token.00,\tkiln.token." TOKEN " ,x"}};
    static const char *const wrong[][2] = {{NULL, NULL},
                                           {"", ""},
                                           {"Bearer", NULL},
                                           {TOKEN, NULL},
                                           {"Basic " TOKEN, "kiln.token." TOKEN},
                                           {"Bearer  " TOKEN, NULL},
                                           {"Bearer " TOKEN "0", NULL},
                                           {"Bearer " TOKEN ",", NULL},
                                           {"Bearer 00112233445566778899AABBCCDDEEFF", NULL},
                                           {NULL, "xkiln.token." TOKEN},
                                           {NULL, "kiln.token." TOKEN "x"},
                                           {NULL, "kiln.v1;kiln.token." TOKEN}};
    char token[LOGIN_TOKEN_TEXT];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        login_token_find(good[i][0], good[i][1], token);
        assert_string_equal(token, TOKEN);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        login_token_find(wrong[i][0], wrong[i][1], token);
        assert_string_equal(token, "");
    }
    seed_write_text("login", "bearer", SEED_PLAIN, good[1][0]);
    seed_write_text("login", "offer", SEED_PLAIN, good[4][1]);
}

static void manifests_are_ordered_signed_and_strict(void **state)
{
    struct manifest manifest = {.version = 7, .config = {1}}, again;
    const uint8_t hash[32] = {2};
    struct json_writer out = json_writer_init(0);
    uint8_t a[32], b[32];
    (void)state;
    assert_int_equal(manifest_add_controller(&manifest, "x86_64", hash), 0);
    assert_int_equal(manifest_add_controller(&manifest, "aarch64", hash), 0);
    assert_int_equal(manifest_add_controller(&manifest, "aarch64", hash), -EEXIST);
    assert_int_equal(manifest_add_controller(&manifest, "X86", hash), -EINVAL);
    assert_string_equal(manifest.controllers[0].architecture, "aarch64");
    assert_int_equal(manifest_sign(&manifest, identity, fixed_random_fill, &source), 0);
    manifest_write(&out, &manifest);
    seed_write_text("manifest", "two", SEED_PLAIN, out.text);
    assert_int_equal(manifest_parse(out.text, out.len, &again), 0);
    assert_int_equal(manifest_verify(&again, identity), 0);
    assert_int_equal(manifest_verify(&again, other_identity), -EACCES);
    manifest_hash(&manifest, a);
    manifest_hash(&again, b);
    assert_memory_equal(a, b, 32);
    assert_non_null(manifest_find(&again, "x86_64"));
    assert_null(manifest_find(&again, "riscv64"));
    again.version = 8;
    assert_int_equal(manifest_verify(&again, identity), -EACCES);
    for (size_t cut = 0; cut < out.len; cut++)
        assert_int_equal(manifest_parse(out.text, cut, &again), -EBADMSG);
    json_writer_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registration_survives_its_json),
        cmocka_unit_test(any_other_registration_fails_its_proof),
        cmocka_unit_test(a_malformed_registration_names_its_member),
        cmocka_unit_test(a_reply_is_tied_to_its_request),
        cmocka_unit_test(each_boot_has_its_own_secrets),
        cmocka_unit_test(bindings_hold_for_what_they_name_only),
        cmocka_unit_test(vouches_are_fresh_and_labels_differ),
        cmocka_unit_test(the_brick_hash_knows_every_part),
        cmocka_unit_test(link_records_are_neither_changed_nor_repeated),
        cmocka_unit_test(log_in_is_for_one_host_and_nonce),
        cmocka_unit_test(a_signed_request_holds_as_it_was_signed),
        cmocka_unit_test(the_signature_header_has_one_form),
        cmocka_unit_test(a_token_is_whole_or_none),
        cmocka_unit_test(manifests_are_ordered_signed_and_strict),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
