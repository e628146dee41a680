/* links: kiln_protocol */
/* The Kiln-Signature header: what parses formats to the same text, and is of one request alone. Headers that
 * carry a token: it is whole or none, and stands in what was read. */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/login.h"
#include "tests/unit/protocol_random.h"

static void check_token(const char *authorization, const char *offer)
{
    char token[LOGIN_TOKEN_TEXT];
    uint8_t bytes[LOGIN_TOKEN_BYTES];
    login_token_find(authorization, offer, token);
    if (*token == '\0')
        return;
    CLAIM(hex_decode(token, bytes, sizeof bytes) == 0);
    CLAIM(strstr(authorization ? authorization : offer, token) != NULL);
}

/* A user's signature of a request, or of a login, is good for what it was made for. */
static void check_signature(const char *path, int64_t time_ms)
{
    static struct crypto_rsa *key;
    static const uint8_t host[CRYPTO_HASH_BYTES] = {1}, other[CRYPTO_HASH_BYTES] = {2};
    static struct fixed_random source;
    struct request_target target = {host, "POST", path, {(const uint8_t *)path, strlen(path)}};
    struct request_signature made;
    uint8_t login[CRYPTO_SIGNATURE_MAX];
    size_t len;
    if (!key)
        CLAIM(crypto_rsa_generate(2048, fixed_random_fill, &source, &key) == 0);
    CLAIM(request_signature_sign(key, fixed_random_fill, &source, &target, time_ms, &made) == 0);
    CLAIM(request_signature_verify(key, &target, &made) == 0);
    target.method = "PUT";
    CLAIM(request_signature_verify(key, &target, &made) != 0);
    CLAIM(login_sign(key, fixed_random_fill, &source, host, other, login, &len) == 0);
    CLAIM(login_verify(key, host, other, (struct bytes){login, len}) == 0);
    CLAIM(login_verify(key, other, host, (struct bytes){login, len}) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request_signature signature;
    char *text = input_text(data, size), again[REQUEST_HEADER_MAX];
    if (request_signature_parse(text, &signature) == 0) {
        CLAIM(signature.time_ms >= 0 && signature.signature_len > 0);
        request_signature_format(&signature, again);
        CLAIM(strcmp(again, text) == 0);
        check_signature(text, signature.time_ms);
    }
    check_token(text, NULL);
    check_token(NULL, text);
    free(text);
    return 0;
}
