/*
 * TLS: mbedTLS 2.28 or 3.x over a non-blocking socket; TLS 1.2 or newer, forward-secret AEAD suites only.
 * In: certificate and key files, pins, descriptors. Out: plain bytes, fingerprints. Kept: contexts and
 * sessions. Trust is by fingerprint (SHA-256 of the DER certificate), not by name: a client pins it, or takes
 * any certificate and asks for the fingerprint afterwards to decide itself.
 */
#ifndef KILN_IO_TLS_H
#define KILN_IO_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TLS_FINGERPRINT_BYTES 32
#define TLS_TURN_READS 64 /* of the socket in one turn: small records cost much and have no end */

struct tls_server;
struct tls_client;
struct tls_session;

/* Reads a PEM or DER certificate (chain) and its key. -EINVAL when they are no pair or not readable as
 * such. */
int tls_server_create(const char *certificate_path, const char *key_path, struct tls_server **ret_server);
/* Takes the files anew; sessions that exist keep the old ones. On failure the old ones stay. */
int tls_server_reload(struct tls_server *server);
/* SHA-256 of the certificate in use. */
void tls_server_fingerprint(const struct tls_server *server, uint8_t ret_fingerprint[TLS_FINGERPRINT_BYTES]);
/* When the first certificate of the chain in use is over, in ms since 1970. */
int64_t tls_server_expires_ms(const struct tls_server *server);
/* Sessions that exist stay usable. */
void tls_server_destroy(struct tls_server *server);

/* PIN: the certificate to insist on; NULL accepts any (the caller must then check
 * tls_session_peer_fingerprint). */
int tls_client_create(const uint8_t pin[TLS_FINGERPRINT_BYTES], struct tls_client **ret_client);
void tls_client_destroy(struct tls_client *client);

/* A session on FD (borrowed, non-blocking). -ENOMEM. */
int tls_server_session(struct tls_server *server, int fd, struct tls_session **ret_session);
int tls_client_session(struct tls_client *client, int fd, struct tls_session **ret_session);
void tls_session_destroy(struct tls_session *session);

/* A turn of the loop begins: from now on handshake and reads look at the socket TLS_TURN_READS times at most,
 * about two for each record; then they are -EAGAIN, though there may be more. */
void tls_session_begin_turn(struct tls_session *session);
/* Goes on with the handshake. 0 done, -EAGAIN (see tls_session_wants_write), -EKEYREJECTED wrong pin,
 * -EPROTO anything else that the peer did wrong, -ECONNRESET it went away. */
int tls_session_handshake(struct tls_session *session);
/* Bytes read; 0 the peer closed properly; -EAGAIN, -ECONNRESET cut off, -EPROTO. */
ssize_t tls_session_read(struct tls_session *session, void *out, size_t max_bytes);
/* Bytes taken; -EAGAIN: call again with the same bytes at the same length. -ECONNRESET, -EPROTO. */
ssize_t tls_session_write(struct tls_session *session, const void *bytes, size_t len_bytes);
/* Says goodbye (close_notify). 0, -EAGAIN, or any other error when it cannot be said. */
int tls_session_close(struct tls_session *session);
/* After -EAGAIN: whether the socket must become writable (else readable). */
bool tls_session_wants_write(const struct tls_session *session);
/* Decrypted bytes that wait inside the session, so that no socket event will announce them. */
size_t tls_session_pending(const struct tls_session *session);
/* SHA-256 of the peer's certificate. -ENOENT before the handshake or when it sent none. */
int tls_session_peer_fingerprint(const struct tls_session *session,
                                 uint8_t ret_fingerprint[TLS_FINGERPRINT_BYTES]);

/* Makes a P-256 key and a self-signed certificate (PEM, 0600 and 0644, written atomically) for
 * COMMON_NAME. */
int tls_certificate_make(const char *certificate_path, const char *key_path, const char *common_name);

#endif
