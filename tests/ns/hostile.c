/*
 * Hostile: see hostile.h.
 */
#include "tests/ns/hostile.h"

#include <stdlib.h>
#include <string.h>

#include "src/io/random.h"

static struct hostile_keys keys;

int hostile_random(void *arg, uint8_t *out, size_t len)
{
    (void)arg;
    random_fill(out, len);
    return 0;
}

void hostile_keys_make(void)
{
    uint8_t spki[CRYPTO_SPKI_MAX];
    size_t len;
    if (crypto_rsa_generate(2048, hostile_random, NULL, &keys.rsa) < 0 ||
        crypto_rsa_encode_public(keys.rsa, spki, &len) < 0)
        abort();
    base64_encode(spki, len, keys.rsa_base64);
    if (crypto_ec_generate(hostile_random, NULL, &keys.ec) < 0 ||
        crypto_ec_encode_public(keys.ec, spki, &len) < 0)
        abort();
    base64_encode(spki, len, keys.ec_base64);
}

const struct hostile_keys *hostile_keys(void)
{
    return &keys;
}

struct json_writer hostile_edit(const struct json *object, const char *key, const char *text)
{
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    for (size_t i = 0; i < json_count(object); i++)
        if (strcmp(json_key_at(object, i), key) != 0)
            json_write_value(&out, json_key_at(object, i), json_at(object, i));
    json_write_text(&out, key, text);
    json_write_object_end(&out);
    return out;
}

char *hostile_flip(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        abort();
    size_t at = strlen(copy) / 2;
    if (copy[0] != '\0')
        copy[at] = copy[at] == 'a' ? 'b' : 'a';
    return copy;
}
