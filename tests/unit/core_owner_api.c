/*
 * The owner API behind an edge that does as it likes.
 */
#include "protocol/envelope.h"
#include "src/core/owner_api_private.h"
#include "src/io/rates.h"
#include "tests/unit/core_verbs_owner.h"

#define BODY(name) "{\"name\":\"" name "\",\"brick\":\"deb\",\"drives\":[]}"

static struct world *world;

static int open_world(void **state)
{
    (void)state;
    world = world_create();
    owner_login_good(world, &world->alice);
    owner_login_good(world, &world->bob);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_destroy(world);
    return 0;
}

static size_t count_vms(void)
{
    return world->core.vms.count;
}

static void login_needs_the_key(void **state)
{
    uint8_t nonce[32];
    struct passed me = {.method = "GET", .path = "/v1/me", .token = world->alice.token};
    (void)state;
    assert_string_equal(owner_pass(world, &me), "");
    assert_string_equal(world_text(world->body, "name"), "alice");
    owner_nonce(world, &world->alice, nonce);
    assert_string_equal(owner_login_with(world, &world->alice, world->bob.key, nonce), "LOGIN_FAILED");
    assert_int_equal(world->status, 401);
    /* who cannot sign uses up nothing; a log in uses its nonce up; no other's nonce will do */
    assert_string_equal(owner_login_with(world, &world->alice, world->alice.key, nonce), "");
    assert_string_equal(owner_login_with(world, &world->alice, world->alice.key, nonce), "LOGIN_FAILED");
    owner_nonce(world, &world->bob, nonce);
    assert_string_equal(owner_login_with(world, &world->alice, world->alice.key, nonce), "LOGIN_FAILED");
}

static void an_unknown_key_gets_a_nonce_and_fails_later(void **state)
{
    struct person stranger;
    uint8_t nonce[32];
    (void)state;
    person_make(&stranger);
    owner_nonce(world, &stranger, nonce);
    assert_string_equal(owner_login_with(world, &stranger, stranger.key, nonce), "LOGIN_FAILED");
    crypto_rsa_destroy(stranger.key);
}

static void a_session_alone_reads_and_changes_nothing(void **state)
{
    struct passed post = {
        .method = "POST", .path = "/v1/vms", .token = world->alice.token, .body = BODY("stolen")};
    struct passed get = {.method = "GET", .path = "/v1/vms", .token = world->alice.token};
    (void)state;
    assert_string_equal(owner_pass(world, &get), "");
    assert_string_equal(owner_pass(world, &post), "SIGNATURE_WRONG");
    assert_int_equal(world->status, 401);
    post.signature = "time=1,nonce=00,signature=AAAA";
    assert_string_equal(owner_pass(world, &post), "SIGNATURE_WRONG");
    assert_int_equal(count_vms(), 0);
}

static void a_token_that_is_none_is_refused(void **state)
{
    char token[65];
    struct passed get = {.method = "GET", .path = "/v1/vms", .token = token};
    (void)state;
    memset(token, '0', 64);
    token[64] = '\0';
    assert_string_equal(owner_pass(world, &get), "SESSION_EXPIRED");
    get.token = "short";
    assert_string_equal(owner_pass(world, &get), "SESSION_EXPIRED");
    get.token = NULL;
    assert_string_equal(owner_pass(world, &get), "SESSION_EXPIRED");
}

static void what_was_signed_cannot_be_swapped(void **state)
{
    char header[REQUEST_HEADER_MAX];
    struct passed signed_one = {
        .method = "POST", .path = "/v1/vms", .token = world->alice.token, .body = BODY("true")};
    struct passed bent;
    (void)state;
    owner_sign(world, &world->alice, &signed_one, loop_wall_ms(), header);
    signed_one.signature = header;
    bent = signed_one;
    bent.body = BODY("false");
    assert_string_equal(owner_pass(world, &bent), "SIGNATURE_WRONG");
    bent = signed_one;
    bent.path = "/v1/drives";
    assert_string_equal(owner_pass(world, &bent), "SIGNATURE_WRONG");
    bent = signed_one;
    bent.token = world->bob.token;
    assert_string_equal(owner_pass(world, &bent), "SIGNATURE_WRONG");
    assert_int_equal(count_vms(), 0);
    assert_string_equal(owner_pass(world, &signed_one), "");
    assert_int_equal(count_vms(), 1);
}

static void a_signed_request_counts_once_also_after_a_restart(void **state)
{
    char header[REQUEST_HEADER_MAX], id[37];
    struct passed post = {
        .method = "POST", .path = "/v1/vms", .token = world->alice.token, .body = BODY("once")};
    struct passed old_one = post;
    (void)state;
    owner_sign(world, &world->alice, &post, loop_wall_ms(), header);
    post.signature = header;
    assert_string_equal(owner_pass(world, &post), "");
    snprintf(id, sizeof id, "%s", world_text(world->body, "id"));
    assert_string_equal(owner_pass(world, &post), "REPLAYED");
    world_stop(world);
    world_start(world);
    world_hello(world, "[]");
    assert_string_equal(owner_pass(world, &post), "SESSION_EXPIRED");
    owner_login_good(world, &world->alice);
    post.token = world->alice.token;
    assert_string_equal(owner_pass(world, &post), "REPLAYED");
    owner_sign(world, &world->alice, &old_one, loop_wall_ms() - 121000, header);
    post.signature = header;
    assert_string_equal(owner_pass(world, &post), "CLOCK_SKEW");
    owner_sign(world, &world->alice, &old_one, loop_wall_ms() + 125000, header);
    assert_string_equal(owner_pass(world, &post), "CLOCK_SKEW");
    assert_int_equal(count_vms(), 1);
}

static void others_vms_are_not_there(void **state)
{
    char id[37], path[128];
    (void)state;
    owner_make_vm(world, &world->alice, "mine", "[]", id);
    snprintf(path, sizeof path, "/v1/vms/%s", id);
    assert_string_equal(owner_ask(world, &world->alice, "GET", path, NULL), "");
    assert_string_equal(owner_ask(world, &world->bob, "GET", path, NULL), "NOT_FOUND");
    assert_string_equal(owner_ask(world, &world->bob, "DELETE", path, NULL), "NOT_FOUND");
    assert_string_equal(owner_ask(world, &world->bob, "GET", "/v1/vms", NULL), "");
    assert_int_equal(json_count(json_member(world->body, "vms")), 0);
    assert_string_equal(owner_ask(world, &world->alice, "GET", "/v1/vms", NULL), "");
    assert_int_equal(json_count(json_member(world->body, "vms")), 1);
    assert_string_equal(owner_ask(world, &world->alice, "DELETE", path, NULL), "");
    assert_string_equal(world_text(world->body, "state"), "destroyed");
    assert_string_equal(owner_ask(world, &world->alice, "DELETE", path, "{\"force\":true}"), "");
}

#define DRIVE_BODY(members) "{\"id\":\"11111111-1111-4111-8111-111111111111\"," members "}"
#define NINE "{},{},{},{},{},{},{},{},{}"

/* In a path, VM stands for the id of a VM of alice's. */
static const struct {
    const char *method, *path, *body;
    int status;
    const char *code, *detail;
} wrong[] = {
    {"POST", "/v1/vms", NULL, 400, "BAD_PARAMETER", "name"},
    {"POST", "/v1/vms", "{", 400, "BAD_PARAMETER", "the body is no JSON object"},
    {"POST", "/v1/vms", "[]", 400, "BAD_PARAMETER", "the body is no JSON object"},
    {"POST", "/v1/vms", "{}{}", 400, "BAD_PARAMETER", "the body is no JSON object"},
    {"POST", "/v1/vms", "{\"name\":\"a\",\"name\":\"b\"}", 400, "BAD_PARAMETER",
     "the body is no JSON object"},
    {"POST", "/v1/vms", "{\"name\":\"A B\"}", 400, "BAD_PARAMETER", "name"},
    {"POST", "/v1/vms", "{\"name\":\"\"}", 400, "BAD_PARAMETER", "name"},
    {"POST", "/v1/vms", "{\"name\":7}", 400, "BAD_PARAMETER", "name"},
    {"POST", "/v1/vms", "{\"name\":\"a\"}", 400, "BAD_PARAMETER", "brick"},
    {"POST", "/v1/vms", "{\"name\":\"a\",\"brick\":\"../x\"}", 400, "BAD_PARAMETER", "brick"},
    {"POST", "/v1/vms", "{\"name\":\"a\",\"brick\":\"none\"}", 404, "NOT_FOUND", "brick none"},
    {"POST", "/v1/vms", "{\"name\":\"a\",\"brick\":\"deb\",\"drives\":7}", 400, "BAD_PARAMETER", "drives"},
    {"POST", "/v1/vms", "{\"name\":\"a\",\"brick\":\"deb\",\"drives\":[7]}", 400, "BAD_PARAMETER",
     "drives[0]: drive"},
    {"POST", "/v1/vms", "{\"name\":\"a\",\"brick\":\"deb\",\"drives\":[" NINE "]}", 400, "BAD_PARAMETER",
     "drives: at most 8"},
    {"POST", "/v1/vms", "{\"name\":\"a\",\"brick\":\"deb\",\"drives\":[{\"drive\":\"x\"}]}", 404,
     "DRIVE_UNKNOWN", "drives[0]: x"},
    {"POST", "/v1/vms",
     "{\"name\":\"a\",\"brick\":\"deb\",\"drives\":[{\"drive\":\"x\",\"mode\":\"owner\"}]}", 400,
     "BAD_PARAMETER", "drives[0]: mode"},
    {"GET", "/v1/vms/nowhere", NULL, 404, "NOT_FOUND", ""},
    {"GET", "/v1/vms/", NULL, 404, "NOT_FOUND", ""},
    {"GET", "/v1/vms?after=%61", NULL, 404, "NOT_FOUND", ""},
    {"GET", "/v1/vms?after=x", NULL, 400, "BAD_PARAMETER", "after"},
    {"GET", "/v1/vms/VM/history?after=-1", NULL, 400, "BAD_PARAMETER", "after"},
    {"GET", "/v1/vms/VM/history?after=1x", NULL, 400, "BAD_PARAMETER", "after"},
    {"GET", "/v1/vms/VM/history?after=18446744073709551617", NULL, 400, "BAD_PARAMETER", "after"},
    {"DELETE", "/v1/vms/VM", "[]", 400, "BAD_PARAMETER", "the body is no JSON object"},
    {"DELETE", "/v1/vms/VM", "{\"force\":1}", 400, "BAD_PARAMETER", "force"},
    {"DELETE", "/v1/vms/VM", "{\"reason\":1}", 400, "BAD_PARAMETER", "reason"},
    {"POST", "/v1/vms/VM/vouch", "{\"nonce_o\":\"00\"}", 400, "BAD_PARAMETER", "nonce_o"},
    {"POST", "/v1/vms/VM/vouch", NULL, 400, "BAD_PARAMETER", "nonce_o"},
    {"POST", "/v1/vms/VM/bridge", NULL, 409, "CONFLICT", "booted"},
    {"POST", "/v1/drives", "{\"id\":\"x\"}", 400, "BAD_PARAMETER", "id"},
    {"POST", "/v1/drives", DRIVE_BODY("\"name\":\"a/b\""), 400, "BAD_PARAMETER", "name"},
    {"POST", "/v1/drives", DRIVE_BODY("\"name\":\"a\",\"size_mib\":1"), 400, "BAD_PARAMETER", "size_mib"},
    {"POST", "/v1/drives", DRIVE_BODY("\"name\":\"a\",\"size_mib\":1e3"), 400, "BAD_PARAMETER", "size_mib"},
    {"POST", "/v1/drives", DRIVE_BODY("\"name\":\"a\",\"size_mib\":64"), 400, "BAD_PARAMETER", "envelope"},
    {"POST", "/v1/drives", DRIVE_BODY("\"name\":\"a\",\"size_mib\":64,\"envelope\":\"AAAA\""), 400,
     "BAD_PARAMETER", "envelope"},
    {"POST", "/v1/drives", DRIVE_BODY("\"name\":\"a\",\"size_mib\":64,\"envelope\":\"A\""), 400,
     "BAD_PARAMETER", "envelope"},
    {"DELETE", "/v1/drives/nowhere", NULL, 404, "NOT_FOUND", ""},
    {"PUT", "/v1/drives/nowhere/envelopes/00", "{}", 404, "NOT_FOUND", ""},
    {"GET", "/v1/nothing", NULL, 404, "NOT_FOUND", ""},
    {"GET", "/v2/vms", NULL, 404, "NOT_FOUND", ""},
    {"PUT", "/v1/vms", NULL, 405, "METHOD_NOT_ALLOWED", ""},
    {"BREW", "/v1/vms", NULL, 405, "METHOD_NOT_ALLOWED", ""},
    {"POST", "/v1/login/challenge", "{\"fingerprint\":\"00\"}", 400, "BAD_PARAMETER", "fingerprint"},
    {"POST", "/v1/login", "{}", 400, "BAD_PARAMETER", "fingerprint"},
};

static void path_of(const char *path, const char *id, char out[128])
{
    const char *vm = strstr(path, "VM");
    if (vm)
        snprintf(out, 128, "%.*s%s%s", (int)(vm - path), path, id, vm + 2);
    else
        snprintf(out, 128, "%s", path);
}

/* And whoever else asks is served as before. */
static void bad_requests_say_what_is_wrong(void **state)
{
    struct passed me = {.method = "GET", .path = "/v1/me", .token = world->bob.token};
    char id[37], path[128];
    (void)state;
    owner_make_vm(world, &world->alice, "hers", "[]", id);
    world_await_state(world, id, VM_BOOTED);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        path_of(wrong[i].path, id, path);
        const char *code = owner_ask(world, &world->alice, wrong[i].method, path, wrong[i].body);
        const char *detail = world_text(json_member(world->body, "error"), "detail");
        if (strcmp(code, wrong[i].code) != 0 || strcmp(detail, wrong[i].detail) != 0 ||
            world->status != wrong[i].status)
            fail_msg("%s %s %s: %d %s (%s)", wrong[i].method, path, wrong[i].body, world->status, code,
                     detail);
        assert_string_equal(owner_pass(world, &me), "");
        assert_string_equal(world_text(world->body, "name"), "bob");
    }
    assert_int_equal(count_vms(), 1);
}

/* Bob is served while alice, who has asked too often, is told to wait. */
static void each_user_has_a_rate(void **state)
{
    struct passed get = {.method = "GET", .path = "/v1/me", .token = world->alice.token};
    (void)state;
    while (rates_take(world->verbs->owner_api->users, world->alice.fingerprint, 32,
                      loop_monotonic_ms() + 3600 * 1000) == 0)
        ;
    assert_string_equal(owner_pass(world, &get), "LIMIT_REACHED");
    assert_int_equal(world->status, 429);
    get.token = world->bob.token;
    assert_string_equal(owner_pass(world, &get), "");
}

/* ---- drives ---- */

#define D1 "11111111-1111-4111-8111-111111111111"

/* {FIRST"<alice's envelope of D1 for PERSON>"} */
static void write_sealed(char *body, size_t size, const char *first, const struct person *person)
{
    uint8_t sealed[ENVELOPE_MAX], key[ENVELOPE_KEY_BYTES] = {1}, drive[UUID_BYTES];
    char text[TEXT_BASE64_BYTES(ENVELOPE_MAX)];
    size_t len;
    assert_int_equal(uuid_parse(D1, drive), 0);
    assert_int_equal(
        envelope_seal(world->alice.key, person->key, test_random, NULL, drive, key, sealed, &len), 0);
    base64_encode(sealed, len, text);
    snprintf(body, size, "{%s\"%s\"}", first, text);
}

static void make_drive(const struct person *person)
{
    char body[2048];
    write_sealed(body, sizeof body,
                 "\"id\":\"" D1 "\",\"name\":\"data\",\"size_mib\":64,\"envelope\":", person);
    assert_string_equal(owner_ask(world, person, "POST", "/v1/drives", body), "");
    assert_int_equal(world->status, 201);
    assert_string_equal(owner_ask(world, person, "POST", "/v1/drives", body), "ALREADY_EXISTS");
}

static void a_drive_has_one_writer(void **state)
{
    char id[37], path[128];
    (void)state;
    make_drive(&world->alice);
    owner_make_vm(world, &world->alice, "first", "[{\"drive\":\"data\",\"mode\":\"writer\"}]", id);
    assert_string_equal(owner_ask(world, &world->alice, "POST", "/v1/vms",
                                  "{\"name\":\"second\",\"brick\":\"deb\",\"drives\":[{\"drive\":\"" D1
                                  "\"}]}"),
                        "DRIVE_HELD");
    assert_non_null(strstr(world_text(json_member(world->body, "error"), "detail"), "first"));
    assert_string_equal(owner_ask(world, &world->alice, "DELETE", "/v1/drives/" D1, NULL), "DRIVE_HELD");
    snprintf(path, sizeof path, "/v1/vms/%s", id);
    assert_string_equal(owner_ask(world, &world->alice, "DELETE", path, NULL), "");
    while (drive_at(&world->core, 0)->nholders > 0)
        loop_step(world->core.loop, true);
    owner_make_vm(world, &world->alice, "third", "[{\"drive\":\"data\",\"mode\":\"reader\"}]", id);
    owner_make_vm(world, &world->alice, "fourth", "[{\"drive\":\"data\",\"mode\":\"reader\"}]", id);
}

static void a_drive_is_shared_by_its_owner_alone(void **state)
{
    char path[256], hex[65], body[2048];
    (void)state;
    make_drive(&world->alice);
    hex_encode(world->bob.fingerprint, 32, hex);
    snprintf(path, sizeof path, "/v1/drives/" D1 "/envelopes/%s", hex);
    write_sealed(body, sizeof body, "\"ciphertext\":", &world->bob);
    assert_string_equal(owner_ask(world, &world->bob, "PUT", path, body), "NOT_FOUND");
    assert_string_equal(owner_ask(world, &world->bob, "GET", "/v1/drives/" D1, NULL), "NOT_FOUND");
    assert_string_equal(owner_ask(world, &world->alice, "PUT", path, "{\"ciphertext\":\"AAAA\"}"),
                        "BAD_PARAMETER");
    assert_string_equal(owner_ask(world, &world->alice, "PUT", path, body), "");
    assert_string_equal(owner_ask(world, &world->bob, "GET", "/v1/drives/" D1, NULL), "");
    assert_string_equal(owner_ask(world, &world->bob, "DELETE", "/v1/drives/" D1, NULL), "NOT_ALLOWED");
    assert_string_equal(owner_ask(world, &world->bob, "PUT", path, body), "NOT_ALLOWED");
    assert_string_equal(owner_ask(world, &world->bob, "DELETE", path, NULL), "");
    assert_string_equal(owner_ask(world, &world->bob, "GET", "/v1/drives/" D1, NULL), "NOT_FOUND");
    hex_encode(world->alice.fingerprint, 32, hex);
    snprintf(path, sizeof path, "/v1/drives/" D1 "/envelopes/%s", hex);
    assert_string_equal(owner_ask(world, &world->alice, "DELETE", path, NULL), "CONFLICT");
    assert_string_equal(owner_ask(world, &world->alice, "DELETE", "/v1/drives/" D1, NULL), "");
}

/* ---- events, administrators, the end of a session ---- */

static void events_are_the_owners_own_and_end_with_the_session(void **state)
{
    char params[256], id[37];
    struct passed out = {.method = "POST", .path = "/v1/logout", .token = world->alice.token};
    (void)state;
    snprintf(params, sizeof params, "{\"token\":\"%s\",\"subscription\":5,\"since\":0}", world->alice.token);
    assert_string_equal(world_call(world, world->edge, "owner.events", params), "");
    owner_make_vm(world, &world->bob, "bobs", "[]", id);
    owner_make_vm(world, &world->alice, "hers", "[]", id);
    struct json *event = world_notice(world, "events.data");
    assert_non_null(strstr(world_text(event, "data"), "\"name\":\"hers\""));
    json_destroy(event);
    assert_string_equal(owner_pass(world, &out), "");
    event = world_notice(world, "events.close");
    assert_string_equal(world_text(event, "subscription"), "5");
    json_destroy(event);
    assert_string_equal(world_call(world, world->edge, "owner.events", params), "SESSION_EXPIRED");
}

static void administrators_see_all_and_open_nothing(void **state)
{
    struct person root;
    char id[37], path[128];
    (void)state;
    person_make(&root);
    person_add(world, &root, "root", "admin");
    owner_login_good(world, &root);
    owner_make_vm(world, &world->alice, "hers", "[]", id);
    make_drive(&world->alice);
    snprintf(path, sizeof path, "/v1/vms/%s", id);
    assert_string_equal(owner_ask(world, &root, "GET", path, NULL), "");
    assert_string_equal(owner_ask(world, &root, "GET", "/v1/drives/" D1, NULL), "");
    const struct json *envelopes = json_member(world->body, "envelopes");
    assert_null(json_member(json_at(envelopes, 0), "ciphertext"));
    assert_string_equal(owner_ask(world, &root, "POST", "/v1/vms",
                                  "{\"name\":\"a\",\"brick\":\"deb\",\"drives\":[{\"drive\":\"" D1 "\"}]}"),
                        "DRIVE_UNKNOWN");
    assert_string_equal(owner_ask(world, &root, "DELETE", path, NULL), "");
    assert_string_equal(world_call(world, world->control, "user.remove", "{\"name\":\"root\"}"), "");
    assert_string_equal(owner_ask(world, &root, "GET", path, NULL), "SESSION_EXPIRED");
    crypto_rsa_destroy(root.key);
}

/* ---- the audit ---- */

static const struct json *entry_of(const char *what, const char *object)
{
    assert_string_equal(world_call(world, world->control, "audit.list", "{}"), "");
    const struct json *entries = json_member(world->result, "entries");
    for (size_t i = 0; i < json_count(entries); i++)
        if (strcmp(world_text(json_at(entries, i), "what"), what) == 0 &&
            strcmp(world_text(json_at(entries, i), "object"), object) == 0)
            return json_at(entries, i);
    fail_msg("nobody did %s to %s", what, object);
    return NULL;
}

static void expect_did(const char *actor, const char *what, const char *object)
{
    assert_string_equal(world_text(entry_of(what, object), "actor"), actor);
}

static void the_audit_names_people_by_their_keys(void **state)
{
    char alice[65], bob[65], first[37], second[37], path[256], body[2048];
    (void)state;
    hex_encode(world->alice.fingerprint, 32, alice);
    hex_encode(world->bob.fingerprint, 32, bob);
    make_drive(&world->alice);
    snprintf(path, sizeof path, "/v1/drives/" D1 "/envelopes/%s", bob);
    write_sealed(body, sizeof body, "\"ciphertext\":", &world->bob);
    assert_string_equal(owner_ask(world, &world->alice, "PUT", path, body), "");
    assert_string_equal(owner_ask(world, &world->bob, "DELETE", path, NULL), "");
    owner_make_vm(world, &world->alice, "first", "[]", first);
    owner_make_vm(world, &world->bob, "second", "[]", second);
    snprintf(path, sizeof path, "/v1/vms/%s", first);
    assert_string_equal(owner_ask(world, &world->alice, "DELETE", path, NULL), "");
    assert_string_equal(world_call(world, world->control, "vm.destroy", "{\"vm\":\"second\"}"), "");
    expect_did(alice, "drive.add", D1);
    expect_did(alice, "drive.envelope-put", D1);
    expect_did(bob, "drive.envelope-remove", D1);
    expect_did(alice, "vm.create", first);
    expect_did(bob, "vm.create", second);
    expect_did(alice, "vm.destroy-asked", first);
    expect_did("uid:0", "vm.destroy-asked", second);
    expect_did("kilnd", "vm.volume-ready", first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(login_needs_the_key),
        TEST(an_unknown_key_gets_a_nonce_and_fails_later),
        TEST(a_session_alone_reads_and_changes_nothing),
        TEST(a_token_that_is_none_is_refused),
        TEST(what_was_signed_cannot_be_swapped),
        TEST(a_signed_request_counts_once_also_after_a_restart),
        TEST(others_vms_are_not_there),
        TEST(bad_requests_say_what_is_wrong),
        TEST(each_user_has_a_rate),
        TEST(a_drive_has_one_writer),
        TEST(a_drive_is_shared_by_its_owner_alone),
        TEST(events_are_the_owners_own_and_end_with_the_session),
        TEST(administrators_see_all_and_open_nothing),
        TEST(the_audit_names_people_by_their_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
