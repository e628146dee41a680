/*
 * Users: people as public keys, in memory and in the store. See object.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"
#include "src/core/object_private.h"
#include "src/io/loop.h"

const struct user *user_find(const struct core *core, const char *name)
{
    const struct user *user;
    for (size_t i = 0; (user = user_at(core, i)); i++)
        if (strcmp(user->name, name) == 0)
            return user;
    return NULL;
}

const struct user *user_find_key(const struct core *core, const uint8_t fingerprint[static RECORD_HASH_LEN])
{
    return index_find(&core->users, fingerprint);
}

const struct user *user_at(const struct core *core, size_t index)
{
    return index < core->users.count ? core->users.items[index] : NULL;
}

static int user_put(struct core *core, const struct user *user, const char *actor, struct object_order *order)
{
    struct store_batch *batch;
    uint8_t *bytes;
    size_t len_bytes;
    struct audit_deed deed = {.actor = actor,
                              .what = "user.add",
                              .object = user->name,
                              .story = user->role == USER_ADMIN ? "as admin" : "as owner"};
    int rc = record_user_encode(user, &bytes, &len_bytes);
    if (rc)
        return rc;
    rc = store_batch_create(core->store, &batch);
    if (!rc) {
        store_put(batch, STORE_USERS, user->fingerprint, sizeof user->fingerprint, bytes, len_bytes);
        rc = object_commit(core, batch, &deed, object_durable, order);
    }
    free(bytes);
    return rc;
}

int user_add(struct core *core, const struct user *user, const char *actor, object_done_fn *done, void *arg)
{
    if (user_find(core, user->name) || user_find_key(core, user->fingerprint))
        return -EEXIST;
    struct user *copy = malloc(sizeof *copy);
    struct object_order *order = object_order_create(core, actor, done, arg);
    int rc = copy && order ? 0 : -ENOMEM;
    if (!rc) {
        *copy = *user;
        copy->created_at_ms = loop_wall_ms();
        rc = index_add(&core->users, copy);
    }
    if (!rc && (rc = user_put(core, copy, actor, order)))
        index_remove(&core->users, copy->fingerprint);
    if (rc) {
        free(copy);
        free(order);
    }
    return rc;
}

int user_remove(struct core *core, const char *name, const char *actor, object_done_fn *done, void *arg)
{
    const struct user *user = user_find(core, name);
    struct store_batch *batch;
    struct audit_deed deed = {.actor = actor, .what = "user.remove", .object = name};
    if (!user)
        return -ENOENT;
    struct object_order *order = object_order_create(core, actor, done, arg);
    int rc = order ? store_batch_create(core->store, &batch) : -ENOMEM;
    if (!rc) {
        store_delete(batch, STORE_USERS, user->fingerprint, sizeof user->fingerprint);
        rc = object_commit(core, batch, &deed, object_durable, order);
    }
    if (rc) {
        free(order);
        return rc;
    }
    free(index_remove(&core->users, user->fingerprint));
    return 0;
}

int user_load(void *arg, const void *key, size_t key_len_bytes, const void *value, size_t value_len_bytes)
{
    struct core *core = arg;
    struct user *user = malloc(sizeof *user);
    int rc = user ? record_user_decode(value, value_len_bytes, user) : -ENOMEM;
    if (!rc && (key_len_bytes != RECORD_HASH_LEN || memcmp(key, user->fingerprint, RECORD_HASH_LEN) != 0))
        rc = -EBADMSG;
    if (!rc)
        rc = index_add(&core->users, user);
    if (rc)
        free(user);
    return rc;
}
