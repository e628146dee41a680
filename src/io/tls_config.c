/*
 * TLS config: see tls_config.h.
 */
#include "src/io/tls_config.h"

#include <errno.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#else
#define MBEDTLS_PRIVATE(member) member
#endif

#include "src/io/locked.h"
#include "src/io/random.h"

struct tls_config {
    unsigned refs;
    mbedtls_ssl_config ssl;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    bool has_pin;
    uint8_t pin[TLS_FINGERPRINT_BYTES];
};

/* Forward secret and AEAD only; sessions are resumed neither by ticket nor by id, so no key outlives its
 * session. ChaCha20 first: without hardware GCM it is the faster one in mbedTLS. */
static const int suites[] = {
#ifdef MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    0,
};

/* Fast ones first; mbedTLS would rather have P-521. */
#if MBEDTLS_VERSION_MAJOR >= 3
static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
#else
static const mbedtls_ecp_group_id groups[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_CURVE25519,
                                              MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_NONE};
#endif

int tls_random(void *unused, unsigned char *out, size_t len_bytes)
{
    (void)unused;
    random_fill(out, len_bytes);
    return 0;
}

static void set_floor(mbedtls_ssl_config *ssl)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_ssl_conf_min_tls_version(ssl, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_groups(ssl, groups);
#else
    mbedtls_ssl_conf_min_version(ssl, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_curves(ssl, groups);
#endif
    mbedtls_ssl_conf_ciphersuites(ssl, suites);
    mbedtls_ssl_conf_rng(ssl, tls_random, NULL);
}

static int create(int endpoint, struct tls_config **ret_config)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    /* TLS 1.3 in mbedTLS 3 does its cryptography through PSA. */
    if (psa_crypto_init() != PSA_SUCCESS)
        return -ENOMEM;
#endif
    struct tls_config *config = calloc(1, sizeof(*config));
    if (config == NULL)
        return -ENOMEM;
    config->refs = 1;
    mbedtls_ssl_config_init(&config->ssl);
    mbedtls_x509_crt_init(&config->certificate);
    mbedtls_pk_init(&config->key);
    if (mbedtls_ssl_config_defaults(&config->ssl, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
        tls_config_unref(config);
        return -ENOMEM;
    }
    set_floor(&config->ssl);
    /* Trust is by fingerprint, checked after the handshake and before the first byte of ours. */
    mbedtls_ssl_conf_authmode(&config->ssl, MBEDTLS_SSL_VERIFY_NONE);
    *ret_config = config;
    return 0;
}

/* mbedTLS 3 wants a random source here, to blind what it does with the key. */
static bool read_pair(struct tls_config *config, const char *certificate_path, const char *key_path)
{
    if (mbedtls_x509_crt_parse_file(&config->certificate, certificate_path) != 0)
        return false;
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_parse_keyfile(&config->key, key_path, NULL, tls_random, NULL) == 0 &&
           mbedtls_pk_check_pair(&config->certificate.pk, &config->key, tls_random, NULL) == 0;
#else
    return mbedtls_pk_parse_keyfile(&config->key, key_path, NULL) == 0 &&
           mbedtls_pk_check_pair(&config->certificate.pk, &config->key) == 0;
#endif
}

static int keep_number(const mbedtls_mpi *number)
{
    return number->MBEDTLS_PRIVATE(p) == NULL
               ? 0
               : locked_keep(number->MBEDTLS_PRIVATE(p),
                             number->MBEDTLS_PRIVATE(n) * sizeof(mbedtls_mpi_uint));
}

/* The private half lies where mbedTLS put it: those pages are never swapped. */
static int keep_key(const mbedtls_pk_context *key)
{
    if (mbedtls_pk_get_type(key) != MBEDTLS_PK_RSA)
        return keep_number(&mbedtls_pk_ec(*key)->MBEDTLS_PRIVATE(d));
    const mbedtls_rsa_context *rsa = mbedtls_pk_rsa(*key);
    const mbedtls_mpi *const numbers[] = {&rsa->MBEDTLS_PRIVATE(D),  &rsa->MBEDTLS_PRIVATE(P),
                                          &rsa->MBEDTLS_PRIVATE(Q),  &rsa->MBEDTLS_PRIVATE(DP),
                                          &rsa->MBEDTLS_PRIVATE(DQ), &rsa->MBEDTLS_PRIVATE(QP)};
    int error = 0;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && error == 0; i++)
        error = keep_number(numbers[i]);
    return error;
}

int tls_config_create_server(const char *certificate_path, const char *key_path,
                             struct tls_config **ret_config)
{
    struct tls_config *config;
    int error = create(MBEDTLS_SSL_IS_SERVER, &config);
    if (error < 0)
        return error;
    if (!read_pair(config, certificate_path, key_path) ||
        mbedtls_ssl_conf_own_cert(&config->ssl, &config->certificate, &config->key) != 0) {
        tls_config_unref(config);
        return -EINVAL;
    }
    error = keep_key(&config->key);
    if (error < 0) {
        tls_config_unref(config);
        return error;
    }
    *ret_config = config;
    return 0;
}

int tls_config_create_client(const uint8_t *pin, struct tls_config **ret_config)
{
    struct tls_config *config;
    int error = create(MBEDTLS_SSL_IS_CLIENT, &config);
    if (error < 0)
        return error;
    if (pin != NULL) {
        config->has_pin = true;
        memcpy(config->pin, pin, sizeof(config->pin));
    }
    *ret_config = config;
    return 0;
}

struct tls_config *tls_config_ref(struct tls_config *config)
{
    config->refs++;
    return config;
}

void tls_config_unref(struct tls_config *config)
{
    if (config == NULL || --config->refs > 0)
        return;
    mbedtls_ssl_config_free(&config->ssl);
    mbedtls_x509_crt_free(&config->certificate);
    mbedtls_pk_free(&config->key);
    free(config);
}

const struct mbedtls_ssl_config *tls_config_ssl(const struct tls_config *config)
{
    return &config->ssl;
}

const uint8_t *tls_config_pin(const struct tls_config *config)
{
    return config->has_pin ? config->pin : NULL;
}

void tls_fingerprint_of(const struct mbedtls_x509_crt *certificate,
                        uint8_t ret_fingerprint[TLS_FINGERPRINT_BYTES])
{
    mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), certificate->raw.p, certificate->raw.len,
               ret_fingerprint);
}

void tls_config_fingerprint(const struct tls_config *config, uint8_t ret_fingerprint[TLS_FINGERPRINT_BYTES])
{
    tls_fingerprint_of(&config->certificate, ret_fingerprint);
}

int64_t tls_config_expires_ms(const struct tls_config *config)
{
    int64_t first_ms = INT64_MAX;
    for (const mbedtls_x509_crt *one = &config->certificate; one != NULL; one = one->next) {
        const mbedtls_x509_time *to = &one->valid_to;
        struct tm utc = {.tm_year = to->year - 1900,
                         .tm_mon = to->mon - 1,
                         .tm_mday = to->day,
                         .tm_hour = to->hour,
                         .tm_min = to->min,
                         .tm_sec = to->sec};
        int64_t ms = (int64_t)timegm(&utc) * 1000;
        first_ms = ms < first_ms ? ms : first_ms;
    }
    return first_ms;
}
