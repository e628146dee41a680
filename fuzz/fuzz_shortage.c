/* links: kiln_protocol fuzz/fault.c */
/*
 * What protocol/ does when memory or randomness runs out. Input: which work, how the calls are picked that
 * fail, then the bytes that are worked on. The work is done once with nothing failing, then again with one
 * call failing, or all from it on, for many of its calls. Claims: an error or what came out without; nothing
 * half done, nothing still held, and the keys work as before.
 */
#include <errno.h>
#include <string.h>

#include "fuzz/claim.h"
#include "fuzz/fault.h"
#include "protocol/envelope.h"
#include "protocol/handshake.h"
#include "protocol/login.h"
#include "protocol/manifest.h"
#include "protocol/register.h"
#include "protocol/rpc_message.h"
#include "protocol/status.h"
#include "protocol/users_db.h"
#include "tests/unit/protocol_random.h"

/* All that a work may use, and the hash of what it made. */
struct rig {
    struct crypto_rsa *own, *peer; /* NULL unless the work needs them */
    struct crypto_ec *identity;    /* the same */
    struct fixed_random random;    /* of fault_random */
    uint8_t made[CRYPTO_HASH_BYTES];
};

static void made_add(struct rig *rig, const void *bytes, size_t len)
{
    uint8_t both[2 * CRYPTO_HASH_BYTES];
    memcpy(both, rig->made, CRYPTO_HASH_BYTES);
    crypto_hash(bytes, len, both + CRYPTO_HASH_BYTES);
    crypto_hash(both, sizeof both, rig->made);
}

static int made_text(struct rig *rig, struct json_writer *out)
{
    int error = json_writer_end(out);
    char *text = json_writer_take(out);
    CLAIM((error == 0) == (text != NULL));
    if (text)
        made_add(rig, text, strlen(text));
    free(text);
    json_writer_finish_wiped(out);
    return error;
}

static int read_json(struct bytes input, struct json **ret_tree)
{
    struct json *tree = NULL;
    int error = json_parse((const char *)input.bytes, input.len, &json_limits_edge, &tree);
    CLAIM((error == 0) == (tree != NULL));
    *ret_tree = tree;
    return error;
}

static int work_json(struct rig *rig, struct bytes input)
{
    struct json *tree;
    struct json_writer out = json_writer_init(0);
    int error = read_json(input, &tree);
    if (error)
        return error;
    json_write_value(&out, NULL, tree);
    json_destroy_wiped(tree);
    return made_text(rig, &out);
}

static int work_rpc_message(struct rig *rig, struct bytes input)
{
    struct rpc_message message;
    char id[RPC_MESSAGE_ID_BYTES];
    struct json_writer out = json_writer_init(0);
    int error = rpc_message_decode((const char *)input.bytes, input.len, NULL, &message, id);
    if (error)
        return error;
    rpc_message_write_failure(&out, message.id[0] ? message.id : "null", CODE_INTERNAL, message.detail);
    rpc_message_finish(&message);
    return made_text(rig, &out);
}

static int work_users_db(struct rig *rig, struct bytes input)
{
    struct users_db *database = NULL;
    char place[USERS_DB_PLACE_BYTES];
    int error = users_db_parse((const char *)input.bytes, input.len, NULL, NULL, &database, place);
    CLAIM((error == 0) == (database != NULL));
    if (error)
        return error;
    for (size_t i = 0; i < database->ngroups; i++)
        for (size_t j = 0; j < database->groups[i].members.count; j++)
            made_add(rig, database->groups[i].members.items[j], strlen(database->groups[i].members.items[j]));
    users_db_destroy(database);
    return 0;
}

static int work_manifest(struct rig *rig, struct bytes input)
{
    struct manifest manifest, before;
    struct json_writer out = json_writer_init(0);
    int error = manifest_parse((const char *)input.bytes, input.len, &manifest);
    if (error)
        return error;
    before = manifest;
    error = manifest_sign(&manifest, rig->identity, fault_random, &rig->random);
    CLAIM(error == 0 || memcmp(&before, &manifest, sizeof before) == 0);
    if (error == 0)
        error = manifest_verify(&manifest, rig->identity);
    if (error)
        return error;
    manifest_write(&out, &manifest);
    return made_text(rig, &out);
}

static int work_registration(struct rig *rig, struct bytes input)
{
    static struct register_request request;
    static struct register_reply reply;
    struct json *tree;
    struct json_writer out = json_writer_init(0);
    int error = read_json(input, &tree);
    if (error)
        return error;
    json_write_array_begin(&out, NULL);
    if (register_request_decode(tree, &request, NULL) == 0)
        register_request_write(&out, NULL, &request);
    if (register_reply_decode(tree, &reply, NULL) == 0)
        register_reply_write(&out, NULL, &reply);
    json_write_array_end(&out);
    json_destroy(tree);
    return made_text(rig, &out);
}

static int work_status(struct rig *rig, struct bytes input)
{
    static struct status status;
    struct json *tree;
    struct json_writer out = json_writer_init(0);
    int error = read_json(input, &tree);
    if (error == 0)
        error = status_decode(tree, &status);
    json_destroy(tree);
    if (error)
        return error;
    status_encode(&status, &out);
    return made_text(rig, &out);
}

struct passing {
    struct channel *receiver;
    struct channel_assembly assembly;
};

static int pass_record(void *arg, const uint8_t *bytes, size_t len)
{
    struct passing *passing = arg;
    struct channel_record record;
    int error = channel_open(passing->receiver, bytes, len, &record);
    return error ? error : channel_assembly_feed(&passing->assembly, record.bytes);
}

/* A message, sealed, opened and put together. */
static int work_channel(struct rig *rig, struct bytes input)
{
    static const struct channel_keys keys = {.send_key = {1}, .receive_key = {2}},
                                     mirror = {{2}, {0}, {1}, {0}};
    struct channel *sender = NULL;
    struct passing passing = {.receiver = NULL};
    struct bytes message;
    int error = channel_create(&keys, &sender);
    if (error == 0)
        error = channel_create(&mirror, &passing.receiver);
    if (error == 0)
        error = channel_send_message(sender, input.bytes, input.len, pass_record, &passing);
    if (error == 0) {
        CLAIM(channel_assembly_next(&passing.assembly, &message) == 1);
        made_add(rig, message.bytes, message.len);
    }
    channel_assembly_finish(&passing.assembly);
    channel_destroy(passing.receiver);
    channel_destroy(sender);
    return error;
}

static int open_side(struct rig *rig, enum handshake_role role, struct bytes binding,
                     struct handshake **ret_side)
{
    struct handshake_config config = {.role = role,
                                      .own_key = role == HANDSHAKE_OWNER ? rig->own : rig->peer,
                                      .peer_key = role == HANDSHAKE_OWNER ? rig->peer : rig->own,
                                      .binding = binding,
                                      .uuid = {1},
                                      .random = fault_random,
                                      .random_arg = &rig->random};
    return handshake_create(&config, ret_side);
}

/* Both sides, honest; INPUT is the binding. */
static int work_handshake(struct rig *rig, struct bytes input)
{
    uint8_t messages[5][HANDSHAKE_MESSAGE_MAX];
    size_t len;
    struct handshake *sides[2] = {NULL, NULL};
    struct channel_keys keys[2];
    int error = open_side(rig, HANDSHAKE_OWNER, input, &sides[0]);
    if (error == 0)
        error = open_side(rig, HANDSHAKE_VM, input, &sides[1]);
    if (error == 0)
        error = handshake_start(sides[0], messages[0], &len);
    for (int turn = 0; error == 0 && turn < 4; turn++) {
        struct handshake *side = sides[(turn + 1) % 2];
        error = handshake_feed(side, messages[turn], len, messages[turn + 1], &len);
        CLAIM(error == 0 || (!handshake_done(side) && handshake_keys(side, &keys[0]) != 0));
    }
    if (error == 0) {
        CLAIM(handshake_keys(sides[0], &keys[0]) == 0 && handshake_keys(sides[1], &keys[1]) == 0);
        CLAIM(memcmp(keys[0].send_key, keys[1].receive_key, CRYPTO_KEY_BYTES) == 0);
        made_add(rig, &keys[0], sizeof keys[0]);
    }
    handshake_destroy(sides[0]);
    handshake_destroy(sides[1]);
    return error;
}

static int work_rsa(struct rig *rig, struct bytes input)
{
    uint8_t spki[CRYPTO_SPKI_MAX], der[CRYPTO_PRIVATE_MAX];
    size_t len;
    struct crypto_rsa *key = NULL, *public = NULL;
    int error = crypto_rsa_decode_private(input.bytes, input.len, &key);
    if (error == 0)
        error = crypto_rsa_encode_private(key, der, &len);
    if (error == 0) {
        made_add(rig, der, len);
        error = crypto_rsa_encode_public(key, spki, &len);
    }
    if (error == 0)
        error = crypto_rsa_decode_public(spki, len, &public);
    if (error == 0)
        error = crypto_rsa_fingerprint(public, rig->made);
    crypto_rsa_destroy(public);
    crypto_rsa_destroy(key);
    return error;
}

static int work_ec(struct rig *rig, struct bytes input)
{
    uint8_t spki[CRYPTO_SPKI_MAX];
    char pem[CRYPTO_PEM_MAX], public_pem[CRYPTO_PEM_MAX];
    size_t len;
    struct crypto_ec *key = NULL, *again = NULL, *public = NULL;
    int error = crypto_ec_generate(fault_random, &rig->random, &key);
    if (error == 0)
        error = crypto_ec_encode_pem(key, pem);
    if (error == 0)
        error = crypto_ec_decode_pem(pem, fault_random, &rig->random, &again);
    if (error == 0)
        error = crypto_ec_encode_public(again, spki, &len);
    if (error == 0)
        error = crypto_spki_encode_pem(spki, len, public_pem);
    if (error == 0)
        error = crypto_ec_decode_pem(public_pem, fault_random, &rig->random, &public);
    if (error == 0) {
        CLAIM(!crypto_ec_is_private(public) && crypto_ec_encode_pem(public, pem) != 0);
        made_add(rig, spki, len);
        error = crypto_ec_fingerprint(public, rig->made);
    }
    crypto_ec_destroy(public);
    crypto_ec_destroy(again);
    crypto_ec_destroy(key);
    made_add(rig, input.bytes, input.len);
    return error;
}

/* What the identity signs. */
static int work_signatures(struct rig *rig, struct bytes input)
{
    struct binding_signature signature;
    uint8_t hash[CRYPTO_HASH_BYTES];
    crypto_hash(input.bytes, input.len, hash);
    int error = binding_sign(rig->identity, fault_random, &rig->random, input, &signature);
    if (error == 0) {
        made_add(rig, signature.bytes, signature.len);
        error = binding_verify(rig->identity, input, (struct bytes){signature.bytes, signature.len});
    }
    if (error == 0)
        error = edge_certificate_sign(rig->identity, fault_random, &rig->random, hash, &signature);
    if (error == 0)
        error = edge_certificate_verify(rig->identity, hash, (struct bytes){signature.bytes, signature.len});
    return error;
}

static int work_envelope(struct rig *rig, struct bytes input)
{
    uint8_t key[ENVELOPE_KEY_BYTES], opened[ENVELOPE_KEY_BYTES], sealed[ENVELOPE_MAX];
    static const uint8_t drive[UUID_BYTES] = {7};
    size_t len;
    crypto_hash(input.bytes, input.len, key);
    int error = envelope_seal(rig->own, rig->peer, fault_random, &rig->random, drive, key, sealed, &len);
    if (error == 0)
        error = envelope_open(rig->peer, rig->own, fault_random, &rig->random, drive,
                              (struct bytes){sealed, len}, opened);
    CLAIM(error != 0 || memcmp(key, opened, sizeof key) == 0);
    if (error == 0)
        made_add(rig, sealed, len);
    return error;
}

/* A login and a request of a user's. */
static int work_login(struct rig *rig, struct bytes input)
{
    uint8_t host[CRYPTO_HASH_BYTES], login[CRYPTO_SIGNATURE_MAX];
    struct request_target target = {host, "POST", "/v1/vms", input};
    struct request_signature signature;
    size_t len;
    crypto_hash(input.bytes, input.len, host);
    int error = login_sign(rig->own, fault_random, &rig->random, host, host, login, &len);
    if (error == 0)
        error = login_verify(rig->own, host, host, (struct bytes){login, len});
    if (error == 0)
        error = request_signature_sign(rig->own, fault_random, &rig->random, &target, 7, &signature);
    if (error == 0)
        error = request_signature_verify(rig->own, &target, &signature);
    if (error == 0)
        made_add(rig, signature.signature, signature.signature_len);
    return error;
}

/* A key file; INPUT is its pass phrase. */
static int work_key_file(struct rig *rig, struct bytes input)
{
    char pem[CRYPTO_PEM_MAX], passphrase[2 * 16 + 1];
    struct crypto_rsa *key = NULL;
    hex_encode(input.bytes, input.len < 16 ? input.len : 16, passphrase);
    int error = crypto_rsa_encode_file(rig->own, passphrase, CRYPTO_ROUNDS, fault_random, &rig->random, pem);
    if (error == 0)
        error = crypto_rsa_decode_file(pem, passphrase, &key);
    CLAIM((error == 0) == (key != NULL));
    if (error == 0)
        made_add(rig, pem, strlen(pem));
    crypto_rsa_destroy(key);
    return error;
}

static int work_hash(struct rig *rig, struct bytes input)
{
    struct crypto_hash *hash = NULL;
    uint8_t half[CRYPTO_HASH_BYTES], streamed[CRYPTO_HASH_BYTES], whole[CRYPTO_HASH_BYTES];
    int error = crypto_hash_create(&hash);
    CLAIM((error == 0) == (hash != NULL));
    if (error)
        return error;
    crypto_hash_update(hash, input.bytes, input.len / 2);
    crypto_hash_value(hash, half);
    crypto_hash_update(hash, input.bytes + input.len / 2, input.len - input.len / 2);
    crypto_hash_value(hash, streamed);
    crypto_hash_destroy(hash);
    crypto_hash(input.bytes, input.len, whole);
    CLAIM(memcmp(streamed, whole, sizeof whole) == 0);
    made_add(rig, whole, sizeof whole);
    return 0;
}

enum keys { NO_KEYS, IDENTITY, RSA_KEYS };

static const struct work {
    int (*run)(struct rig *rig, struct bytes input);
    enum keys keys;
    bool one_word; /* its only answer is -ENOMEM; else any error: a check that cannot be made has failed */
    size_t tries;  /* calls at most that fail in turn */
} works[] = {
    {work_json, NO_KEYS, true, 256},         {work_rpc_message, NO_KEYS, true, 256},
    {work_users_db, NO_KEYS, true, 256},     {work_manifest, IDENTITY, false, 64},
    {work_registration, NO_KEYS, true, 256}, {work_status, NO_KEYS, true, 256},
    {work_channel, NO_KEYS, false, 256},     {work_handshake, RSA_KEYS, false, 24},
    {work_rsa, NO_KEYS, false, 64},          {work_ec, NO_KEYS, false, 64},
    {work_signatures, IDENTITY, false, 64},  {work_envelope, RSA_KEYS, false, 24},
    {work_key_file, RSA_KEYS, false, 3},     {work_hash, NO_KEYS, true, 4},
    {work_login, RSA_KEYS, false, 24},
};

static void open_identity(struct rig *rig)
{
    static char pem[CRYPTO_PEM_MAX];
    struct fixed_random random = {1, 0};
    if (!pem[0]) {
        CLAIM(crypto_ec_generate(fault_random, &random, &rig->identity) == 0);
        CLAIM(crypto_ec_encode_pem(rig->identity, pem) == 0);
        crypto_ec_destroy(rig->identity);
    }
    CLAIM(crypto_ec_decode_pem(pem, fault_random, &random, &rig->identity) == 0);
}

static void open_keys(struct rig *rig)
{
    static uint8_t der[2][CRYPTO_PRIVATE_MAX];
    static size_t len[2];
    struct crypto_rsa **keys[2] = {&rig->own, &rig->peer};
    struct fixed_random random = {1, 0};
    for (int i = 0; i < 2; i++) {
        if (len[i] == 0) {
            CLAIM(crypto_rsa_generate(2048, fault_random, &random, keys[i]) == 0);
            CLAIM(crypto_rsa_encode_private(*keys[i], der[i], &len[i]) == 0);
            crypto_rsa_destroy(*keys[i]);
        }
        CLAIM(crypto_rsa_decode_private(der[i], len[i], keys[i]) == 0);
    }
}

/* Whatever failed with them, the keys still do what they are for. */
static void close_keys(struct rig *rig)
{
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    struct crypto_rsa *keys[2] = {rig->own, rig->peer};
    for (int i = 0; rig->own && i < 2; i++) {
        CLAIM(crypto_rsa_sign(keys[i], fault_random, &rig->random, "x", 1, signature, &len) == 0);
        CLAIM(crypto_rsa_verify(keys[i], "x", 1, signature, len) == 0);
        crypto_rsa_destroy(keys[i]);
    }
    if (rig->identity) {
        CLAIM(crypto_ec_sign(rig->identity, fault_random, &rig->random, "x", 1, signature, &len) == 0);
        CLAIM(crypto_ec_verify(rig->identity, "x", 1, signature, len) == 0);
    }
    crypto_ec_destroy(rig->identity);
}

/* Does the work with call number FAILING failing. Returns its error and how many calls it made. */
static int do_work(const struct work *work, struct bytes input, size_t failing, bool lasting,
                   uint8_t made[CRYPTO_HASH_BYTES], size_t *ret_calls)
{
    struct rig rig = {.random = {1, 0}};
    long held = fault_held();
    if (work->keys == IDENTITY)
        open_identity(&rig);
    else if (work->keys == RSA_KEYS)
        open_keys(&rig);
    fault_begin(failing, lasting);
    int error = work->run(&rig, input);
    *ret_calls = fault_end();
    close_keys(&rig);
    CLAIM(fault_held() == held);
    memcpy(made, rig.made, CRYPTO_HASH_BYTES);
    return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t whole[CRYPTO_HASH_BYTES], made[CRYPTO_HASH_BYTES];
    size_t calls, calls_then;
    if (size < 2)
        return 0;
    const struct work *work = &works[data[0] % (sizeof works / sizeof *works)];
    bool lasting = data[1] & 1;
    struct bytes input = {data + 2, size - 2};
    int wanted = do_work(work, input, 0, false, whole, &calls);
    size_t step = 1 + calls / work->tries;
    for (size_t failing = 1 + (data[1] >> 1) % step; failing <= calls; failing += step) {
        int error = do_work(work, input, failing, lasting, made, &calls_then);
        if (error == 0)
            CLAIM(wanted == 0 && memcmp(made, whole, sizeof whole) == 0);
        else
            CLAIM(error == wanted || error == -ENOMEM || !work->one_word);
    }
    return 0;
}
