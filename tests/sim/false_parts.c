/*
 * The small false parts: see false_parts.h.
 */
#include "tests/sim/false_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/crypto.h"
#include "protocol/register.h"
#include "src/core/file.h"
#include "src/core/identity.h"
#include "src/core/releases.h"
#include "src/io/log.h"
#include "src/io/random.h"
#include "tests/sim/clock.h"
#include "tests/sim/host.h"

/* ---- random ---- */

void false_bytes(void *out, size_t len)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
        uint64_t drawn = chance(CHANCE_BYTES, UINT64_MAX);
        memcpy(bytes + i, &drawn, len - i < sizeof drawn ? len - i : sizeof drawn);
    }
}

void random_fill(void *out, size_t len_bytes)
{
    false_bytes(out, len_bytes);
}

/* SubjectPublicKeyInfo of RFC 8017 with any odd modulus: nobody here proves to have the key. */
size_t false_public_key(uint8_t *out)
{
    static const uint8_t head[] = {0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
                                   0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01,
                                   0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00};
    static const uint8_t exponent[] = {0x02, 0x03, 0x01, 0x00, 0x01};
    enum { MODULUS = 256 };
    memcpy(out, head, sizeof head);
    false_bytes(out + sizeof head, MODULUS);
    out[sizeof head] |= 0x80;
    out[sizeof head + MODULUS - 1] |= 1;
    memcpy(out + sizeof head + MODULUS, exponent, sizeof exponent);
    return sizeof head + MODULUS + sizeof exponent;
}

/* ---- log ---- */

static bool log_shown;

void false_log_show(bool shown)
{
    log_shown = shown;
}

void log_set_level(enum log_level level)
{
    (void)level;
}

int log_level_parse(const char *word, enum log_level *ret_level)
{
    (void)word;
    *ret_level = LOG_LEVEL_INFO;
    return 0;
}

void log_line(enum log_level level, const char *area, const char *message, const char *pairs, ...)
{
    va_list args;
    if (!log_shown)
        return;
    printf("%12.6f %s %s: %s ", (double)clock_us() / 1e6, level >= LOG_LEVEL_WARNING ? "!" : " ", area,
           message);
    va_start(args, pairs);
    vprintf(pairs, args);
    va_end(args);
    putchar('\n');
}

/* ---- identity ---- */

struct identity {
    uint8_t spki[IDENTITY_SPKI_MAX];
};

static struct identity the_identity = {.spki = "the simulator's host identity"};

int identity_open(const char *folder, struct identity **ret_identity)
{
    (void)folder;
    *ret_identity = &the_identity;
    return 0;
}

void identity_close(struct identity *identity)
{
    (void)identity;
}

int identity_sign(struct identity *identity, const void *bytes, size_t len_bytes,
                  uint8_t ret_signature[static IDENTITY_SIGNATURE_MAX], size_t *ret_len_bytes)
{
    (void)identity;
    (void)bytes;
    (void)len_bytes;
    memset(ret_signature, 's', IDENTITY_SIGNATURE_MAX);
    *ret_len_bytes = IDENTITY_SIGNATURE_MAX;
    return 0;
}

const uint8_t *identity_spki(const struct identity *identity, size_t *ret_len_bytes)
{
    (void)identity;
    *ret_len_bytes = sizeof the_identity.spki;
    return the_identity.spki;
}

const uint8_t *identity_fingerprint(const struct identity *identity)
{
    static uint8_t fingerprint[CRYPTO_HASH_BYTES];
    (void)identity;
    crypto_fingerprint(the_identity.spki, sizeof the_identity.spki, fingerprint);
    return fingerprint;
}

int identity_boot_secret(const struct identity *identity, const uint8_t uuid[static 16], uint32_t boot,
                         uint8_t ret_secret[static IDENTITY_SECRET_LEN])
{
    const uint8_t master[IDENTITY_SECRET_LEN] = {42};
    (void)identity;
    register_derive_boot_secret(master, uuid, boot, ret_secret);
    return 0;
}

/* ---- files ---- */

int file_write(const char *path, mode_t mode, const void *bytes, size_t len_bytes)
{
    (void)path;
    (void)mode;
    (void)bytes;
    (void)len_bytes;
    if (!host_dying())
        host_point("a file was written");
    return 0;
}

int file_read_private(const char *path, void *ret_bytes, size_t max_bytes, size_t *ret_len_bytes)
{
    (void)path;
    (void)ret_bytes;
    (void)max_bytes;
    (void)ret_len_bytes;
    return -ENOENT;
}

int file_folder(const char *path, mode_t mode)
{
    (void)path;
    (void)mode;
    return 0;
}

/* ---- releases: the one that every guest runs is in force ---- */

void releases_load(struct core *core)
{
    (void)core;
}

void releases_look(struct core *core)
{
    (void)core;
}

enum kiln_code releases_check(struct core *core, const struct vm *vm,
                              const uint8_t manifest[static RELEASE_HASH_LEN])
{
    (void)core;
    (void)vm;
    (void)manifest;
    return CODE_NONE;
}
