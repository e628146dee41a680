/* links: kiln_protocol */
/* The Kiln-Signature header: what parses formats to the same text. Headers that carry a token: it is whole or
 * none, and stands in what was read. */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/login.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request_signature signature;
    char *text = malloc(size + 1), again[REQUEST_HEADER_MAX];
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (request_signature_parse(text, &signature) == 0) {
        CLAIM(signature.time_ms >= 0 && signature.signature_len > 0);
        request_signature_format(&signature, again);
        CLAIM(strcmp(again, text) == 0);
    }
    check_token(text, NULL);
    check_token(NULL, text);
    free(text);
    return 0;
}
