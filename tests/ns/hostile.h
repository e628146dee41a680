/*
 * Hostile: what the files of the hostile edge share: keys of its own, and edits of JSON.
 */
#ifndef KILN_TESTS_NS_HOSTILE_H
#define KILN_TESTS_NS_HOSTILE_H

#include <stddef.h>

#include "protocol/crypto.h"
#include "protocol/json.h"

/* Keys of the edge's own, made once, to be put in the place of others'. */
struct hostile_keys {
    struct crypto_rsa *rsa;
    struct crypto_ec *ec;
    char rsa_base64[TEXT_BASE64_BYTES(CRYPTO_SPKI_MAX)], ec_base64[TEXT_BASE64_BYTES(CRYPTO_SPKI_MAX)];
};

/* Ends the program when there is no randomness. */
void hostile_keys_make(void);
const struct hostile_keys *hostile_keys(void);
int hostile_random(void *arg, uint8_t *out, size_t len);

/* OBJECT written anew, with the text TEXT in the place of its member KEY (which is added when it is
 * missing). */
struct json_writer hostile_edit(const struct json *object, const char *key, const char *text);

/* Changes one character in the middle of hex or base64 TEXT for another one that is as good; malloc'd. */
char *hostile_flip(const char *text);

#endif
