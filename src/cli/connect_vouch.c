/*
 * kiln-connect: asks the host whose key a VM has, and believes only what the pinned identity signed.
 * connect_vouch.h says more.
 */
#include "src/cli/connect_vouch.h"

#include <stdlib.h>
#include <string.h>

#include "src/io/random.h"

enum { PATH_BYTES = 80 };

struct vouch_answer {
    uint8_t spki[CRYPTO_SPKI_MAX];
    size_t spki_len;
    struct binding_signature binding_signature, signature;
};

static int read_answer(const struct json *answer, struct vouch_answer *said, struct connect_vouch *vouch)
{
    struct json_reader reader = json_reader_init(answer);
    said->spki_len = json_read_base64(&reader, "public_key", said->spki, sizeof said->spki);
    vouch->len = json_read_base64(&reader, "binding", vouch->bytes, sizeof vouch->bytes);
    said->binding_signature.len = json_read_base64(
        &reader, "binding_signature", said->binding_signature.bytes, sizeof said->binding_signature.bytes);
    said->signature.len =
        json_read_base64(&reader, "signature", said->signature.bytes, sizeof said->signature.bytes);
    return json_reader_end(&reader) < 0
               ? cli_unreachable_error("the host's vouch is malformed: %s", reader.wrong)
               : CLI_OK;
}

/* The first thing that is wrong, or NULL. */
static const char *find_fault(const struct connect *connect, const struct json *vm,
                              const struct vouch_answer *said, const struct connect_vouch *vouch)
{
    struct bytes binding = {vouch->bytes, vouch->len};
    uint8_t uuid[UUID_BYTES], fingerprint[CRYPTO_HASH_BYTES];
    crypto_fingerprint(said->spki, said->spki_len, fingerprint);
    if (binding_verify(connect->identity, binding,
                       (struct bytes){said->binding_signature.bytes, said->binding_signature.len}) < 0)
        return "its signature is not the pinned identity's";
    if (vouch_verify(connect->identity, vouch->nonce_o, binding,
                     (struct bytes){said->signature.bytes, said->signature.len}) < 0)
        return "it is not fresh";
    if (uuid_parse(connect_text(vm, "id"), uuid) < 0 || memcmp(uuid, vouch->binding.uuid, sizeof uuid) != 0)
        return "it is for another VM";
    if (memcmp(fingerprint, vouch->binding.vm_key, sizeof fingerprint) != 0)
        return "it is for another key of the VM";
    if (memcmp(connect->key_fingerprint, vouch->binding.owner_key, sizeof fingerprint) != 0)
        return "it is for another owner";
    return NULL;
}

struct brick_check {
    const char *name;
    const uint8_t *hash;
    bool differs;
};

static int look_at_brick(struct connect *connect, const struct json *brick, void *arg)
{
    struct brick_check *check = arg;
    uint8_t hash[CRYPTO_HASH_BYTES];
    (void)connect;
    if (strcmp(connect_text(brick, "name"), check->name) == 0 &&
        (hex_decode(connect_text(brick, "hash"), hash, sizeof hash) < 0 ||
         memcmp(hash, check->hash, sizeof hash) != 0))
        check->differs = true;
    return CLI_OK;
}

static int check_vouch(struct connect *connect, const struct json *vm, const struct vouch_answer *said,
                       struct connect_vouch *vouch)
{
    const char *fault = "it is malformed";
    if (binding_decode(vouch->bytes, vouch->len, &vouch->binding) == 0)
        fault = find_fault(connect, vm, said, vouch);
    if (fault)
        return cli_failure("BINDING_WRONG", NULL, fault);
    struct brick_check check = {connect_text(vm, "brick"), vouch->binding.brick, false};
    int exit_code = connect_each_of(connect, "/v1/bricks", "bricks", look_at_brick, &check);
    if (exit_code == CLI_OK && check.differs)
        exit_code = cli_failure("BINDING_WRONG", NULL, "the VM does not run the brick that the host lists");
    if (exit_code == CLI_OK && crypto_rsa_decode_public(said->spki, said->spki_len, &vouch->vm_key) < 0)
        exit_code = cli_failure("BINDING_WRONG", NULL, "the VM's key is not usable");
    return exit_code;
}

int connect_vouch_ask(struct connect *connect, const struct json *vm, struct connect_vouch *ret_vouch)
{
    struct connect_vouch vouch = {.vm_key = NULL};
    struct vouch_answer said;
    struct json *answer;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/v1/vms/%.36s/vouch", connect_text(vm, "id"));
    random_fill(vouch.nonce_o, sizeof vouch.nonce_o);
    struct json_writer body = json_writer_init(0);
    json_write_object_begin(&body, NULL);
    json_write_hex(&body, "nonce_o", vouch.nonce_o, sizeof vouch.nonce_o);
    json_write_object_end(&body);
    int exit_code = connect_call(connect, "POST", path, body.text, false, &answer);
    json_writer_finish(&body);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = read_answer(answer, &said, &vouch);
    json_destroy(answer);
    if (exit_code == CLI_OK)
        exit_code = check_vouch(connect, vm, &said, &vouch);
    if (exit_code == CLI_OK)
        *ret_vouch = vouch;
    return exit_code;
}

void connect_vouch_finish(struct connect_vouch *vouch)
{
    crypto_rsa_destroy(vouch->vm_key);
    vouch->vm_key = NULL;
}
