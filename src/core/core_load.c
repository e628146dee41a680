/*
 * Core: from the store into memory, a share of a turn at a time. See core.h.
 *
 * In: a store that was looked at. Out: every object in core's tables. Kept: core->load, until all is loaded:
 * where the next turn goes on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"
#include "src/core/core.h"
#include "src/core/machine.h"
#include "src/core/object.h"
#include "src/core/store.h"
#include "src/io/loop.h"

enum { SHARE_IS_OVER = 1 };

/* One after the other: holders name VMs, VMs name bricks and drives. */
static const struct {
    enum store_database database;
    store_each_fn *load; /* ARG is core */
    const char *words;
} parts[] = {
    {STORE_USERS, user_load, "the users in the store"},
    {STORE_BRICKS, brick_load, "the bricks in the store"},
    {STORE_DRIVES, drive_load, "the drives in the store"},
    {STORE_VMS, machine_load, "the VMs in the store"},
};

enum { PARTS = sizeof parts / sizeof parts[0] };

struct load {
    struct core *core; /* borrowed */
    size_t part;
    uint8_t key[STORE_KEY_MAX]; /* of the last record of this part */
    size_t key_len_bytes;       /* 0: none of it is loaded */
    int64_t share_us;
};

/* ---- what is one of its kind ---- */

static int seq_load(struct core *core)
{
    uint8_t key[8];
    size_t len_bytes;
    int rc = store_last_key(core->store, STORE_CHANGES, key, sizeof key, &len_bytes);
    if (rc == -ENOENT)
        return 0;
    if (!rc && len_bytes != sizeof key)
        rc = -EBADMSG;
    if (!rc)
        core->seq = core->told_seq = wire_get_u64(key);
    return rc;
}

/* After the VMs, of which each names its own. */
static void assignment_load(struct core *core)
{
    uint8_t *bytes;
    size_t len_bytes;
    if (store_get(core->store, STORE_META, CORE_ASSIGNMENT_KEY, strlen(CORE_ASSIGNMENT_KEY), &bytes,
                  &len_bytes))
        return;
    if (len_bytes == 8 && wire_get_u64(bytes) > core->assignment)
        core->assignment = wire_get_u64(bytes);
    core->assignment_kept = core->assignment;
    free(bytes);
}

static void edge_certificate_load(struct core *core)
{
    uint8_t *bytes;
    size_t len_bytes;
    if (store_get(core->store, STORE_META, CORE_EDGE_KEY, strlen(CORE_EDGE_KEY), &bytes, &len_bytes))
        return;
    if (len_bytes == sizeof core->edge_certificate) {
        memcpy(core->edge_certificate, bytes, len_bytes);
        core->edge_certificate_known = true;
    }
    free(bytes);
}

/* ---- what there are many of ---- */

static int record_load(void *arg, const void *key, size_t key_len_bytes, const void *value,
                       size_t value_len_bytes)
{
    struct load *load = arg;
    if (key_len_bytes > sizeof load->key)
        return -EBADMSG;
    /* Where the last turn ended. */
    if (key_len_bytes == load->key_len_bytes && memcmp(key, load->key, key_len_bytes) == 0)
        return 0;
    int rc = parts[load->part].load(load->core, key, key_len_bytes, value, value_len_bytes);
    if (rc)
        return rc;
    memcpy(load->key, key, key_len_bytes);
    load->key_len_bytes = key_len_bytes;
    return loop_share_over(load->share_us) ? SHARE_IS_OVER : 0;
}

static int begin(struct core *core, char error[static CORE_ERROR_LEN])
{
    char words[STORE_ERROR_LEN];
    int rc = store_begin(core->store, words);
    if (rc) {
        snprintf(error, CORE_ERROR_LEN, "%s", words);
        return rc;
    }
    if ((rc = audit_load(&core->audit, core->store)))
        return core_fail(error, rc, "the end of the audit chain");
    if ((rc = seq_load(core)))
        return core_fail(error, rc, "the numbers of changes");
    core->load = calloc(1, sizeof *core->load);
    if (!core->load)
        return core_fail(error, -ENOMEM, "starting");
    core->load->core = core;
    return 0;
}

int core_load(struct core *core, char error[static CORE_ERROR_LEN])
{
    int rc = core->load ? 0 : begin(core, error);
    if (rc)
        return rc;
    struct load *load = core->load;
    load->share_us = loop_share_begin();
    for (; load->part < PARTS; load->part++, load->key_len_bytes = 0) {
        rc = store_each(core->store, parts[load->part].database, load->key, load->key_len_bytes, 0,
                        record_load, load);
        if (rc == SHARE_IS_OVER)
            return 1;
        if (rc)
            return core_fail(error, rc, parts[load->part].words);
    }
    assignment_load(core);
    edge_certificate_load(core);
    releases_load(core);
    core_load_end(core);
    return 0;
}

void core_load_end(struct core *core)
{
    free(core->load);
    core->load = NULL;
}
