/* links: kiln_protocol */
/* Registration: request and reply that decode encode to the same proof; a proof of another key never holds,
 * nor one of another boot of the same VM.
 */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/register.h"

static struct json *read_text(const struct json_writer *out)
{
    struct json *tree;
    CLAIM(json_writer_end(out) == 0 && json_parse(out->text, out->len, &json_limits_edge, &tree) == 0);
    return tree;
}

static void check_request(const struct register_request *request)
{
    static const uint8_t key[CRYPTO_KEY_BYTES] = {7};
    struct register_request again, proved = *request;
    struct json_writer out = json_writer_init(0);
    CLAIM(register_request_check(request, key) != 0);
    register_request_prove(&proved, key);
    register_request_write(&out, NULL, &proved);
    struct json *tree = read_text(&out);
    CLAIM(register_request_decode(tree, &again, NULL) == 0 && register_request_check(&again, key) == 0);
    json_destroy(tree);
    json_writer_finish(&out);
}

/* What a VM proves with in one boot is good for that boot alone. */
static void check_boots(const struct register_request *request)
{
    static const uint8_t master[32] = {9};
    uint8_t secret[REGISTER_SECRET_BYTES], keys[2][CRYPTO_KEY_BYTES], tokens[2][CRYPTO_HASH_BYTES];
    struct register_request proved = *request;
    for (uint64_t boot = 0; boot < 2; boot++) {
        register_derive_boot_secret(master, request->uuid, boot, secret);
        register_derive_key(secret, keys[boot]);
        register_derive_token(keys[boot], request->uuid, tokens[boot]);
    }
    CLAIM(memcmp(tokens[0], tokens[1], sizeof tokens[0]) != 0);
    register_request_prove(&proved, keys[0]);
    CLAIM(register_request_check(&proved, keys[0]) == 0 && register_request_check(&proved, keys[1]) != 0);
}

static void check_reply(const struct register_reply *reply)
{
    static const uint8_t key[CRYPTO_KEY_BYTES] = {7}, hash[CRYPTO_HASH_BYTES] = {8};
    struct register_reply again, proved = *reply;
    struct json_writer out = json_writer_init(0);
    CLAIM(register_reply_check(reply, key, hash) != 0);
    register_reply_prove(&proved, key, hash);
    register_reply_write(&out, NULL, &proved);
    struct json *tree = read_text(&out);
    CLAIM(register_reply_decode(tree, &again, NULL) == 0 && register_reply_check(&again, key, hash) == 0);
    json_destroy(tree);
    json_writer_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct register_request request;
    struct register_reply reply;
    struct json *tree;
    const char *wrong = NULL;
    if (json_parse((const char *)data, size, NULL, &tree) < 0)
        return 0;
    if (register_request_decode(tree, &request, &wrong) == 0) {
        check_request(&request);
        check_boots(&request);
    } else {
        CLAIM(wrong);
    }
    if (register_reply_decode(tree, &reply, &wrong) == 0)
        check_reply(&reply);
    json_destroy(tree);
    return 0;
}
