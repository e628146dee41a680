/*
 * TLS config: what sessions of one side share, counted, so that a reload leaves sessions that exist alone.
 * In: files or a pin. Out: an mbedTLS configuration. Kept: certificate, key, pin. For tls.c and
 * tls_session.c.
 */
#ifndef KILN_IO_TLS_CONFIG_H
#define KILN_IO_TLS_CONFIG_H

#include "src/io/tls.h"

struct mbedtls_ssl_config;
struct mbedtls_x509_crt;
struct tls_config;

int tls_config_create_server(const char *certificate_path, const char *key_path,
                             struct tls_config **ret_config);
int tls_config_create_client(const uint8_t *pin, struct tls_config **ret_config);
struct tls_config *tls_config_ref(struct tls_config *config);
void tls_config_unref(struct tls_config *config);

const struct mbedtls_ssl_config *tls_config_ssl(const struct tls_config *config);
/* NULL when any certificate will do. */
const uint8_t *tls_config_pin(const struct tls_config *config);
/* SHA-256 of our own certificate (servers). */
void tls_config_fingerprint(const struct tls_config *config, uint8_t ret_fingerprint[TLS_FINGERPRINT_BYTES]);
/* When the first of our certificates (servers) is over, in ms since 1970. */
int64_t tls_config_expires_ms(const struct tls_config *config);
void tls_fingerprint_of(const struct mbedtls_x509_crt *certificate,
                        uint8_t ret_fingerprint[TLS_FINGERPRINT_BYTES]);

/* The random source in the form that mbedTLS wants. */
int tls_random(void *unused, unsigned char *out, size_t len_bytes);

int tls_session_create(struct tls_config *config, int fd, struct tls_session **ret_session);

#endif
