/*
 * The filter works on two floors. ebtables (mac, arp, ip rules) sees every frame of the VM and has the whole
 * of R29 but for one thing: it cannot tell an answer from port 22 from a connection that a guest begins at
 * its own port 22. That is what iptables' connection tracking adds (tcp, udp, all rules), on what the host
 * itself receives.
 */
#include "src/core/virt_xml.h"

#include "src/core/domain_xml.h"
#include "src/core/virt_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

char *virt_xml_build_pool(const struct virt_config *config)
{
    struct virt_text text;

    virt_text_begin(&text);
    virt_text_put(&text,
                  "<pool type='dir'>\n  <name>%s</name>\n  <target>\n    <path>%s</path>\n"
                  "    <permissions><mode>0711</mode></permissions>\n  </target>\n</pool>\n",
                  config->pool, config->pool_path);
    return virt_text_take(&text);
}

char *virt_xml_build_network(const struct virt_config *config)
{
    struct virt_text text;

    virt_text_begin(&text);
    virt_text_put(&text,
                  "<network>\n  <name>%s</name>\n  <bridge name='%s' stp='off' delay='0'/>\n"
                  "  <dns enable='no'/>\n",
                  config->network, config->bridge);
    virt_text_put(&text, "  <ip address='%s' netmask='%s'>\n    <dhcp>\n    </dhcp>\n  </ip>\n</network>\n",
                  config->host_address, config->netmask);
    return virt_text_take(&text);
}

bool virt_xml_network_fits(const char *xml, const struct virt_config *config)
{
    char bridge[sizeof(config->bridge)] = "", address[sizeof(config->host_address)] = "", forward[16];
    const char *element, *end;

    element = virt_text_element(xml, "bridge", &end);
    if (!element || virt_text_attribute(element, "name", bridge, sizeof(bridge)) < 0)
        return false;
    element = virt_text_element(xml, "ip", &end);
    if (!element || virt_text_attribute(element, "address", address, sizeof(address)) < 0)
        return false;
    element = virt_text_element(xml, "forward", &end);
    return strcmp(bridge, config->bridge) == 0 && strcmp(address, config->host_address) == 0 &&
           (!element || virt_text_attribute(element, "mode", forward, sizeof(forward)) < 0);
}

/* Frames: what leaves the VM has its addresses and goes to the host; what reaches it comes from the host. */
static const char filter_frames[] =
    "  <rule action='drop' direction='out' priority='-900'><mac match='no' srcmacaddr='$MAC'/></rule>\n"
    "  <rule action='accept' direction='out' priority='-800'>\n"
    "    <arp arpsrcmacaddr='$MAC' arpsrcipaddr='$IP' arpdstipaddr='$KILN_HOST'/></rule>\n"
    "  <rule action='accept' direction='in' priority='-800'>\n"
    "    <arp arpsrcipaddr='$KILN_HOST' arpdstipaddr='$IP'/></rule>\n"
    "  <rule action='accept' direction='out' priority='-700'>\n"
    "    <ip srcipaddr='0.0.0.0' dstipaddr='255.255.255.255' protocol='udp' srcportstart='68' "
    "dstportstart='67'/></rule>\n"
    "  <rule action='accept' direction='out' priority='-700'>\n"
    "    <ip srcipaddr='$IP' dstipaddr='$KILN_HOST' protocol='udp' srcportstart='68' "
    "dstportstart='67'/></rule>\n"
    "  <rule action='accept' direction='in' priority='-700'>\n"
    "    <ip srcipaddr='$KILN_HOST' protocol='udp' srcportstart='67' dstportstart='68'/></rule>\n"
    "  <rule action='accept' direction='out' priority='-600'>\n"
    "    <ip srcipaddr='$IP' dstipaddr='$KILN_HOST' protocol='tcp' dstportstart='$KILN_PORT'/></rule>\n"
    "  <rule action='accept' direction='in' priority='-600'>\n"
    "    <ip srcipaddr='$KILN_HOST' dstipaddr='$IP' protocol='tcp' srcportstart='$KILN_PORT'/></rule>\n"
    "  <rule action='accept' direction='in' priority='-500'>\n"
    "    <ip srcipaddr='$KILN_HOST' dstipaddr='$IP' protocol='tcp' dstportstart='22'/></rule>\n"
    "  <rule action='accept' direction='out' priority='-500'>\n"
    "    <ip srcipaddr='$IP' dstipaddr='$KILN_HOST' protocol='tcp' srcportstart='22'/></rule>\n"
    "  <rule action='drop' direction='inout' priority='-400'><mac/></rule>\n";

/* Connections: from the VM to the guest listener, from the host to port 22, each with its answers only. */
static const char filter_connections[] =
    "  <rule action='accept' direction='out' priority='100'>\n"
    "    <udp srcportstart='68' dstportstart='67' state='NONE'/></rule>\n"
    "  <rule action='accept' direction='in' priority='100'>\n"
    "    <udp srcportstart='67' dstportstart='68' state='NONE'/></rule>\n"
    "  <rule action='accept' direction='out' priority='200'>\n"
    "    <tcp srcipaddr='$IP' dstipaddr='$KILN_HOST' dstportstart='$KILN_PORT'/></rule>\n"
    "  <rule action='accept' direction='in' priority='300'>\n"
    "    <tcp srcipaddr='$KILN_HOST' dstipaddr='$IP' dstportstart='22'/></rule>\n"
    "  <rule action='drop' direction='inout' priority='1000'><all/></rule>\n";

char *virt_xml_build_filter(const char *uuid)
{
    struct virt_text text;

    virt_text_begin(&text);
    virt_text_put(&text, "<filter name='" KILN_FILTER_NAME "' chain='root'>\n");
    if (uuid)
        virt_text_put(&text, "  <uuid>%s</uuid>\n", uuid);
    virt_text_put(&text, filter_frames);
    virt_text_put(&text, filter_connections);
    virt_text_put(&text, "</filter>\n");
    return virt_text_take(&text);
}

char *virt_xml_build_overlay(const char *name, uint64_t capacity_bytes, const char *image_path,
                             const char *image_format)
{
    struct virt_text text;

    virt_text_begin(&text);
    virt_text_put(&text,
                  "<volume>\n  <name>%s</name>\n  <capacity unit='bytes'>%lu</capacity>\n"
                  "  <allocation unit='bytes'>0</allocation>\n",
                  name, (unsigned long)capacity_bytes);
    virt_text_put(&text, "  <target>\n    <format type='qcow2'/>\n"
                         "    <permissions><mode>0600</mode></permissions>\n  </target>\n");
    virt_text_put(&text,
                  "  <backingStore>\n    <path>%s</path>\n    <format type='%s'/>\n  </backingStore>\n"
                  "</volume>\n",
                  image_path, image_format);
    return virt_text_take(&text);
}

char *virt_xml_build_drive_volume(const char *name, uint64_t size_bytes)
{
    struct virt_text text;

    virt_text_begin(&text);
    virt_text_put(&text,
                  "<volume>\n  <name>%s</name>\n  <capacity unit='bytes'>%lu</capacity>\n"
                  "  <allocation unit='bytes'>0</allocation>\n",
                  name, (unsigned long)size_bytes);
    virt_text_put(&text, "  <target>\n    <format type='raw'/>\n"
                         "    <permissions><mode>0600</mode></permissions>\n  </target>\n</volume>\n");
    return virt_text_take(&text);
}

/* Copies the text of the first <path> of an element. */
static int parse_path(const char *element, const char *end, char ret_path[static VIRT_PATH_BYTES])
{
    const char *begin = memmem(element, (size_t)(end - element), "<path>", 6);
    size_t len = begin ? strcspn(begin + 6, "<") : 0;

    if (!begin || len >= VIRT_PATH_BYTES)
        return -EBADMSG;
    memcpy(ret_path, begin + 6, len);
    ret_path[len] = '\0';
    return 0;
}

int virt_xml_parse_volume(const char *xml, char ret_format[static 16],
                          char ret_backing[static VIRT_PATH_BYTES])
{
    char type[16], backing[VIRT_PATH_BYTES] = "";
    const char *target, *format, *below, *end, *format_end;

    target = virt_text_element(xml, "target", &end);
    format = target ? virt_text_element(target, "format", &format_end) : NULL;
    if (!format || format > end || virt_text_attribute(format, "type", type, sizeof(type)) < 0)
        return -EBADMSG;
    below = virt_text_element(xml, "backingStore", &end);
    if (below && parse_path(below, end, backing) < 0)
        return -EBADMSG;
    memcpy(ret_format, type, sizeof(type));
    memcpy(ret_backing, backing, sizeof(backing));
    return 0;
}

char *virt_xml_build_host(const char *mac, const char *address)
{
    struct virt_text text;

    virt_text_begin(&text);
    virt_text_put(&text, "<host mac='%s' ip='%s'/>", mac, address);
    return virt_text_take(&text);
}

bool virt_xml_find_host(const char *xml, const char *attribute, const char *value, const char *wanted,
                        char ret_value[static 18])
{
    const char *host, *end;
    char found[64];

    for (; (host = virt_text_element(xml, "host", &end)); xml = end) {
        if (virt_text_attribute(host, attribute, found, sizeof(found)) == 0 && strcmp(found, value) == 0)
            return virt_text_attribute(host, wanted, ret_value, 18) == 0;
    }
    return false;
}
