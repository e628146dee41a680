/*
 * Drives in a running domain: attached by serial, found by serial.
 */
#include "src/core/domain_xml.h"
#include "src/core/virt_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>

void virt_drive_serial(const char *drive, char ret_serial[static VIRT_SERIAL_BYTES])
{
    size_t len = 0;

    for (; *drive && len < VIRT_SERIAL_BYTES - 1; drive++) {
        if (*drive != '-')
            ret_serial[len++] = *drive;
    }
    ret_serial[len] = '\0';
}

/* A reference to our domain and its XML of now, which the caller frees. */
static int read_xml(struct virt_op *op, virConnectPtr connection, virDomainPtr *ret_domain, char **ret_xml)
{
    virDomainPtr domain = NULL;
    char *xml;
    int r = virt_domain_find(op, connection, &domain, &op->answer.domain);

    if (r < 0)
        return r;
    xml = virDomainGetXMLDesc(domain, 0);
    if (!xml) {
        r = virt_op_fail(op, connection, "cannot read the domain");
        virDomainFree(domain);
        return r;
    }
    *ret_domain = domain;
    *ret_xml = xml;
    return 0;
}

static int attach(struct virt_op *op, virConnectPtr connection, virDomainPtr domain, const char *domain_xml)
{
    char target[8];
    char *xml;
    int r = 0;

    domain_xml_free_target(domain_xml, target);
    xml = domain_xml_build_drive(op->virt->config.pool, op->drive, target, op->readonly);
    if (!xml)
        return virt_op_refuse(op, -ENOMEM, "out of memory");
    if (virDomainAttachDeviceFlags(domain, xml, VIR_DOMAIN_AFFECT_LIVE) < 0)
        r = virt_op_fail(op, connection, "cannot attach the drive");
    free(xml);
    return r;
}

static int perform_attach(struct virt_op *op, struct _virConnect *connection)
{
    char serial[VIRT_SERIAL_BYTES];
    char *xml = NULL, *disk;
    virDomainPtr domain = NULL;
    int r = read_xml(op, connection, &domain, &xml);

    if (r < 0)
        return r;
    virt_drive_serial(op->drive, serial);
    disk = domain_xml_find_drive(xml, serial);
    if (!disk)
        r = attach(op, connection, domain, xml);
    else if (op->readonly != (strstr(disk, "<readonly/>") != NULL))
        r = virt_op_refuse(op, -EEXIST, "the drive is attached in the other mode");
    free(disk);
    free(xml);
    virDomainFree(domain);
    return r;
}

static int detach(struct virt_op *op, virConnectPtr connection, virDomainPtr domain, const char *disk)
{
    char serial[VIRT_SERIAL_BYTES];
    char *xml, *left;
    int r;

    if (virDomainDetachDeviceFlags(domain, disk, VIR_DOMAIN_AFFECT_LIVE) < 0)
        return virt_op_fail(op, connection, "cannot detach the drive");
    /* libvirt asks the guest, waits for some seconds, and says success either way. */
    xml = virDomainGetXMLDesc(domain, 0);
    if (!xml)
        return virt_op_fail(op, connection, "cannot read the domain");
    virt_drive_serial(op->drive, serial);
    left = domain_xml_find_drive(xml, serial);
    r = left ? virt_op_refuse(op, -EBUSY, "the guest has not let go of the drive") : 0;
    free(left);
    free(xml);
    return r;
}

static int perform_detach(struct virt_op *op, struct _virConnect *connection)
{
    char serial[VIRT_SERIAL_BYTES];
    char *xml = NULL, *disk;
    virDomainPtr domain = NULL;
    int r = read_xml(op, connection, &domain, &xml);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    virt_drive_serial(op->drive, serial);
    disk = domain_xml_find_drive(xml, serial);
    if (disk)
        r = detach(op, connection, domain, disk);
    free(disk);
    free(xml);
    virDomainFree(domain);
    return r;
}

static int perform_list(struct virt_op *op, struct _virConnect *connection)
{
    virDomainPtr domain = NULL;
    char *xml = NULL;
    int r = read_xml(op, connection, &domain, &xml);

    if (r < 0)
        return r;
    op->answer.nserials = domain_xml_parse_serials(xml, op->serials, VIRT_SERIALS);
    free(xml);
    virDomainFree(domain);
    return 0;
}

static int submit(struct virt *virt, const char *uuid, const char *drive, bool readonly,
                  virt_answer_fn *answered, void *arg,
                  int (*perform)(struct virt_op *op, struct _virConnect *connection))
{
    struct virt_op *op = virt_op_create(virt, answered, arg, perform);

    if (op) {
        (void)virt_copy(op->spec.uuid, sizeof(op->spec.uuid), uuid);
        (void)virt_copy(op->drive, sizeof(op->drive), drive);
        op->readonly = readonly;
    }
    return virt_op_submit(op, WORKER_NORMAL, uuid);
}

int virt_ensure_attached(struct virt *virt, const char *uuid, const char *drive, bool readonly,
                         virt_answer_fn *answered, void *arg)
{
    return submit(virt, uuid, drive, readonly, answered, arg, perform_attach);
}

int virt_ensure_detached(struct virt *virt, const char *uuid, const char *drive, virt_answer_fn *answered,
                         void *arg)
{
    return submit(virt, uuid, drive, false, answered, arg, perform_detach);
}

int virt_drive_list(struct virt *virt, const char *uuid, virt_answer_fn *answered, void *arg)
{
    return submit(virt, uuid, NULL, false, answered, arg, perform_list);
}
