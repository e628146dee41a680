/*
 * Core: what happened, read from the store: to all VMs since a number, to one VM.
 *
 * In: numbers of changes. Out: their history entries, oldest first. Kept: nothing. A VM's changes are a
 * chain: each names the one before it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"
#include "src/core/core.h"
#include "src/core/store.h"

/* ---- of all VMs ---- */

struct replay {
    struct core *core;
    int (*fn)(void *arg, const struct history *history);
    void *arg;
};

static int change_each(void *arg, const void *key, size_t key_len_bytes, const void *value,
                       size_t value_len_bytes)
{
    const struct replay *replay = arg;
    struct history history;
    (void)key;
    (void)key_len_bytes;
    int rc = record_history_decode(value, value_len_bytes, &history);
    if (rc)
        return rc;
    /* Durable and not yet told: watchers are told in a moment. */
    return history.seq > replay->core->told_seq ? 0 : replay->fn(replay->arg, &history);
}

int core_replay(struct core *core, uint64_t since, int (*fn)(void *arg, const struct history *history),
                void *arg)
{
    struct replay replay = {.core = core, .fn = fn, .arg = arg};
    uint8_t from[8];
    if (since > core->told_seq)
        return -ENOENT;
    wire_put_u64(from, since + 1);
    return store_each(core->store, STORE_CHANGES, from, sizeof from, 0, change_each, &replay);
}

/* ---- of one VM ---- */

/* Numbers of changes, newest first. */
struct chain {
    uint64_t since;
    uint64_t *seqs; /* owned */
    size_t count, room;
};

static int chain_add(struct chain *chain, uint64_t seq)
{
    if (chain->count == chain->room) {
        size_t room = chain->room ? chain->room * 2 : 64;
        uint64_t *seqs = realloc(chain->seqs, room * sizeof *seqs);
        if (!seqs)
            return -ENOMEM;
        chain->seqs = seqs;
        chain->room = room;
    }
    chain->seqs[chain->count++] = seq;
    return 0;
}

static int chain_follow(void *arg, const void *value, size_t value_len_bytes, uint64_t *next)
{
    struct chain *chain = arg;
    uint64_t previous;
    int rc = record_history_previous(value, value_len_bytes, &previous);
    if (!rc && previous >= *next)
        rc = -EBADMSG;
    if (!rc)
        rc = chain_add(chain, *next);
    if (!rc)
        *next = previous > chain->since ? previous : 0;
    return rc;
}

static int chain_read(const struct vm_slot *slot, struct chain *chain)
{
    if (slot->seq <= chain->since)
        return 0;
    int rc = store_follow(slot->core->store, STORE_CHANGES, slot->seq, chain_follow, chain);
    return rc == -ENOENT ? -EBADMSG : rc;
}

/* -EBADMSG what is there is not a change of this VM's. */
static int change_get(const struct vm_slot *slot, uint64_t seq, struct history *ret_history)
{
    uint8_t key[8], *bytes;
    size_t len_bytes;
    wire_put_u64(key, seq);
    int rc = store_get(slot->core->store, STORE_CHANGES, key, sizeof key, &bytes, &len_bytes);
    if (rc)
        return rc;
    rc = record_history_decode(bytes, len_bytes, ret_history);
    free(bytes);
    if (!rc &&
        (ret_history->seq != seq || memcmp(ret_history->vm, slot->vm.uuid, sizeof ret_history->vm) != 0))
        rc = -EBADMSG;
    return rc;
}

int core_history(const struct vm_slot *slot, uint64_t since,
                 int (*fn)(void *arg, const struct history *history), void *arg)
{
    struct chain chain = {.since = since};
    struct history history;
    int rc = chain_read(slot, &chain);
    while (!rc && chain.count) {
        rc = change_get(slot, chain.seqs[--chain.count], &history);
        if (!rc)
            rc = fn(arg, &history);
    }
    free(chain.seqs);
    return rc;
}
