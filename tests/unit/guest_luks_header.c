/*
 * Headers that somebody else wrote: whoever has the disk can put one there that any key opens, that shows
 * plain text, or that never ends. None is tried.
 */
#include "tests/unit/guest_fixture.h"

#include <libcryptsetup.h>

#include "guest/luks.h"

#define MODE "xts-plain64"
#define VOLUME_KEY_BYTES 64

static const uint8_t key[LUKS_KEY_LEN] = "0123456789abcdef0123456789abcde";
static const struct crypt_pbkdf_type quick = {
    .type = CRYPT_KDF_PBKDF2, .hash = "sha256", .iterations = 1000, .flags = CRYPT_PBKDF_NO_BENCHMARK};
static const struct crypt_pbkdf_type endless = {
    .type = CRYPT_KDF_PBKDF2, .hash = "sha256", .iterations = 1000001, .flags = CRYPT_PBKDF_NO_BENCHMARK};
static const struct crypt_pbkdf_type hungry = {.type = CRYPT_KDF_ARGON2ID,
                                               .hash = "sha256",
                                               .iterations = 4,
                                               .max_memory_kb = 65536,
                                               .parallel_threads = 1,
                                               .flags = CRYPT_PBKDF_NO_BENCHMARK};

static struct crypt_device *format(const char *cipher, const char *mode, size_t volume_key_bytes,
                                   const struct crypt_pbkdf_type *pbkdf)
{
    const char *path = fixture_path("drive");
    struct crypt_params_luks2 params = {.pbkdf = pbkdf, .sector_size = 512};
    struct crypt_device *cd;
    unlink(path);
    fixture_write(path, "", 0);
    assert_int_equal(truncate(path, 32 * 1024 * 1024), 0);
    assert_int_equal(crypt_init(&cd, path), 0);
    assert_int_equal(crypt_format(cd, CRYPT_LUKS2, cipher, mode, NULL, NULL, volume_key_bytes, &params), 0);
    return cd;
}

static void add_slot(struct crypt_device *cd)
{
    assert_true(crypt_keyslot_add_by_volume_key(cd, CRYPT_ANY_SLOT, NULL, 0, (const char *)key, sizeof key) >=
                0);
}

static int check(struct crypt_device *cd)
{
    char said[LUKS_SAID_MAX] = "";
    crypt_free(cd);
    return luks_check_key(fixture_path("drive"), key, said);
}

static void test_same_kind(void **state)
{
    (void)state;
    struct crypt_device *cd = format("aes", MODE, VOLUME_KEY_BYTES, &quick);
    add_slot(cd);
    assert_int_equal(check(cd), 0);
}

static void test_other_cipher_of_the_data(void **state)
{
    (void)state;
    struct crypt_device *cd = format("aes", "xts-plain", VOLUME_KEY_BYTES, &quick);
    add_slot(cd);
    assert_int_equal(check(cd), -EBADMSG);
    cd = format("aes", MODE, VOLUME_KEY_BYTES / 2, &quick);
    add_slot(cd);
    assert_int_equal(check(cd), -EBADMSG);
}

static void test_other_cipher_of_a_slot(void **state)
{
    (void)state;
    struct crypt_device *cd = format("aes", MODE, VOLUME_KEY_BYTES, &quick);
    add_slot(cd);
    assert_int_equal(crypt_keyslot_set_encryption(cd, "aes-cbc-essiv:sha256", 32), 0);
    add_slot(cd);
    assert_int_equal(check(cd), -EBADMSG);
}

static void test_slots_that_cost_too_much(void **state)
{
    (void)state;
    struct crypt_device *cd = format("aes", MODE, VOLUME_KEY_BYTES, &endless);
    add_slot(cd);
    assert_int_equal(check(cd), -EBADMSG);
    cd = format("aes", MODE, VOLUME_KEY_BYTES, &hungry);
    add_slot(cd);
    assert_int_equal(check(cd), -EBADMSG);
}

static void test_requirement(void **state)
{
    (void)state;
    struct crypt_device *cd = format("aes", MODE, VOLUME_KEY_BYTES, &quick);
    add_slot(cd);
    struct crypt_params_reencrypt params = {.mode = CRYPT_REENCRYPT_REENCRYPT,
                                            .direction = CRYPT_REENCRYPT_FORWARD,
                                            .resilience = "checksum",
                                            .hash = "sha256",
                                            .luks2 = &(struct crypt_params_luks2){.sector_size = 512},
                                            .flags = CRYPT_REENCRYPT_INITIALIZE_ONLY};
    int slot = crypt_keyslot_add_by_key(cd, CRYPT_ANY_SLOT, NULL, VOLUME_KEY_BYTES, (const char *)key,
                                        sizeof key, CRYPT_VOLUME_KEY_NO_SEGMENT);
    assert_true(slot >= 0);
    assert_true(crypt_reencrypt_init_by_passphrase(cd, NULL, (const char *)key, sizeof key, 0, slot, "aes",
                                                   MODE, &params) >= 0);
    assert_int_equal(check(cd), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_kind), cmocka_unit_test(test_other_cipher_of_the_data),
        cmocka_unit_test(test_other_cipher_of_a_slot), cmocka_unit_test(test_slots_that_cost_too_much),
        cmocka_unit_test(test_requirement)};
    return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
