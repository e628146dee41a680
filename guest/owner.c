/*
 * Owner: see owner.h.
 */
#include "guest/owner.h"

#include <errno.h>
#include <string.h>

#include "guest/controller.h"
#include "protocol/crypto.h"
#include "protocol/wire.h"

static int read_identity(const struct controller *controller, struct bytes spki,
                         struct crypto_ec **ret_identity)
{
    uint8_t fingerprint[CRYPTO_HASH_BYTES];
    crypto_fingerprint(spki.bytes, spki.len, fingerprint);
    if (!wire_equal(fingerprint, controller->boot.data.identity, sizeof fingerprint))
        return -EACCES;
    return crypto_ec_decode_public(spki.bytes, spki.len, ret_identity);
}

/* What a binding of this VM must say. */
static void expect(const struct controller *controller, const uint8_t owner[CRYPTO_HASH_BYTES],
                   struct binding *ret_expected)
{
    const struct register_request *request = &controller->secrets->kept.request;
    *ret_expected = (struct binding){0};
    memcpy(ret_expected->uuid, controller->boot.uuid, sizeof ret_expected->uuid);
    crypto_fingerprint(request->public_key, request->public_key_len, ret_expected->vm_key);
    memcpy(ret_expected->owner_key, owner, sizeof ret_expected->owner_key);
    memcpy(ret_expected->brick, controller->boot.data.brick, sizeof ret_expected->brick);
    memcpy(ret_expected->nonce_v, request->nonce_v, sizeof ret_expected->nonce_v);
    memcpy(ret_expected->manifest, request->manifest, sizeof ret_expected->manifest);
    memcpy(ret_expected->config, request->config, sizeof ret_expected->config);
}

static int check(const struct controller *controller, const struct owner_claim *claim,
                 const uint8_t owner[CRYPTO_HASH_BYTES], uint64_t *ret_assignment)
{
    const struct kept *kept = &controller->secrets->kept;
    struct crypto_ec *identity;
    struct binding expected;
    if (claim->binding.len > BINDING_MAX)
        return -EBADMSG;
    int result = read_identity(controller, claim->host_identity, &identity);
    if (result < 0)
        return result;
    expect(controller, owner, &expected);
    result = binding_check(identity, claim->binding, claim->signature, &expected, ret_assignment);
    crypto_ec_destroy(identity);
    if (result == 0 && kept->owned &&
        (!wire_equal(kept->owner, owner, sizeof kept->owner) || *ret_assignment < kept->assignment))
        result = -EACCES;
    return result;
}

int owner_take(struct controller *controller, const struct owner_claim *claim)
{
    struct kept *kept = &controller->secrets->kept;
    uint8_t owner[CRYPTO_HASH_BYTES];
    uint64_t assignment;
    struct crypto_rsa *key = NULL;
    crypto_fingerprint(claim->public_key.bytes, claim->public_key.len, owner);
    int result = check(controller, claim, owner, &assignment);
    if (result == 0)
        result = crypto_rsa_decode_public(claim->public_key.bytes, claim->public_key.len, &key);
    if (result < 0)
        return result;
    /* The same owner again has the same key, and handshakes under way hold its handle. */
    if (controller->owner.key == NULL)
        controller->owner.key = key;
    else
        crypto_rsa_destroy(key);
    memcpy(controller->owner.binding, claim->binding.bytes, claim->binding.len);
    controller->owner.binding_len = claim->binding.len;
    controller->owner.assignment = assignment;
    kept->owned = true;
    kept->assignment = assignment;
    memcpy(kept->owner, owner, sizeof kept->owner);
    controller_keep(controller);
    return 0;
}
