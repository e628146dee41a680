/*
 * TLS session: one mbedTLS context over one socket; see tls.h.
 */
#include "src/io/tls.h"

#include <errno.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "src/io/tls_config.h"

/* mbedTLS takes no message over 16 KiB, and only certificates come near; the rest of a handshake is small. */
#define HANDSHAKE_MAX 24576

struct tls_session {
    struct tls_config *config; /* one reference */
    mbedtls_ssl_context ssl;
    int fd;                 /* borrowed */
    unsigned turn_reads;    /* of the socket, that are left in this turn */
    size_t handshake_bytes; /* read before it was done */
    bool wants_write;
    bool done; /* the handshake */
};

static int send_bytes(void *arg, const unsigned char *bytes, size_t len)
{
    struct tls_session *session = arg;
    ssize_t sent = send(session->fd, bytes, len, MSG_NOSIGNAL);
    if (sent >= 0)
        return (int)sent;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int receive_bytes(void *arg, unsigned char *out, size_t max)
{
    struct tls_session *session = arg;
    if (session->turn_reads == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    ssize_t got = recv(session->fd, out, max, 0);
    session->turn_reads--;
    if (got > 0 && !session->done)
        session->handshake_bytes += (size_t)got;
    if (got > 0)
        return (int)got;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return MBEDTLS_ERR_SSL_WANT_READ;
    return MBEDTLS_ERR_SSL_CONN_EOF;
}

int tls_session_create(struct tls_config *config, int fd, struct tls_session **ret_session)
{
    struct tls_session *session = calloc(1, sizeof(*session));
    if (session == NULL)
        return -ENOMEM;
    mbedtls_ssl_init(&session->ssl);
    session->config = tls_config_ref(config);
    session->fd = fd;
    session->turn_reads = TLS_TURN_READS;
    /* mbedTLS 3 refuses a client that names no host unless it is told that this is meant. */
    if (mbedtls_ssl_setup(&session->ssl, tls_config_ssl(config)) != 0 ||
        mbedtls_ssl_set_hostname(&session->ssl, NULL) != 0) {
        tls_session_destroy(session);
        return -ENOMEM;
    }
    mbedtls_ssl_set_bio(&session->ssl, session, send_bytes, receive_bytes, NULL);
    *ret_session = session;
    return 0;
}

void tls_session_destroy(struct tls_session *session)
{
    if (session == NULL)
        return;
    mbedtls_ssl_free(&session->ssl);
    tls_config_unref(session->config);
    free(session);
}

/* An mbedTLS result in our terms; notes what the session waits for. */
static int translate(struct tls_session *session, int result)
{
    switch (result) {
    case MBEDTLS_ERR_SSL_WANT_READ:
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
    case MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET:
#endif
        session->wants_write = false;
        return -EAGAIN;
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        session->wants_write = true;
        return -EAGAIN;
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return -ECONNRESET;
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
        return -ENOMEM;
    default:
        return -EPROTO;
    }
}

static int check_pin(struct tls_session *session)
{
    uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
    const uint8_t *pin = tls_config_pin(session->config);
    if (pin == NULL)
        return 0;
    if (tls_session_peer_fingerprint(session, fingerprint) < 0)
        return -EKEYREJECTED;
    return memcmp(fingerprint, pin, sizeof(fingerprint)) == 0 ? 0 : -EKEYREJECTED;
}

void tls_session_begin_turn(struct tls_session *session)
{
    session->turn_reads = TLS_TURN_READS;
}

int tls_session_handshake(struct tls_session *session)
{
    int result = mbedtls_ssl_handshake(&session->ssl);
    if (result != 0)
        return session->handshake_bytes > HANDSHAKE_MAX ? -EPROTO : translate(session, result);
    int error = check_pin(session);
    session->done = error == 0;
    return error;
}

ssize_t tls_session_read(struct tls_session *session, void *out, size_t max_bytes)
{
    int result = mbedtls_ssl_read(&session->ssl, out, max_bytes);
    if (result > 0)
        return result;
    if (result == 0)
        return -ECONNRESET;
    if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        return 0;
    return translate(session, result);
}

ssize_t tls_session_write(struct tls_session *session, const void *bytes, size_t len_bytes)
{
    int result = mbedtls_ssl_write(&session->ssl, bytes, len_bytes);
    return result >= 0 ? result : translate(session, result);
}

int tls_session_close(struct tls_session *session)
{
    if (!session->done)
        return -ENOTCONN;
    int result = mbedtls_ssl_close_notify(&session->ssl);
    return result == 0 ? 0 : translate(session, result);
}

bool tls_session_wants_write(const struct tls_session *session)
{
    return session->wants_write;
}

size_t tls_session_pending(const struct tls_session *session)
{
    return mbedtls_ssl_get_bytes_avail(&session->ssl);
}

int tls_session_peer_fingerprint(const struct tls_session *session,
                                 uint8_t ret_fingerprint[TLS_FINGERPRINT_BYTES])
{
    const mbedtls_x509_crt *peer = mbedtls_ssl_get_peer_cert(&session->ssl);
    if (peer == NULL)
        return -ENOENT;
    tls_fingerprint_of(peer, ret_fingerprint);
    return 0;
}
