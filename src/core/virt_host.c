/*
 * What VMs stand on: the pool, the network with its pinned addresses, the filter. Made when missing, started
 * when stopped, also by what needs them later; what exists and is another's is refused, never changed.
 */
#include "src/core/domain_xml.h"
#include "src/core/network.h"
#include "src/core/virt_private.h"
#include "src/core/virt_text.h"
#include "src/core/virt_xml.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>

static virStoragePoolPtr define_pool(struct virt_op *op, virConnectPtr connection)
{
    char *xml = virt_xml_build_pool(&op->virt->config);
    virStoragePoolPtr pool = xml ? virStoragePoolDefineXML(connection, xml, 0) : NULL;

    free(xml);
    /* Building a dir pool makes its folder; one that is there already is as good. */
    if (pool)
        (void)virStoragePoolBuild(pool, VIR_STORAGE_POOL_BUILD_NEW);
    return pool;
}

/* One that another of our threads has just started is started. */
int virt_pool_start(struct virt_op *op, struct _virConnect *connection, struct _virStoragePool *pool)
{
    if (virStoragePoolIsActive(pool) == 1 || virStoragePoolCreate(pool, 0) == 0)
        return 0;
    int r = virt_op_fail(op, connection, "cannot start the storage pool");
    return virStoragePoolIsActive(pool) == 1 ? 0 : r;
}

static int ensure_pool(struct virt_op *op, virConnectPtr connection)
{
    virStoragePoolPtr pool = virStoragePoolLookupByName(connection, op->virt->config.pool);
    int r = 0;

    if (!pool) {
        r = virt_op_fail(op, connection, "the storage pool");
        if (r != -ENOENT)
            return r;
        pool = define_pool(op, connection);
        if (!pool)
            return virt_op_fail(op, connection, "cannot define the storage pool");
    }
    r = virt_pool_start(op, connection, pool);
    /* A pool that comes back by itself after a reboot is a comfort; a driver that cannot do it is no
     * failure. */
    if (r == 0)
        (void)virStoragePoolSetAutostart(pool, 1);
    virStoragePoolFree(pool);
    return r;
}

static int check_network(struct virt_op *op, virConnectPtr connection, virNetworkPtr network)
{
    char *xml = virNetworkGetXMLDesc(network, 0);
    bool fits;

    if (!xml)
        return virt_op_fail(op, connection, "cannot read the network");
    fits = virt_xml_network_fits(xml, &op->virt->config);
    free(xml);
    return fits ? 0
                : virt_op_refuse(
                      op, -EEXIST,
                      "the network exists with another bridge, address or forwarding than configured");
}

static virNetworkPtr define_network(struct virt_op *op, virConnectPtr connection)
{
    char *xml = virt_xml_build_network(&op->virt->config);
    virNetworkPtr network = xml ? virNetworkDefineXML(connection, xml) : NULL;

    free(xml);
    return network;
}

static int start_network(struct virt_op *op, virConnectPtr connection, virNetworkPtr network)
{
    if (virNetworkIsActive(network) == 1 || virNetworkCreate(network) == 0)
        return 0;
    int r = virt_op_fail(op, connection, "cannot start the network");
    return virNetworkIsActive(network) == 1 ? 0 : r;
}

static int ensure_network(struct virt_op *op, virConnectPtr connection)
{
    virNetworkPtr network = virNetworkLookupByName(connection, op->virt->config.network);
    int r = 0;

    if (!network) {
        r = virt_op_fail(op, connection, "the network");
        if (r != -ENOENT)
            return r;
        network = define_network(op, connection);
        if (!network)
            return virt_op_fail(op, connection, "cannot define the network");
    }
    r = check_network(op, connection, network);
    if (r == 0)
        r = start_network(op, connection, network);
    if (r == 0)
        (void)virNetworkSetAutostart(network, 1);
    virNetworkFree(network);
    return r;
}

/* Defined anew each time: libvirt changes nothing when it is the same, and else brings every running VM up to
 * it. */
static int ensure_filter(struct virt_op *op, virConnectPtr connection)
{
    virNWFilterPtr filter = virNWFilterLookupByName(connection, KILN_FILTER_NAME);
    char uuid[VIR_UUID_STRING_BUFLEN];
    char *xml;
    int r;

    if (!filter) {
        r = virt_op_fail(op, connection, "the network filter");
        if (r != -ENOENT)
            return r;
    }
    xml = virt_xml_build_filter(filter && virNWFilterGetUUIDString(filter, uuid) == 0 ? uuid : NULL);
    if (filter)
        virNWFilterFree(filter);
    if (!xml)
        return virt_op_refuse(op, -ENOMEM, "out of memory");
    filter = virNWFilterDefineXML(connection, xml);
    free(xml);
    if (!filter)
        return virt_op_fail(op, connection, "cannot define the network filter");
    virNWFilterFree(filter);
    return 0;
}

static int perform_host(struct virt_op *op, struct _virConnect *connection)
{
    int r = ensure_pool(op, connection);

    r = r < 0 ? r : ensure_network(op, connection);
    return r < 0 ? r : ensure_filter(op, connection);
}

int virt_ensure_host(struct virt *virt, virt_answer_fn *answered, void *arg)
{
    return virt_op_submit(virt_op_create(virt, answered, arg, perform_host), WORKER_NORMAL, "host");
}

/* --- addresses --- */

static int update_hosts(struct virt_op *op, virConnectPtr connection, virNetworkPtr network, unsigned command,
                        const char *mac, const char *address)
{
    char *xml = virt_xml_build_host(mac, address);
    int r;

    if (!xml)
        return virt_op_refuse(op, -ENOMEM, "out of memory");
    /* Live only: a pin is worth nothing to anybody once the network has gone down with its VMs. */
    r = virNetworkUpdate(network, command, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, xml,
                         VIR_NETWORK_UPDATE_AFFECT_LIVE);
    free(xml);
    return r < 0 ? virt_op_fail(op, connection, "cannot change the network's addresses") : 0;
}

/* Takes away what pins this MAC or this address otherwise. Sets *ret_pinned when the pin is there as
 * wanted. */
static int clear_hosts(struct virt_op *op, virConnectPtr connection, virNetworkPtr network, bool *ret_pinned)
{
    const struct virt_vm_spec *spec = &op->spec;
    char address[18], mac[18];
    char *xml = virNetworkGetXMLDesc(network, 0);
    bool has_mac, has_address;
    int r = 0;

    if (!xml)
        return virt_op_fail(op, connection, "cannot read the network");
    has_mac = virt_xml_find_host(xml, "mac", spec->mac, "ip", address);
    has_address = virt_xml_find_host(xml, "ip", spec->address, "mac", mac);
    free(xml);
    *ret_pinned = has_mac && strcmp(address, spec->address) == 0;
    if (*ret_pinned)
        return 0;
    if (has_mac)
        r = update_hosts(op, connection, network, VIR_NETWORK_UPDATE_COMMAND_DELETE, spec->mac, address);
    if (r == 0 && has_address)
        r = update_hosts(op, connection, network, VIR_NETWORK_UPDATE_COMMAND_DELETE, mac, spec->address);
    return r;
}

static int perform_address(struct virt_op *op, struct _virConnect *connection)
{
    virNetworkPtr network = virNetworkLookupByName(connection, op->virt->config.network);
    bool pinned = false;
    int r;

    if (!network)
        return virt_op_fail(op, connection, "the network");
    r = start_network(op, connection, network);
    if (r == 0)
        r = clear_hosts(op, connection, network, &pinned);
    if (r == 0 && !pinned)
        r = update_hosts(op, connection, network, VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, op->spec.mac,
                         op->spec.address);
    virNetworkFree(network);
    return r;
}

static int perform_address_gone(struct virt_op *op, struct _virConnect *connection)
{
    virNetworkPtr network = virNetworkLookupByName(connection, op->virt->config.network);
    bool pinned = false;
    char *xml;
    char address[18];
    int r = 0;

    if (!network) {
        r = virt_op_fail(op, connection, "the network");
        return r == -ENOENT ? 0 : r;
    }
    xml = virNetworkGetXMLDesc(network, 0);
    if (!xml)
        r = virt_op_fail(op, connection, "cannot read the network");
    else
        pinned = virt_xml_find_host(xml, "mac", op->spec.mac, "ip", address);
    free(xml);
    if (pinned)
        r = update_hosts(op, connection, network, VIR_NETWORK_UPDATE_COMMAND_DELETE, op->spec.mac, address);
    virNetworkFree(network);
    return r;
}

static int compare_addresses(const void *a, const void *b)
{
    return memcmp(a, b, 4);
}

/* Whether Kiln pinned it, and for nobody who is there. */
static bool is_left(const struct virt_op *op, const char *mac, const char *address)
{
    uint8_t ipv4[4], ours[6];
    char text[NETWORK_MAC_BYTES];

    if (inet_pton(AF_INET, address, ipv4) != 1)
        return false;
    network_mac(ipv4, ours);
    network_mac_format(ours, text);
    return strcmp(mac, text) == 0 &&
           !(op->nheld && bsearch(ipv4, op->held, op->nheld, sizeof(*op->held), compare_addresses));
}

static int take_left_hosts(struct virt_op *op, virConnectPtr connection, virNetworkPtr network,
                           const char *xml)
{
    const char *host;
    char mac[18], address[18];
    int r = 0;

    while (r == 0 && (host = virt_text_element(xml, "host", &xml))) {
        if (virt_text_attribute(host, "mac", mac, sizeof(mac)) < 0 ||
            virt_text_attribute(host, "ip", address, sizeof(address)) < 0 || !is_left(op, mac, address))
            continue;
        r = update_hosts(op, connection, network, VIR_NETWORK_UPDATE_COMMAND_DELETE, mac, address);
        op->answer.ntaken += r == 0;
    }
    return r;
}

static int perform_addresses_keep(struct virt_op *op, struct _virConnect *connection)
{
    virNetworkPtr network = virNetworkLookupByName(connection, op->virt->config.network);
    char *xml;
    int r;

    if (!network)
        return virt_op_fail(op, connection, "the network");
    xml = virNetworkGetXMLDesc(network, 0);
    r = xml ? take_left_hosts(op, connection, network, xml)
            : virt_op_fail(op, connection, "cannot read the network");
    free(xml);
    virNetworkFree(network);
    return r;
}

/* All under one key: reading the pins and changing them is two calls, and libvirt would let another in
 * between. */
static const char address_key[] = "addresses";

static struct virt_op *create_address_op(struct virt *virt, const struct virt_vm_spec *spec,
                                         virt_answer_fn *answered, void *arg,
                                         int (*perform)(struct virt_op *op, struct _virConnect *connection))
{
    struct virt_op *op = virt_op_create(virt, answered, arg, perform);

    if (op)
        op->spec = *spec;
    return op;
}

int virt_ensure_address(struct virt *virt, const struct virt_vm_spec *spec, virt_answer_fn *answered,
                        void *arg)
{
    return virt_op_submit(create_address_op(virt, spec, answered, arg, perform_address), WORKER_NORMAL,
                          address_key);
}

int virt_address_gone(struct virt *virt, const struct virt_vm_spec *spec, virt_answer_fn *answered, void *arg)
{
    return virt_op_submit_destroy(create_address_op(virt, spec, answered, arg, perform_address_gone),
                                  WORKER_APART, address_key);
}

int virt_addresses_keep(struct virt *virt, uint8_t (*held)[4], size_t nheld, virt_answer_fn *answered,
                        void *arg)
{
    struct virt_op *op = virt_op_create(virt, answered, arg, perform_addresses_keep);

    if (!op) {
        free(held);
        return -ENOMEM;
    }
    if (nheld)
        qsort(held, nheld, sizeof(*held), compare_addresses);
    op->held = held;
    op->nheld = nheld;
    return virt_op_submit_destroy(op, WORKER_APART, address_key);
}
