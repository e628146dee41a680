/*
 * Manifest of a release (README 4.1): what the newest controller and configuration are, signed by the release
 * key. In: JSON text or a struct. Out: the other, its hash, verdicts. Nothing is kept.
 */
#ifndef KILN_PROTOCOL_MANIFEST_H
#define KILN_PROTOCOL_MANIFEST_H

#include "protocol/binding.h"
#include "protocol/json.h"

enum { MANIFEST_ARCHITECTURES_MAX = 8, MANIFEST_ARCHITECTURE_BYTES = 17, MANIFEST_TEXT_MAX = 8192 };

struct manifest_controller {
    char architecture[MANIFEST_ARCHITECTURE_BYTES]; /* [a-z0-9_]{1,16}, as uname(1) says it */
    uint8_t hash[CRYPTO_HASH_BYTES];
};

struct manifest {
    uint64_t version; /* 1 to 2^53 */
    uint8_t config[CRYPTO_HASH_BYTES];
    struct manifest_controller controllers[MANIFEST_ARCHITECTURES_MAX]; /* in byte order of their names */
    size_t ncontrollers;                                                /* at least 1 */
    struct binding_signature signature;
};

/* -EBADMSG, -ENOMEM. Does not check the signature. */
int manifest_parse(const char *text, size_t len, struct manifest *ret_manifest);
/* Writes the file's JSON. */
void manifest_write(struct json_writer *writer, const struct manifest *manifest);
/* Adds a controller in order. -EINVAL the name, -EEXIST, -ENOSPC. */
int manifest_add_controller(struct manifest *manifest, const char *architecture,
                            const uint8_t hash[CRYPTO_HASH_BYTES]);
/* H of the signed block. */
void manifest_hash(const struct manifest *manifest, uint8_t out[CRYPTO_HASH_BYTES]);
/* The controller's hash for an architecture, or NULL. */
const uint8_t *manifest_find(const struct manifest *manifest, const char *architecture);
int manifest_sign(struct manifest *manifest, struct crypto_ec *release_key, crypto_random *random, void *arg);
int manifest_verify(const struct manifest *manifest, const struct crypto_ec *release_key);

#endif
