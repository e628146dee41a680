/* links: kiln_protocol */
/* Manifests: one that parses has a version and controllers in order, and writes to a text of the same hash; a
 * release key's word on it is its word on no other.
 */
#include <errno.h>
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/manifest.h"

static int fill(void *arg, uint8_t *out, size_t len)
{
    (void)arg;
    memset(out, 0x5a, len);
    return 0;
}

static void check_signature(struct manifest *manifest)
{
    static struct crypto_ec *key;
    if (!key)
        CLAIM(crypto_ec_generate(fill, NULL, &key) == 0);
    CLAIM(manifest_verify(manifest, key) != 0);
    CLAIM(manifest_sign(manifest, key, fill, NULL) == 0 && manifest_verify(manifest, key) == 0);
    manifest->version++;
    CLAIM(manifest_verify(manifest, key) != 0);
}

static void check_controllers(struct manifest *manifest)
{
    uint8_t hash[CRYPTO_HASH_BYTES] = {1};
    for (size_t i = 0; i < manifest->ncontrollers; i++) {
        const struct manifest_controller *controller = &manifest->controllers[i];
        CLAIM(manifest_find(manifest, controller->architecture) == controller->hash);
        CLAIM(manifest_add_controller(manifest, controller->architecture, hash) == -EEXIST);
    }
    CLAIM(manifest_add_controller(manifest, "", hash) == -EINVAL && !manifest_find(manifest, "-"));
    for (char name[] = "_0"; manifest->ncontrollers < MANIFEST_ARCHITECTURES_MAX; name[1]++) {
        int error = manifest_add_controller(manifest, name, hash);
        CLAIM(error == 0 || error == -EEXIST);
    }
    CLAIM(manifest_add_controller(manifest, "_", hash) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manifest manifest, again;
    uint8_t a[CRYPTO_HASH_BYTES], b[CRYPTO_HASH_BYTES];
    if (manifest_parse((const char *)data, size, &manifest) < 0)
        return 0;
    CLAIM(manifest.version > 0 && manifest.ncontrollers > 0);
    for (size_t i = 1; i < manifest.ncontrollers; i++)
        CLAIM(strcmp(manifest.controllers[i - 1].architecture, manifest.controllers[i].architecture) < 0);
    struct json_writer out = json_writer_init(0);
    manifest_write(&out, &manifest);
    CLAIM(json_writer_end(&out) == 0 && manifest_parse(out.text, out.len, &again) == 0);
    manifest_hash(&manifest, a);
    manifest_hash(&again, b);
    CLAIM(memcmp(a, b, sizeof a) == 0);
    json_writer_finish(&out);
    check_signature(&again);
    check_controllers(&manifest);
    return 0;
}
