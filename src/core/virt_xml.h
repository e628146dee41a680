/*
 * What VMs stand on, as libvirt's XML: pool, network, filter, volumes, a pinned address.
 *
 * In: the configuration and names. Out: XML, escaped, that the caller frees; NULL without memory. Pure.
 */
#ifndef KILN_CORE_VIRT_XML_H
#define KILN_CORE_VIRT_XML_H

#include "src/core/virt.h"

char *virt_xml_build_pool(const struct virt_config *config);

/* Isolated: no <forward>, no DNS, DHCP only for pinned addresses, no IPv6. */
char *virt_xml_build_network(const struct virt_config *config);

/* Whether a network's XML is one as we would make it: same bridge, same address of the host. */
bool virt_xml_network_fits(const char *xml, const struct virt_config *config);

/* R29, once for all VMs; `uuid` is that of the filter which it replaces, or NULL. Its parameters are IP (and
 * MAC, from libvirt), KILN_HOST and KILN_PORT. */
char *virt_xml_build_filter(const char *uuid);

/* `image_format` is "raw" or "qcow2". */
char *virt_xml_build_overlay(const char *name, uint64_t capacity_bytes, const char *image_path,
                             const char *image_format);
char *virt_xml_build_drive_volume(const char *name, uint64_t size_bytes);

/* Format of a volume ("raw", "qcow2"), and path of the volume under it ("" for none), from a volume's XML.
 * Returns 0 or -EBADMSG. */
int virt_xml_parse_volume(const char *xml, char ret_format[static 16],
                          char ret_backing[static VIRT_PATH_BYTES]);

char *virt_xml_build_host(const char *mac, const char *address);

/* Finds the pinned address of a MAC, or the MAC of an address, in a network's XML: `attribute` is "mac" or
 * "ip", and so is `wanted`. Returns whether there is one. */
bool virt_xml_find_host(const char *xml, const char *attribute, const char *value, const char *wanted,
                        char ret_value[static 18]);

#endif
