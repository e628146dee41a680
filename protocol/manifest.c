/*
 * Manifest of a release: parse, write, hash, sign, verify. See manifest.h.
 */
#include "protocol/manifest.h"

#include <errno.h>
#include <string.h>

#include "protocol/wire.h"

enum { BLOCK_MAX = 1024 };

static const int64_t version_max = (int64_t)1 << 53; /* what JavaScript can count to */

static bool architecture_valid(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len < MANIFEST_ARCHITECTURE_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

int manifest_add_controller(struct manifest *manifest, const char *architecture,
                            const uint8_t hash[CRYPTO_HASH_BYTES])
{
    size_t at = 0;
    if (!architecture_valid(architecture))
        return -EINVAL;
    if (manifest_find(manifest, architecture))
        return -EEXIST;
    if (manifest->ncontrollers == MANIFEST_ARCHITECTURES_MAX)
        return -ENOSPC;
    struct manifest_controller *list = manifest->controllers;
    while (at < manifest->ncontrollers && strcmp(list[at].architecture, architecture) < 0)
        at++;
    memmove(list + at + 1, list + at, (manifest->ncontrollers - at) * sizeof *list);
    memset(list + at, 0, sizeof *list);
    strcpy(list[at].architecture, architecture);
    memcpy(list[at].hash, hash, CRYPTO_HASH_BYTES);
    manifest->ncontrollers++;
    return 0;
}

const uint8_t *manifest_find(const struct manifest *manifest, const char *architecture)
{
    for (size_t i = 0; i < manifest->ncontrollers; i++)
        if (strcmp(manifest->controllers[i].architecture, architecture) == 0)
            return manifest->controllers[i].hash;
    return NULL;
}

static void read_controllers(struct json_reader *reader, struct manifest *manifest)
{
    const struct json *list = json_read_object(reader, "controllers");
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *item = json_at(list, i);
        const char *digits = json_is_text(item) ? json_text(item) : "";
        uint8_t hash[CRYPTO_HASH_BYTES];
        if (hex_decode(digits, hash, sizeof hash) < 0 ||
            manifest_add_controller(manifest, json_key_at(list, i), hash) < 0)
            json_reader_fail(reader, "controllers");
    }
    if (manifest->ncontrollers == 0)
        json_reader_fail(reader, "controllers");
}

int manifest_parse(const char *text, size_t len, struct manifest *ret_manifest)
{
    struct manifest manifest = {.version = 0};
    struct json *tree;
    int error = len > MANIFEST_TEXT_MAX ? -EBADMSG : json_parse(text, len, NULL, &tree);
    if (error)
        return error == -ENOMEM ? error : -EBADMSG;
    struct json_reader reader = json_reader_init(tree);
    manifest.version = (uint64_t)json_read_int(&reader, "version", 1, version_max);
    json_read_hex(&reader, "config", manifest.config, sizeof manifest.config);
    read_controllers(&reader, &manifest);
    manifest.signature.len =
        json_read_base64(&reader, "signature", manifest.signature.bytes, sizeof manifest.signature.bytes);
    error = json_reader_end(&reader) < 0 ? -EBADMSG : 0;
    json_destroy(tree);
    if (error == 0)
        *ret_manifest = manifest;
    return error;
}

void manifest_write(struct json_writer *writer, const struct manifest *manifest)
{
    json_write_object_begin(writer, NULL);
    json_write_int(writer, "version", (int64_t)manifest->version);
    json_write_hex(writer, "config", manifest->config, sizeof manifest->config);
    json_write_object_begin(writer, "controllers");
    for (size_t i = 0; i < manifest->ncontrollers; i++)
        json_write_hex(writer, manifest->controllers[i].architecture, manifest->controllers[i].hash,
                       CRYPTO_HASH_BYTES);
    json_write_object_end(writer);
    json_write_base64(writer, "signature", manifest->signature.bytes, manifest->signature.len);
    json_write_object_end(writer);
}

static size_t signed_block(const struct manifest *manifest, uint8_t out[BLOCK_MAX])
{
    struct wire_writer block = wire_writer_init(out, BLOCK_MAX);
    wire_write_field_text(&block, "kiln/1 manifest");
    wire_write_field_u64(&block, manifest->version);
    wire_write_field(&block, manifest->config, sizeof manifest->config);
    for (size_t i = 0; i < manifest->ncontrollers; i++) {
        wire_write_field_text(&block, manifest->controllers[i].architecture);
        wire_write_field(&block, manifest->controllers[i].hash, CRYPTO_HASH_BYTES);
    }
    return block.len;
}

void manifest_hash(const struct manifest *manifest, uint8_t out[CRYPTO_HASH_BYTES])
{
    uint8_t block[BLOCK_MAX];
    size_t len = signed_block(manifest, block);
    crypto_hash(block, len, out);
}

int manifest_sign(struct manifest *manifest, struct crypto_ec *release_key, crypto_random *random, void *arg)
{
    uint8_t block[BLOCK_MAX], signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    int error =
        crypto_ec_sign(release_key, random, arg, block, signed_block(manifest, block), signature, &len);
    if (error)
        return error;
    if (len > sizeof manifest->signature.bytes)
        return -ENOSPC;
    memcpy(manifest->signature.bytes, signature, len);
    manifest->signature.len = len;
    return 0;
}

int manifest_verify(const struct manifest *manifest, const struct crypto_ec *release_key)
{
    uint8_t block[BLOCK_MAX];
    return crypto_ec_verify(release_key, block, signed_block(manifest, block), manifest->signature.bytes,
                            manifest->signature.len);
}
