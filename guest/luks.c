/*
 * LUKS: see luks.h. The only file that speaks libcryptsetup.
 */
#include "guest/luks.h"

#include <errno.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <string.h>

#define MAKING_LABEL "kiln-making"
#define MADE_LABEL "kiln"
#define VOLUME_KEY_BYTES 64    /* two AES-256 keys of XTS */
#define PBKDF2_ITERATIONS 1000 /* the least that libcryptsetup takes */
#define SECTOR_BYTES 4096      /* an eighth of the IVs of 512; ext4 blocks are as large */
#define CIPHER "aes"
#define CIPHER_MODE "xts-plain64"
#define ITERATIONS_MAX                                                                                       \
    1000000 /* of a slot that is tried: a second or so, where a header may ask for hours                     \
             */

static void keep_words(int level, const char *words, void *said)
{
    if (level == CRYPT_LOG_ERROR && said != NULL)
        snprintf(said, LUKS_SAID_MAX, "%.*s", (int)strcspn(words, "\n"), words);
}

static int begin(const char *device, char *said, struct crypt_device **ret_cd)
{
    if (said != NULL)
        said[0] = '\0';
    /* Words must not go to the standard error by themselves, not even from crypt_init. */
    crypt_set_log_callback(NULL, keep_words, NULL);
    struct crypt_device *cd;
    int result = crypt_init(&cd, device);
    if (result < 0)
        return result;
    crypt_set_log_callback(cd, keep_words, said);
    *ret_cd = cd;
    return 0;
}

static int load(const char *device, char *said, struct crypt_device **ret_cd)
{
    struct crypt_device *cd;
    int result = begin(device, said, &cd);
    if (result < 0)
        return result;
    result = crypt_load(cd, CRYPT_LUKS2, NULL);
    if (result < 0) {
        crypt_free(cd);
        return result;
    }
    *ret_cd = cd;
    return 0;
}

int luks_make(const char *device, const uint8_t key[LUKS_KEY_LEN], char said[LUKS_SAID_MAX])
{
    const struct crypt_pbkdf_type pbkdf = {.type = CRYPT_KDF_PBKDF2,
                                           .hash = "sha256",
                                           .iterations = PBKDF2_ITERATIONS,
                                           .flags = CRYPT_PBKDF_NO_BENCHMARK};
    struct crypt_params_luks2 params = {.pbkdf = &pbkdf, .sector_size = SECTOR_BYTES, .label = MAKING_LABEL};
    struct crypt_device *cd;
    int result = begin(device, said, &cd);
    if (result < 0)
        return result;
    result = crypt_format(cd, CRYPT_LUKS2, CIPHER, CIPHER_MODE, NULL, NULL, VOLUME_KEY_BYTES, &params);
    if (result >= 0)
        result = crypt_keyslot_add_by_volume_key(cd, CRYPT_ANY_SLOT, NULL, VOLUME_KEY_BYTES,
                                                 (const char *)key, LUKS_KEY_LEN);
    crypt_free(cd);
    return result < 0 ? result : 0;
}

int luks_finish_making(const char *device, char said[LUKS_SAID_MAX])
{
    struct crypt_device *cd;
    int result = load(device, said, &cd);
    if (result < 0)
        return result;
    result = crypt_set_label(cd, MADE_LABEL, NULL);
    crypt_free(cd);
    return result;
}

int luks_is_half_made(const char *device)
{
    struct crypt_device *cd;
    int result = load(device, NULL, &cd);
    if (result < 0)
        return result;
    const char *label = crypt_get_label(cd);
    result = label != NULL && strcmp(label, MAKING_LABEL) == 0;
    crypt_free(cd);
    return result;
}

static bool slot_is_ours(struct crypt_device *cd, int slot)
{
    struct crypt_pbkdf_type pbkdf;
    size_t key_bytes;
    const char *cipher = crypt_keyslot_get_encryption(cd, slot, &key_bytes);
    return cipher != NULL && strcmp(cipher, CIPHER "-" CIPHER_MODE) == 0 && key_bytes == VOLUME_KEY_BYTES &&
           crypt_keyslot_get_pbkdf(cd, slot, &pbkdf) == 0 && strcmp(pbkdf.type, CRYPT_KDF_PBKDF2) == 0 &&
           pbkdf.iterations <= ITERATIONS_MAX;
}

/* A header comes from whoever can write to the disk. A slot under a null cipher opens with any key and hands
 * out a volume key that its writer knows; a reencryption that was never begun turns the data into plain text;
 * a memory-hard slot takes all the memory there is. */
static bool header_is_ours(struct crypt_device *cd)
{
    uint32_t requirements;
    if (crypt_persistent_flags_get(cd, CRYPT_FLAGS_REQUIREMENTS, &requirements) < 0 || requirements != 0 ||
        strcmp(crypt_get_cipher(cd), CIPHER) != 0 || strcmp(crypt_get_cipher_mode(cd), CIPHER_MODE) != 0 ||
        crypt_get_volume_key_size(cd) != VOLUME_KEY_BYTES)
        return false;
    for (int slot = 0; slot < crypt_keyslot_max(CRYPT_LUKS2); slot++)
        if (crypt_keyslot_status(cd, slot) != CRYPT_SLOT_INACTIVE && !slot_is_ours(cd, slot))
            return false;
    return true;
}

static int activate(const char *device, const char *name, const uint8_t key[LUKS_KEY_LEN], uint32_t flags,
                    char said[LUKS_SAID_MAX])
{
    struct crypt_device *cd;
    int result = load(device, said, &cd);
    if (result < 0)
        return result;
    if (!header_is_ours(cd)) {
        crypt_free(cd);
        snprintf(said, LUKS_SAID_MAX, "its LUKS2 header is not of Kiln's kind");
        return -EBADMSG;
    }
    result = crypt_activate_by_passphrase(cd, name, CRYPT_ANY_SLOT, (const char *)key, LUKS_KEY_LEN, flags);
    crypt_free(cd);
    /* A container without any key slot answers -ENOENT; no key is the right one then. */
    return result >= 0 ? 0 : result == -ENOENT ? -EPERM : result;
}

int luks_open(const char *device, const char *name, const uint8_t key[LUKS_KEY_LEN], bool readonly,
              char said[LUKS_SAID_MAX])
{
    return activate(device, name, key, readonly ? CRYPT_ACTIVATE_READONLY : 0, said);
}

int luks_check_key(const char *device, const uint8_t key[LUKS_KEY_LEN], char said[LUKS_SAID_MAX])
{
    return activate(device, NULL, key, 0, said);
}

int luks_close(const char *name)
{
    crypt_set_log_callback(NULL, keep_words, NULL);
    return crypt_deactivate(NULL, name);
}

bool luks_is_open(const char *name)
{
    crypt_set_log_callback(NULL, keep_words, NULL);
    crypt_status_info status = crypt_status(NULL, name);
    return status == CRYPT_ACTIVE || status == CRYPT_BUSY;
}
