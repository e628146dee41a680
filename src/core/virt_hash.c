/*
 * The hash of a volume, through libvirt's stream and not through its path, so that any kind of pool will do.
 */
#include "src/core/virt_private.h"

#include "protocol/crypto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <libvirt/libvirt.h>

/* A message of libvirt's protocol carries at most 256 KiB of a stream. */
enum { CHUNK_BYTES = 256 * 1024 };

/* Hashes what the stream brings until its end. */
static int hash_stream(struct virt_op *op, virConnectPtr connection, virStreamPtr stream,
                       struct crypto_hash *hash)
{
    char *chunk = malloc(CHUNK_BYTES);
    int n, r = 0;

    if (!chunk)
        return virt_op_refuse(op, -ENOMEM, "out of memory");
    while ((n = virStreamRecv(stream, chunk, CHUNK_BYTES)) > 0)
        crypto_hash_update(hash, chunk, (size_t)n);
    free(chunk);
    if (n < 0) {
        r = virt_op_fail(op, connection, "cannot read the volume's bytes");
        (void)virStreamAbort(stream);
    } else if (virStreamFinish(stream) < 0) {
        r = virt_op_fail(op, connection, "cannot read the volume to its end");
    }
    return r;
}

static int hash_volume(struct virt_op *op, virConnectPtr connection, virStorageVolPtr volume,
                       struct crypto_hash *hash)
{
    virStreamPtr stream = virStreamNew(connection, 0);
    int r;

    if (!stream)
        return virt_op_fail(op, connection, "cannot make a stream");
    if (virStorageVolDownload(volume, stream, 0, 0, 0) < 0)
        r = virt_op_fail(op, connection, "cannot read the volume's bytes");
    else
        r = hash_stream(op, connection, stream, hash);
    virStreamFree(stream);
    return r;
}

static void put_hash(struct virt_op *op, const struct crypto_hash *hash)
{
    uint8_t value[CRYPTO_HASH_BYTES];

    crypto_hash_value(hash, value);
    for (int i = 0; i < CRYPTO_HASH_BYTES; i++)
        snprintf(op->answer.volume.sha256 + 2 * i, 3, "%02x", value[i]);
}

static int perform_hash(struct virt_op *op, struct _virConnect *connection)
{
    struct crypto_hash *hash = NULL;
    virStorageVolPtr volume = NULL;
    int r = virt_volume_find(op, connection, op->volume, &volume);

    if (r < 0)
        return r;
    r = crypto_hash_create(&hash);
    r = r < 0 ? virt_op_refuse(op, r, "out of memory") : virt_volume_read(op, connection, volume);
    r = r < 0 ? r : hash_volume(op, connection, volume, hash);
    if (r == 0)
        put_hash(op, hash);
    crypto_hash_destroy(hash);
    virStorageVolFree(volume);
    return r;
}

int virt_volume_hash(struct virt *virt, const char *volume, virt_answer_fn *answered, void *arg)
{
    struct virt_op *op = virt_op_create(virt, answered, arg, perform_hash);

    if (op)
        (void)virt_copy(op->volume, sizeof(op->volume), volume);
    return virt_volume_submit(op);
}
