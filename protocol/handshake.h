/*
 * The handshake of the channel (README 7.1), both roles, as an object without I/O: a message in, a message
 * out.
 *
 *     owner: create, start -> HELLO_O; feed HELLO_V -> AUTH_O; feed AUTH_V -> done
 *     vm:    create; feed HELLO_O -> HELLO_V; feed AUTH_O -> AUTH_V, done
 *
 * Any error is final: close without a word. Time limits are the caller's.
 */
#ifndef KILN_PROTOCOL_HANDSHAKE_H
#define KILN_PROTOCOL_HANDSHAKE_H

#include "protocol/binding.h"
#include "protocol/channel.h"

enum {
    HANDSHAKE_MESSAGE_MAX = 1024,
    HANDSHAKE_NONCE_BYTES = 32,
    HANDSHAKE_TIMEOUT_MS = 10000,
    HANDSHAKE_BEGUN_MAX = 4, /* at once, at the VM */
};

enum handshake_role { HANDSHAKE_OWNER, HANDSHAKE_VM };

/* Everything is borrowed until handshake_destroy, but binding, nonce and uuid, which are copied. */
struct handshake_config {
    enum handshake_role role;
    struct crypto_rsa *own_key;        /* private */
    const struct crypto_rsa *peer_key; /* public */
    struct bytes binding;              /* encoded; the caller has checked it */
    uint8_t uuid[UUID_BYTES];
    uint8_t nonce_o[HANDSHAKE_NONCE_BYTES]; /* owner: the one that was vouched for */
    crypto_random *random;
    void *random_arg;
};

struct handshake;

int handshake_create(const struct handshake_config *config, struct handshake **ret_handshake);
void handshake_destroy(struct handshake *handshake);
/* Owner: the first message. */
int handshake_start(struct handshake *handshake, uint8_t out[HANDSHAKE_MESSAGE_MAX], size_t *ret_len);
/* Takes the peer's next message; RET_LEN is 0 when there is nothing to send. -EBADMSG, -EACCES, -EIO: close.
 */
int handshake_feed(struct handshake *handshake, const void *message, size_t len,
                   uint8_t out[HANDSHAKE_MESSAGE_MAX], size_t *ret_len);
/* Whether both sides are authenticated (for the VM: once what feed gave last is sent). */
bool handshake_done(const struct handshake *handshake);
/* The record keys, once done; -EAGAIN before. */
int handshake_keys(const struct handshake *handshake, struct channel_keys *ret_keys);

#endif
