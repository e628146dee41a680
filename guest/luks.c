// LUKS: see luks.h. The only file that speaks libcryptsetup.
#include "guest/luks.h"

#include <errno.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <string.h>

#define MAKING_LABEL "kiln-making"
#define MADE_LABEL "kiln"
#define VOLUME_KEY_BYTES 64    // two AES-256 keys of XTS
#define PBKDF2_ITERATIONS 1000 // the least that libcryptsetup takes
#define SECTOR_BYTES 4096      // an eighth of the IVs of 512; ext4 blocks are as large

static void keep_words(int level, const char *words, void *said)
{
    if (level == CRYPT_LOG_ERROR && said != NULL)
        snprintf(said, LUKS_SAID_MAX, "%.*s", (int)strcspn(words, "\n"), words);
}

static int begin(const char *device, char *said, struct crypt_device **ret_cd)
{
    if (said != NULL)
        said[0] = '\0';
    // Words must not go to the standard error by themselves, not even from crypt_init.
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
    result = crypt_format(cd, CRYPT_LUKS2, "aes", "xts-plain64", NULL, NULL, VOLUME_KEY_BYTES, &params);
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

static int activate(const char *device, const char *name, const uint8_t key[LUKS_KEY_LEN], uint32_t flags,
                    char said[LUKS_SAID_MAX])
{
    struct crypt_device *cd;
    int result = load(device, said, &cd);
    if (result < 0)
        return result;
    result = crypt_activate_by_passphrase(cd, name, CRYPT_ANY_SLOT, (const char *)key, LUKS_KEY_LEN, flags);
    crypt_free(cd);
    // A container without any key slot answers -ENOENT; no key is the right one then.
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
