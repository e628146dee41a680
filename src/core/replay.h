/*
 * Nonces of signed requests that were seen (protocol/README 8.3), so that a request counts once.
 *
 * In: nonces of requests whose signature is good. Out: whether one is new.
 * Kept: each until its request's time has left the window, in memory and in the store: its batch is committed
 * before the request's own, and batches become durable in order, so what a request did is never durable
 * without its nonce. A request caught before a restart of kilnd cannot be used again after it.
 */
#ifndef KILN_CORE_REPLAY_H
#define KILN_CORE_REPLAY_H

#include <stdint.h>

struct replay;
struct store;

enum {
    REPLAY_NONCE_BYTES = 16,
    REPLAY_USER_BYTES = 32,
    REPLAY_WINDOW_MS = 120 * 1000, /* either side of the host's clock */
    REPLAY_MAX = 65536,            /* nonces at once: about 270 changing requests a second for 240 s */
    REPLAY_PER_USER_MAX = 8192     /* of one user, so that nobody fills the table for others */
};

/* Takes up what an earlier kilnd kept. STORE is borrowed. Returns 0 or a negative errno of the store. */
int replay_create(struct store *store, struct replay **ret_replay);
void replay_destroy(struct replay *replay);

/* Takes a nonce of a user once. Times are wall clock milliseconds. Returns 0; -ETIME outside the window,
 * or not after a request whose nonce was dropped already (the clock was set back); -EEXIST seen before; -ENOSPC the table is full, or the user's part of it; -ENOMEM. */
int replay_take(struct replay *replay, const uint8_t user[REPLAY_USER_BYTES],
                const uint8_t nonce[REPLAY_NONCE_BYTES], int64_t time_ms, int64_t now_ms);

#endif
