/*
 * A VM as libvirt's XML: the domain, a hot-attached disk, and what of them is read back.
 *
 * In: specifications. Out: XML, escaped. Pure: no libvirt, no I/O. Kept: nothing.
 */
#ifndef KILN_CORE_DOMAIN_XML_H
#define KILN_CORE_DOMAIN_XML_H

#include "src/core/virt.h"

#include <stdbool.h>
#include <stddef.h>

#define KILN_METADATA_URI "urn:kiln:vm:1"
#define KILN_METADATA_PREFIX "kiln"
#define KILN_FILTER_NAME "kiln-vm"

/* What the host adds to a VM's specification. */
struct domain_xml_host {
    bool kvm;
    const char *pool; /* holds every volume */
    const char *network;
    const char *address; /* of the host in that network */
    unsigned guest_port;
    const char *kernel_path; /* NULL: no direct kernel boot */
    const char *initrd_path; /* NULL: none */
};

/* Returns the domain's XML, which the caller frees; NULL without memory. */
char *domain_xml_build(const struct virt_vm_spec *spec, const struct domain_xml_host *host);

/* Name of the VM's thin volume, and of its domain. */
void domain_xml_overlay_name(const char *uuid, char ret_name[static VIRT_NAME_BYTES]);
void domain_xml_domain_name(const char *uuid, char ret_name[static VIRT_NAME_BYTES]);

/* Name of a drive's volume. */
void domain_xml_drive_name(const char *drive, char ret_name[static VIRT_NAME_BYTES]);

/* XML of a drive's disk; `target` is a device name that is free in the domain ("sdb"). The caller frees
 * it. */
char *domain_xml_build_drive(const char *pool, const char *drive, const char *target, bool readonly);

/* Reads the attributes of a Kiln metadata element as libvirt gives it back. Returns 0, or -EBADMSG when it is
 * not one. */
int domain_xml_parse_metadata(const char *element, struct virt_domain_info *ret_info);

/* Finds the disks of a live domain's XML that carry a serial, at most `max`. Returns how many. */
size_t domain_xml_parse_serials(const char *xml, char (*ret_serials)[VIRT_SERIAL_BYTES], size_t max);

/* The disk element that carries this serial, as text to detach it by; the caller frees it. NULL when there is
 * none. */
char *domain_xml_find_drive(const char *xml, const char *serial);

/* The first of sdb..sdz, sdaa.. that no disk of the XML uses. */
void domain_xml_free_target(const char *xml, char ret_target[static 8]);

#endif
