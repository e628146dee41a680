/*
 * Volumes of the one pool: thin ones over a brick's image, raw ones for drives.
 */
#include "src/core/domain_xml.h"
#include "src/core/virt_private.h"
#include "src/core/virt_xml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>

static int find_in_pool(struct virt_op *op, virConnectPtr connection, virStoragePoolPtr pool,
                        const char *name, virStorageVolPtr *ret_volume)
{
    virStorageVolPtr volume = virStorageVolLookupByName(pool, name);
    int r = 0;

    if (!volume)
        r = virt_op_fail(op, connection, "the volume");
    if (r == -ENOENT) {
        /* A file that was put into the pool by hand shows after a refresh. One that runs elsewhere is as
         * good. */
        (void)virStoragePoolRefresh(pool, 0);
        volume = virStorageVolLookupByName(pool, name);
        r = volume ? 0 : virt_op_fail(op, connection, "the volume");
    }
    if (r == 0)
        *ret_volume = volume;
    return r;
}

static int find_pool(struct virt_op *op, virConnectPtr connection, virStoragePoolPtr *ret_pool)
{
    virStoragePoolPtr pool = virStoragePoolLookupByName(connection, op->virt->config.pool);

    if (!pool)
        return virt_op_fail(op, connection, "the storage pool");
    int r = virt_pool_start(op, connection, pool);
    if (r < 0)
        virStoragePoolFree(pool);
    else
        *ret_pool = pool;
    return r;
}

int virt_volume_find(struct virt_op *op, struct _virConnect *connection, const char *name,
                     struct _virStorageVol **ret_volume)
{
    virStoragePoolPtr pool = NULL;
    int r = find_pool(op, connection, &pool);

    if (r < 0)
        return r;
    r = find_in_pool(op, connection, pool, name, ret_volume);
    virStoragePoolFree(pool);
    return r;
}

int virt_volume_read(struct virt_op *op, struct _virConnect *connection, struct _virStorageVol *volume)
{
    struct virt_volume_info *info = &op->answer.volume;
    virStorageVolInfo seen;
    char *path;

    if (virStorageVolGetInfo(volume, &seen) < 0)
        return virt_op_fail(op, connection, "cannot read the volume");
    info->capacity_bytes = seen.capacity;
    info->physical_bytes = seen.allocation;
    path = virStorageVolGetPath(volume);
    if (path)
        (void)virt_copy(info->path, sizeof(info->path), path);
    free(path);
    return 0;
}

/* Makes a volume and reads it; frees `xml`. */
static int create_volume(struct virt_op *op, virConnectPtr connection, char *xml)
{
    virStoragePoolPtr pool = NULL;
    int r;

    if (!xml)
        return virt_op_refuse(op, -ENOMEM, "out of memory");
    r = find_pool(op, connection, &pool);
    if (r == 0) {
        virStorageVolPtr volume = virStorageVolCreateXML(pool, xml, 0);
        r = volume ? virt_volume_read(op, connection, volume)
                   : virt_op_fail(op, connection, "cannot create the volume");
        if (volume)
            virStorageVolFree(volume);
        virStoragePoolFree(pool);
    }
    free(xml);
    return r;
}

static int delete_volume(struct virt_op *op, virConnectPtr connection, const char *name)
{
    virStorageVolPtr volume = NULL;
    int r = virt_volume_find(op, connection, name, &volume);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    if (virStorageVolDelete(volume, 0) < 0)
        r = virt_op_fail(op, connection, "cannot delete the volume");
    virStorageVolFree(volume);
    return r == -ENOENT ? 0 : r;
}

static int perform_gone(struct virt_op *op, struct _virConnect *connection)
{
    return delete_volume(op, connection, op->volume);
}

/* --- thin volumes --- */

struct image {
    uint64_t capacity_bytes;
    char format[16];
    char path[VIRT_PATH_BYTES];
};

static int parse_volume(struct virt_op *op, virConnectPtr connection, virStorageVolPtr volume,
                        char ret_format[static 16], char ret_backing[static VIRT_PATH_BYTES])
{
    char *xml = virStorageVolGetXMLDesc(volume, 0);
    int r;

    if (!xml)
        return virt_op_fail(op, connection, "cannot read the volume");
    r = virt_xml_parse_volume(xml, ret_format, ret_backing);
    free(xml);
    return r < 0 ? virt_op_refuse(op, -EINVAL, "the volume has no format that Kiln knows") : 0;
}

static int find_image(struct virt_op *op, virConnectPtr connection, struct image *ret_image)
{
    char backing[VIRT_PATH_BYTES];
    virStorageVolPtr volume = NULL;
    int r = virt_volume_find(op, connection, op->drive, &volume);

    if (r < 0)
        return r;
    r = virt_volume_read(op, connection, volume);
    r = r < 0 ? r : parse_volume(op, connection, volume, ret_image->format, backing);
    virStorageVolFree(volume);
    if (r == 0) {
        ret_image->capacity_bytes = op->answer.volume.capacity_bytes;
        memcpy(ret_image->path, op->answer.volume.path, sizeof(ret_image->path));
    }
    return r;
}

/* Whether the thin volume is there and over this image: 0 for yes, -ENOENT for none, -ESTALE for another. */
static int check_overlay(struct virt_op *op, virConnectPtr connection, const struct image *image)
{
    char format[16], backing[VIRT_PATH_BYTES];
    virStorageVolPtr volume = NULL;
    int r = virt_volume_find(op, connection, op->volume, &volume);

    if (r < 0)
        return r;
    r = parse_volume(op, connection, volume, format, backing);
    if (r == -EINVAL || (r == 0 && (strcmp(format, "qcow2") != 0 || strcmp(backing, image->path) != 0)))
        r = -ESTALE;
    if (r == 0)
        r = virt_volume_read(op, connection, volume);
    virStorageVolFree(volume);
    return r;
}

static int perform_overlay(struct virt_op *op, struct _virConnect *connection)
{
    struct image image = {0};
    int r = find_image(op, connection, &image);

    if (r < 0)
        return r;
    r = check_overlay(op, connection, &image);
    if (r == -ESTALE) {
        /* Its name holds a random uuid, so it is ours, and half made: libvirtd died over it. */
        r = delete_volume(op, connection, op->volume);
        r = r < 0 ? r : -ENOENT;
    }
    if (r != -ENOENT)
        return r;
    return create_volume(op, connection,
                         virt_xml_build_overlay(op->volume, image.capacity_bytes, image.path, image.format));
}

int virt_volume_submit(struct virt_op *op)
{
    char key[WORKER_KEY_BYTES];

    if (!op)
        return -ENOMEM;
    snprintf(key, sizeof(key), "%.*s", WORKER_KEY_BYTES - 1, op->volume);
    return virt_op_submit(op, WORKER_NORMAL, key);
}

static int submit_gone(struct virt_op *op)
{
    char key[WORKER_KEY_BYTES];

    if (!op)
        return -ENOMEM;
    snprintf(key, sizeof(key), "%.*s", WORKER_KEY_BYTES - 1, op->volume);
    /* What waits would make it after this call, and only a kilnd that lives until then would hear of it. */
    (void)worker_cancel(op->virt->worker, key);
    return virt_op_submit_destroy(op, WORKER_APART, key);
}

int virt_ensure_overlay(struct virt *virt, const char *uuid, const char *image, virt_answer_fn *answered,
                        void *arg)
{
    struct virt_op *op = virt_op_create(virt, answered, arg, perform_overlay);

    if (op) {
        domain_xml_overlay_name(uuid, op->volume);
        (void)virt_copy(op->drive, sizeof(op->drive), image);
    }
    return virt_volume_submit(op);
}

int virt_overlay_gone(struct virt *virt, const char *uuid, virt_answer_fn *answered, void *arg)
{
    struct virt_op *op = virt_op_create(virt, answered, arg, perform_gone);

    if (op)
        domain_xml_overlay_name(uuid, op->volume);
    return submit_gone(op);
}

/* --- drives --- */

static int perform_drive(struct virt_op *op, struct _virConnect *connection)
{
    virStorageVolPtr volume = NULL;
    int r = virt_volume_find(op, connection, op->volume, &volume);

    if (r == -ENOENT)
        return create_volume(op, connection, virt_xml_build_drive_volume(op->volume, op->size_bytes));
    if (r < 0)
        return r;
    r = virt_volume_read(op, connection, volume);
    virStorageVolFree(volume);
    if (r == 0 && op->answer.volume.capacity_bytes != op->size_bytes)
        r = virt_op_refuse(op, -EEXIST, "the drive's volume exists with another size");
    return r;
}

int virt_ensure_drive(struct virt *virt, const char *drive, uint64_t size_bytes, virt_answer_fn *answered,
                      void *arg)
{
    struct virt_op *op = virt_op_create(virt, answered, arg, perform_drive);

    if (op) {
        domain_xml_drive_name(drive, op->volume);
        op->size_bytes = size_bytes;
    }
    return virt_volume_submit(op);
}

int virt_drive_gone(struct virt *virt, const char *drive, virt_answer_fn *answered, void *arg)
{
    struct virt_op *op = virt_op_create(virt, answered, arg, perform_gone);

    if (op)
        domain_xml_drive_name(drive, op->volume);
    return virt_volume_submit(op);
}
