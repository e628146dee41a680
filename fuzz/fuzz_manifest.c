/* links: kiln_protocol */
/* Manifests: one that parses has a version and controllers in order, and writes to a text of the same hash.
 */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/manifest.h"

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
    return 0;
}
