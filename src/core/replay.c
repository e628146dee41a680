/*
 * Replays: replay.h says what is kept, and why also in the store.
 */
#include "src/core/replay.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/store.h"

/* Key in STORE_META; the value is `time_ms` as 8 bytes of this machine's order. */
struct seen_key {
    char prefix[8];
    uint8_t user[REPLAY_USER_BYTES];
    uint8_t nonce[REPLAY_NONCE_BYTES];
};

static const char prefix[8] = "seen-req";

struct seen {
    struct seen_key key;
    int64_t time_ms;
};

/* A ring in the order of arrival: what has left the window is dropped from its tail. */
struct replay {
    struct store *store;  /* borrowed */
    int64_t forgotten_ms; /* the latest time of a request whose nonce was dropped; INT64_MIN: none was */
    size_t tail, count;
    struct seen ring[REPLAY_MAX];
};

static int take_up(void *arg, const void *key, size_t key_len_bytes, const void *value,
                   size_t value_len_bytes)
{
    struct replay *replay = arg;
    struct seen *seen = &replay->ring[replay->count];
    if (key_len_bytes != sizeof seen->key || value_len_bytes != sizeof seen->time_ms)
        return 0;
    if (replay->count == REPLAY_MAX)
        return -ENOSPC;
    memcpy(&seen->key, key, sizeof seen->key);
    memcpy(&seen->time_ms, value, sizeof seen->time_ms);
    replay->count++;
    return 0;
}

int replay_create(struct store *store, struct replay **ret_replay)
{
    struct replay *replay = calloc(1, sizeof *replay);
    if (!replay)
        return -ENOMEM;
    replay->store = store;
    replay->forgotten_ms = INT64_MIN;
    int error = store_each(store, STORE_META, prefix, sizeof prefix, sizeof prefix, take_up, replay);
    if (error) {
        replay_destroy(replay);
        return error;
    }
    *ret_replay = replay;
    return 0;
}

void replay_destroy(struct replay *replay)
{
    free(replay);
}

static void drop_old(struct replay *replay, int64_t now_ms, struct store_batch *batch)
{
    while (replay->count > 0 && replay->ring[replay->tail].time_ms < now_ms - REPLAY_WINDOW_MS) {
        const struct seen *seen = &replay->ring[replay->tail];
        store_delete(batch, STORE_META, &seen->key, sizeof seen->key);
        if (seen->time_ms > replay->forgotten_ms)
            replay->forgotten_ms = seen->time_ms;
        replay->tail = (replay->tail + 1) % REPLAY_MAX;
        replay->count--;
    }
}

/* Whether the key is in the table, and how many are its user's. */
static bool was_seen(const struct replay *replay, const struct seen_key *key, size_t *ret_owned)
{
    bool found = false;
    *ret_owned = 0;
    for (size_t i = 0; i < replay->count; i++) {
        const struct seen_key *other = &replay->ring[(replay->tail + i) % REPLAY_MAX].key;
        if (memcmp(other->user, key->user, sizeof key->user) != 0)
            continue;
        (*ret_owned)++;
        found = found || memcmp(other->nonce, key->nonce, sizeof key->nonce) == 0;
    }
    return found;
}

/* Makes room where a user, or all, have used up theirs: what has left the window counts no more. */
static int sweep(struct replay *replay, int64_t now_ms)
{
    struct store_batch *batch;
    int error = store_batch_create(replay->store, &batch);
    if (error)
        return error;
    drop_old(replay, now_ms, batch);
    return store_commit(batch, NULL, NULL);
}

static int keep(struct replay *replay, const struct seen *seen, int64_t now_ms)
{
    struct store_batch *batch;
    int error = store_batch_create(replay->store, &batch);
    if (error)
        return error;
    drop_old(replay, now_ms, batch);
    store_put(batch, STORE_META, &seen->key, sizeof seen->key, &seen->time_ms, sizeof seen->time_ms);
    error = store_commit(batch, NULL, NULL);
    if (!error)
        replay->ring[(replay->tail + replay->count++) % REPLAY_MAX] = *seen;
    return error;
}

static bool is_full(const struct replay *replay, size_t owned)
{
    return replay->count == REPLAY_MAX || owned >= REPLAY_PER_USER_MAX;
}

int replay_take(struct replay *replay, const uint8_t user[REPLAY_USER_BYTES],
                const uint8_t nonce[REPLAY_NONCE_BYTES], int64_t time_ms, int64_t now_ms)
{
    struct seen seen = {.time_ms = time_ms};
    size_t owned;
    int error;
    if (time_ms < now_ms - REPLAY_WINDOW_MS || time_ms > now_ms + REPLAY_WINDOW_MS)
        return -ETIME;
    /* Only a clock that was set back brings such a time into the window again. */
    if (time_ms <= replay->forgotten_ms)
        return -ETIME;
    memcpy(seen.key.prefix, prefix, sizeof prefix);
    memcpy(seen.key.user, user, sizeof seen.key.user);
    memcpy(seen.key.nonce, nonce, sizeof seen.key.nonce);
    if (was_seen(replay, &seen.key, &owned))
        return -EEXIST;
    if (is_full(replay, owned)) {
        error = sweep(replay, now_ms);
        was_seen(replay, &seen.key, &owned);
        if (error || is_full(replay, owned))
            return error ? error : -ENOSPC;
    }
    return keep(replay, &seen, now_ms);
}
