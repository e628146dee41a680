/*
 * Envelopes: whose signature counts, for which drive and for whom; nothing that was changed or cut opens.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "protocol/envelope.h"
#include "protocol/wire.h"
#include "tests/unit/protocol_random.h"
#include "tests/unit/seed.h"

static struct fixed_random source = {31, 0};
static struct crypto_rsa *owner, *other;
static const uint8_t drive[UUID_BYTES] = {1}, another[UUID_BYTES] = {2};
static const uint8_t key[ENVELOPE_KEY_BYTES] = {5};

static int make_keys(void **state)
{
    (void)state;
    return crypto_rsa_generate(2048, fixed_random_fill, &source, &owner) < 0 ||
           crypto_rsa_generate(2048, fixed_random_fill, &source, &other) < 0;
}

static int drop_keys(void **state)
{
    (void)state;
    crypto_rsa_destroy(owner);
    crypto_rsa_destroy(other);
    return 0;
}

static size_t seal(struct crypto_rsa *maker, struct crypto_rsa *to, uint8_t out[ENVELOPE_MAX])
{
    size_t len;
    assert_int_equal(envelope_seal(maker, to, fixed_random_fill, &source, drive, key, out, &len), 0);
    return len;
}

static int open_as(struct crypto_rsa *user, struct crypto_rsa *maker, const uint8_t id[UUID_BYTES],
                   const uint8_t *envelope, size_t len)
{
    uint8_t opened[ENVELOPE_KEY_BYTES] = {0};
    int error =
        envelope_open(user, maker, fixed_random_fill, &source, id, (struct bytes){envelope, len}, opened);
    uint8_t wanted[ENVELOPE_KEY_BYTES] = {0};
    assert_memory_equal(opened, error ? wanted : key, sizeof opened);
    return error;
}

static void the_makers_own_opens(void **state)
{
    uint8_t envelope[ENVELOPE_MAX];
    size_t len = seal(owner, owner, envelope);
    (void)state;
    assert_int_equal(len, 4 + 256 + 4 + 256);
    seed_write("key", "envelope", 4, envelope, len);
    assert_int_equal(open_as(owner, owner, drive, envelope, len), 0);
    assert_int_equal(open_as(other, NULL, drive, envelope, len), -EACCES);
}

static void a_foreign_signature_counts_only_where_none_is_asked_for(void **state)
{
    uint8_t envelope[ENVELOPE_MAX];
    size_t len = seal(other, owner, envelope);
    (void)state;
    assert_int_equal(open_as(owner, owner, drive, envelope, len), -EPERM);
    assert_int_equal(open_as(owner, other, drive, envelope, len), 0);
    assert_int_equal(open_as(owner, NULL, drive, envelope, len), 0);
}

static void the_signature_is_for_one_drive_and_one_user(void **state)
{
    uint8_t mine[ENVELOPE_MAX], shared[ENVELOPE_MAX], mixed[ENVELOPE_MAX];
    size_t len = seal(owner, owner, mine);
    (void)state;
    assert_int_equal(open_as(owner, owner, another, mine, len), -EPERM);
    assert_int_equal(seal(owner, other, shared), len);
    assert_int_equal(open_as(owner, owner, drive, shared, len), -EPERM);
    assert_int_equal(open_as(other, owner, drive, shared, len), 0);
    memcpy(mixed, mine, len / 2);
    memcpy(mixed + len / 2, shared + len / 2, len / 2);
    assert_int_equal(open_as(owner, owner, drive, mixed, len), -EPERM);
    assert_int_equal(open_as(owner, NULL, drive, mixed, len), 0);
}

static void what_was_cut_or_changed_is_refused(void **state)
{
    uint8_t envelope[ENVELOPE_MAX];
    size_t len = seal(owner, owner, envelope);
    (void)state;
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(open_as(owner, owner, drive, envelope, cut), -EBADMSG);
    assert_int_equal(open_as(owner, NULL, drive, envelope, 4 + 256), -EBADMSG);
    assert_int_equal(open_as(owner, owner, drive, envelope, len + 1), -EBADMSG);
    for (size_t at = 4; at < len; at += 41) {
        envelope[at] ^= 1;
        assert_int_equal(open_as(owner, owner, drive, envelope, len), -EPERM);
        envelope[at] ^= 1;
    }
    wire_put_u32(envelope, 0);
    assert_int_equal(open_as(owner, owner, drive, envelope, len), -EBADMSG);
}

/* The form before signatures: the ciphertext alone. */
static void a_bare_ciphertext_is_refused(void **state)
{
    uint8_t envelope[ENVELOPE_MAX];
    size_t len;
    (void)state;
    assert_int_equal(crypto_rsa_encrypt(owner, fixed_random_fill, &source, key, sizeof key, envelope, &len),
                     0);
    assert_int_equal(open_as(owner, NULL, drive, envelope, len), -EBADMSG);
}

static void a_key_has_32_bytes(void **state)
{
    uint8_t ciphertext[CRYPTO_SIGNATURE_MAX], envelope[ENVELOPE_MAX];
    struct wire_writer writer = wire_writer_init(envelope, sizeof envelope);
    size_t len;
    (void)state;
    assert_int_equal(crypto_rsa_encrypt(owner, fixed_random_fill, &source, key, 31, ciphertext, &len), 0);
    wire_write_field(&writer, ciphertext, len);
    wire_write_field(&writer, ciphertext, len);
    assert_int_equal(open_as(owner, NULL, drive, envelope, writer.len), -EACCES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_makers_own_opens),
        cmocka_unit_test(a_foreign_signature_counts_only_where_none_is_asked_for),
        cmocka_unit_test(the_signature_is_for_one_drive_and_one_user),
        cmocka_unit_test(what_was_cut_or_changed_is_refused),
        cmocka_unit_test(a_bare_ciphertext_is_refused),
        cmocka_unit_test(a_key_has_32_bytes),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
