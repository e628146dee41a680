/*
 * Identity: see identity.h.
 */
#include "src/core/identity.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/crypto.h"
#include "protocol/wire.h"
#include "src/core/file.h"
#include "src/io/locked.h"
#include "src/io/random.h"

/* What is secret, in pages of its own. */
struct identity_secret {
    uint8_t master[IDENTITY_SECRET_LEN];
};

struct identity {
    struct crypto_ec *key;          /* owned */
    struct identity_secret *secret; /* owned: locked pages */
    uint8_t spki[CRYPTO_SPKI_MAX];
    size_t spki_len_bytes;
    uint8_t fingerprint[IDENTITY_HASH_LEN];
};

static int random_for_crypto(void *arg, uint8_t *out, size_t len)
{
    (void)arg;
    random_fill(out, len);
    return 0;
}

static int path_make(char path[static PATH_MAX], const char *folder, const char *name)
{
    return snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int key_make(struct identity *identity, const char *path)
{
    char pem[CRYPTO_PEM_MAX];
    int rc = crypto_ec_generate(random_for_crypto, NULL, &identity->key);
    if (!rc)
        rc = crypto_ec_encode_pem(identity->key, pem);
    if (!rc)
        rc = file_write(path, 0600, pem, strlen(pem));
    crypto_wipe(pem, sizeof pem);
    return rc;
}

static int key_read(struct identity *identity, const char *path)
{
    char pem[CRYPTO_PEM_MAX + 1];
    size_t len_bytes;
    int rc = file_read_private(path, pem, CRYPTO_PEM_MAX, &len_bytes);
    if (!rc)
        rc = crypto_ec_decode_pem(pem, random_for_crypto, NULL, &identity->key);
    if (!rc && !crypto_ec_is_private(identity->key))
        rc = -EBADMSG;
    crypto_wipe(pem, sizeof pem);
    return rc;
}

static int key_open(struct identity *identity, const char *folder)
{
    char path[PATH_MAX];
    int rc = path_make(path, folder, "host.pem");
    if (!rc)
        rc = key_read(identity, path);
    if (rc == -ENOENT)
        rc = key_make(identity, path);
    if (!rc)
        rc = crypto_ec_encode_public(identity->key, identity->spki, &identity->spki_len_bytes);
    if (!rc)
        crypto_fingerprint(identity->spki, identity->spki_len_bytes, identity->fingerprint);
    return rc;
}

static int secret_create(struct identity *identity)
{
    void *pages;
    int rc = locked_create(sizeof *identity->secret, &pages);
    if (!rc)
        identity->secret = pages;
    return rc;
}

static int master_open(struct identity *identity, const char *folder)
{
    char path[PATH_MAX];
    uint8_t bytes[IDENTITY_SECRET_LEN + 1];
    size_t len_bytes = 0;
    int rc = path_make(path, folder, "master");
    if (!rc)
        rc = file_read_private(path, bytes, IDENTITY_SECRET_LEN, &len_bytes);
    if (!rc && len_bytes != IDENTITY_SECRET_LEN)
        rc = -EBADMSG;
    if (rc == -ENOENT) {
        random_fill(bytes, IDENTITY_SECRET_LEN);
        rc = file_write(path, 0600, bytes, IDENTITY_SECRET_LEN);
    }
    if (!rc)
        memcpy(identity->secret->master, bytes, IDENTITY_SECRET_LEN);
    crypto_wipe(bytes, sizeof bytes);
    return rc;
}

int identity_open(const char *folder, struct identity **ret_identity)
{
    struct identity *identity = calloc(1, sizeof *identity);
    if (!identity)
        return -ENOMEM;
    int rc = file_folder(folder, 0700);
    if (!rc)
        rc = secret_create(identity);
    if (!rc)
        rc = key_open(identity, folder);
    if (!rc)
        rc = master_open(identity, folder);
    if (rc) {
        identity_close(identity);
        return rc;
    }
    *ret_identity = identity;
    return 0;
}

void identity_close(struct identity *identity)
{
    if (!identity)
        return;
    crypto_ec_destroy(identity->key);
    locked_destroy(identity->secret, sizeof *identity->secret);
    free(identity);
}

int identity_sign(struct identity *identity, const void *bytes, size_t len_bytes,
                  uint8_t ret_signature[static IDENTITY_SIGNATURE_MAX], size_t *ret_len_bytes)
{
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t signature_len_bytes;
    int rc = crypto_ec_sign(identity->key, random_for_crypto, NULL, bytes, len_bytes, signature,
                            &signature_len_bytes);
    if (rc || signature_len_bytes > IDENTITY_SIGNATURE_MAX)
        return rc ? rc : -EIO;
    memcpy(ret_signature, signature, signature_len_bytes);
    *ret_len_bytes = signature_len_bytes;
    return 0;
}

const uint8_t *identity_spki(const struct identity *identity, size_t *ret_len_bytes)
{
    *ret_len_bytes = identity->spki_len_bytes;
    return identity->spki;
}

const uint8_t *identity_fingerprint(const struct identity *identity)
{
    return identity->fingerprint;
}

int identity_boot_secret(const struct identity *identity, const uint8_t uuid[static 16], uint32_t boot,
                         uint8_t ret_secret[static IDENTITY_SECRET_LEN])
{
    uint8_t block[128];
    size_t len_bytes;
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    wire_write_field_text(&writer, "kiln/1 boot secret");
    wire_write_field(&writer, uuid, 16);
    wire_write_field_u64(&writer, boot);
    int rc = wire_writer_end(&writer, &len_bytes);
    if (!rc)
        crypto_hmac(identity->secret->master, IDENTITY_SECRET_LEN, block, len_bytes, ret_secret);
    return rc;
}
