/*
 * Bricks: hardware profiles with their golden images, in memory and in the store. See object.h.
 *
 * A brick's volumes are hashed by libvirt's threads, one after the other, before it is kept and when somebody
 * asks whether they are still the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/crypto.h"
#include "protocol/text.h"
#include "protocol/wire.h"
#include "src/core/core.h"
#include "src/core/object_private.h"
#include "src/core/virt_ops.h"
#include "src/io/loop.h"

enum { VOLUMES = 3 };

/* Hashing of a brick's volumes, to add it or to compare. */
struct hashing {
    struct object_order *order; /* owned */
    struct brick brick;         /* as ordered, or as recorded; the hashes are filled in anew */
    struct brick recorded;      /* of a verification */
    bool verifies;
    int next;
};

const struct brick *brick_find(const struct core *core, const char *name)
{
    char key[VM_NAME_LEN] = "";
    if (strlen(name) >= sizeof key)
        return NULL;
    memcpy(key, name, strlen(name));
    return index_find(&core->bricks, key);
}

const struct brick *brick_at(const struct core *core, size_t index)
{
    return index < core->bricks.count ? core->bricks.items[index] : NULL;
}

static const char *volume_of(const struct brick *brick, int number)
{
    return number == 0 ? brick->image : number == 1 ? brick->kernel : brick->initrd;
}

static uint8_t *hash_of(struct brick *brick, int number)
{
    return number == 0 ? brick->image_hash : number == 1 ? brick->kernel_hash : brick->initrd_hash;
}

/* protocol/README 8.1 */
static void brick_hash(struct brick *brick)
{
    uint8_t block[RECORD_CMDLINE_LEN + 256];
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    wire_write_field_text(&writer, "kiln/1 brick");
    for (int i = 0; i < VOLUMES; i++)
        wire_write_field(&writer, hash_of(brick, i), volume_of(brick, i)[0] ? RECORD_HASH_LEN : 0);
    wire_write_field_text(&writer, brick->cmdline);
    crypto_hash(block, writer.len, brick->hash);
}

static void hashing_end(struct hashing *hashing, enum kiln_code code, const char *detail)
{
    object_order_end(hashing->order, code, detail);
    free(hashing);
}

/* ---- add ---- */

static int brick_put(struct core *core, const struct brick *brick, struct object_order *order)
{
    struct store_batch *batch;
    char story[VM_DETAIL_LEN];
    uint8_t *bytes;
    size_t len_bytes;
    struct audit_deed deed = {
        .actor = order->actor, .what = "brick.add", .object = brick->name, .story = story};
    snprintf(story, sizeof story, "image %s, hash ", brick->image);
    hex_encode(brick->hash, 16, story + strlen(story));
    int rc = record_brick_encode(brick, &bytes, &len_bytes);
    if (rc)
        return rc;
    rc = store_batch_create(core->store, &batch);
    if (!rc) {
        store_put(batch, STORE_BRICKS, brick->name, strlen(brick->name), bytes, len_bytes);
        rc = object_commit(core, batch, &deed, object_durable, order);
    }
    free(bytes);
    return rc;
}

static void brick_keep(struct hashing *hashing)
{
    struct core *core = hashing->order->core;
    struct brick *copy = malloc(sizeof *copy);
    int rc = copy ? 0 : -ENOMEM;
    if (!rc) {
        *copy = hashing->brick;
        copy->created_at_ms = loop_wall_ms();
        rc = index_add(&core->bricks, copy);
    }
    if (!rc && (rc = brick_put(core, copy, hashing->order)))
        index_remove(&core->bricks, copy->name);
    if (!rc) {
        free(hashing);
        return;
    }
    free(copy);
    hashing_end(hashing, rc == -EEXIST ? CODE_ALREADY_EXISTS : CODE_INTERNAL, strerror(-rc));
}

/* ---- hash ---- */

static void brick_compare(struct hashing *hashing)
{
    char detail[VM_DETAIL_LEN];
    for (int i = 0; i < VOLUMES; i++)
        if (memcmp(hash_of(&hashing->brick, i), hash_of(&hashing->recorded, i), RECORD_HASH_LEN) != 0) {
            snprintf(detail, sizeof detail, "volume %s", volume_of(&hashing->brick, i));
            hashing_end(hashing, CODE_BRICK_CHANGED, detail);
            return;
        }
    hashing_end(hashing, CODE_NONE, "");
}

static void hash_next(struct hashing *hashing);

static void hash_answered(void *arg, const struct virt_answer *answer)
{
    struct hashing *hashing = arg;
    char detail[VM_DETAIL_LEN];
    int error = answer->error;
    if (!error && hex_decode(answer->volume.sha256, hash_of(&hashing->brick, hashing->next), RECORD_HASH_LEN))
        error = -EIO;
    if (error) {
        snprintf(detail, sizeof detail, "volume %.60s: %.120s", volume_of(&hashing->brick, hashing->next),
                 answer->words);
        hashing_end(hashing, object_code_of(error), detail);
        return;
    }
    hashing->next++;
    hash_next(hashing);
}

static void hash_next(struct hashing *hashing)
{
    struct core *core = hashing->order->core;
    while (hashing->next < VOLUMES && !volume_of(&hashing->brick, hashing->next)[0])
        hashing->next++;
    if (hashing->next < VOLUMES) {
        const char *volume = volume_of(&hashing->brick, hashing->next);
        int rc = core->virt_ops->volume_hash(core->virt, volume, hash_answered, hashing);
        if (rc)
            hashing_end(hashing, CODE_INTERNAL, strerror(-rc));
    } else if (hashing->verifies) {
        brick_compare(hashing);
    } else {
        brick_hash(&hashing->brick);
        brick_keep(hashing);
    }
}

static int hashing_begin(struct core *core, const struct brick *brick, bool verifies, const char *actor,
                         object_done_fn *done, void *arg)
{
    struct hashing *hashing = calloc(1, sizeof *hashing);
    struct object_order *order = object_order_create(core, actor, done, arg);
    if (!hashing || !order) {
        free(hashing);
        free(order);
        return -ENOMEM;
    }
    hashing->order = order;
    hashing->brick = hashing->recorded = *brick;
    hashing->verifies = verifies;
    for (int i = 0; i < VOLUMES; i++)
        memset(hash_of(&hashing->brick, i), 0, RECORD_HASH_LEN);
    int rc = core->virt_ops->volume_hash(core->virt, brick->image, hash_answered, hashing);
    if (rc) {
        free(order);
        free(hashing);
    }
    return rc;
}

int brick_add(struct core *core, const struct brick *brick, const char *actor, object_done_fn *done,
              void *arg)
{
    return brick_find(core, brick->name) ? -EEXIST : hashing_begin(core, brick, false, actor, done, arg);
}

int brick_verify(struct core *core, const char *name, const char *actor, object_done_fn *done, void *arg)
{
    const struct brick *brick = brick_find(core, name);
    return brick ? hashing_begin(core, brick, true, actor, done, arg) : -ENOENT;
}

/* ---- remove ---- */

static bool brick_is_used(const struct core *core, const char *name)
{
    for (size_t i = 0; i < core->vms.count; i++) {
        const struct vm_slot *slot = core->vms.items[i];
        if (slot->vm.head.state != VM_DESTROYED && strcmp(slot->vm.brick, name) == 0)
            return true;
    }
    return false;
}

int brick_remove(struct core *core, const char *name, const char *actor, object_done_fn *done, void *arg)
{
    const struct brick *brick = brick_find(core, name);
    struct store_batch *batch;
    struct audit_deed deed = {.actor = actor, .what = "brick.remove", .object = name};
    if (!brick)
        return -ENOENT;
    if (brick_is_used(core, name))
        return -EBUSY;
    struct object_order *order = object_order_create(core, actor, done, arg);
    int rc = order ? store_batch_create(core->store, &batch) : -ENOMEM;
    if (!rc) {
        store_delete(batch, STORE_BRICKS, brick->name, strlen(brick->name));
        rc = object_commit(core, batch, &deed, object_durable, order);
    }
    if (rc) {
        free(order);
        return rc;
    }
    free(index_remove(&core->bricks, brick->name));
    return 0;
}

/* ---- load ---- */

int brick_load(void *arg, const void *key, size_t key_len_bytes, const void *value, size_t value_len_bytes)
{
    struct core *core = arg;
    struct brick *brick = malloc(sizeof *brick);
    int rc = brick ? record_brick_decode(value, value_len_bytes, brick) : -ENOMEM;
    if (!rc && (key_len_bytes != strlen(brick->name) || memcmp(key, brick->name, key_len_bytes) != 0))
        rc = -EBADMSG;
    if (!rc)
        rc = index_add(&core->bricks, brick);
    if (rc)
        free(brick);
    return rc;
}
