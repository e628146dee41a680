/*
 * Network: see network.h.
 */
#include "src/core/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"

enum { FIRST_HOST = 1, FIRST_VM = 10, PREFIX_MIN = 8, PREFIX_MAX = 28 };

/* The subnet's lowest and highest address, as numbers. */
static int subnet_parse(const char *subnet, uint32_t *ret_low, uint32_t *ret_high)
{
    char text[32];
    struct in_addr address;
    const char *slash = strchr(subnet, '/');
    if (!slash || (size_t)(slash - subnet) >= sizeof text)
        return -EINVAL;
    memcpy(text, subnet, (size_t)(slash - subnet));
    text[slash - subnet] = 0;
    char *end;
    long prefix = strtol(slash + 1, &end, 10);
    if (inet_pton(AF_INET, text, &address) != 1 || *end || end == slash + 1 || prefix < PREFIX_MIN ||
        prefix > PREFIX_MAX)
        return -EINVAL;
    uint32_t mask = ~(UINT32_MAX >> prefix);
    *ret_low = ntohl(address.s_addr) & mask;
    *ret_high = *ret_low | ~mask;
    return 0;
}

static void dotted(uint32_t address, char ret_text[static 16])
{
    snprintf(ret_text, 16, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
             address & 255);
}

int network_host(const struct config *config, char ret_address[static 16], char ret_netmask[static 16])
{
    uint32_t low, high;
    int rc = subnet_parse(config->network.subnet, &low, &high);
    if (rc)
        return rc;
    dotted(low + FIRST_HOST, ret_address);
    dotted(~(high - low), ret_netmask);
    return 0;
}

void network_mac(const uint8_t ipv4[static 4], uint8_t ret_mac[static 6])
{
    const uint8_t qemu[3] = {0x52, 0x54, 0x00};
    memcpy(ret_mac, qemu, sizeof qemu);
    memcpy(ret_mac + sizeof qemu, ipv4 + 1, 3);
}

void network_mac_format(const uint8_t mac[static 6], char ret_text[static NETWORK_MAC_BYTES])
{
    snprintf(ret_text, NETWORK_MAC_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
}

bool network_has_address(const struct vm *vm)
{
    return !(vm->gone & VM_GONE_NETWORK);
}

/* ---- which are taken ---- */

/* The place of an address in the subnet, from the tenth on; SIZE_MAX: it is none of it. */
static size_t place(const struct network *network, const uint8_t ipv4[static 4])
{
    uint32_t address = wire_get_u32(ipv4);
    bool is_ours = address >= network->first && address - network->first < network->room;
    return is_ours ? address - network->first : SIZE_MAX;
}

int network_init(struct network *network, const struct config *config)
{
    uint32_t low, high;
    int rc = subnet_parse(config->network.subnet, &low, &high);
    if (!rc)
        *network = (struct network){.first = low + FIRST_VM, .room = high - low - FIRST_VM};
    return rc;
}

void network_finish(struct network *network)
{
    free(network->holders);
    *network = (struct network){0};
}

int network_hold(struct network *network, const uint8_t ipv4[static 4])
{
    size_t at = place(network, ipv4);
    if (at == SIZE_MAX)
        return 0;
    if (at >= network->count) {
        size_t count = (at + 1) * 2 < network->room ? (at + 1) * 2 : network->room;
        uint32_t *holders = realloc(network->holders, count * sizeof *holders);
        if (!holders)
            return -ENOMEM;
        memset(holders + network->count, 0, (count - network->count) * sizeof *holders);
        network->holders = holders;
        network->count = count;
    }
    network->holders[at]++;
    return 0;
}

void network_release(struct network *network, const uint8_t ipv4[static 4])
{
    size_t at = place(network, ipv4);
    if (at >= network->count || network->holders[at] == 0)
        return;
    network->holders[at]--;
    if (at < network->lowest)
        network->lowest = at;
}

bool network_is_shared(const struct network *network, const uint8_t ipv4[static 4])
{
    size_t at = place(network, ipv4);
    return at < network->count && network->holders[at] > 1;
}

int network_address(struct network *network, uint8_t ret_ipv4[static 4])
{
    while (network->lowest < network->count && network->holders[network->lowest])
        network->lowest++;
    if (network->lowest == network->room)
        return -EADDRNOTAVAIL;
    wire_put_u32(ret_ipv4, network->first + (uint32_t)network->lowest);
    return 0;
}
