/* links: kiln_protocol */
/* The Kiln-Signature header: what parses formats to the same text. */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/login.h"

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
    free(text);
    return 0;
}
