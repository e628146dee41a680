/*
 * Network: which address is whose, worked out from the configuration's subnet and the records of VMs.
 * In: configuration, records. Out: addresses. Kept: struct network: how many have each address.
 */
#ifndef KILN_CORE_NETWORK_H
#define KILN_CORE_NETWORK_H

#include "src/io/config.h"
#include "states/vm.h"

enum { NETWORK_MAC_BYTES = 18 }; /* its text, with the final zero */

/* The subnet of the configuration: the host's address (its first) and the mask, dotted IPv4. -EINVAL */
int network_host(const struct config *config, char ret_address[static 16], char ret_netmask[static 16]);

/* The MAC address that goes with an address: 52:54:00 and the last three bytes, of which a subnet has one
 * each. Whoever gets an address next has the same MAC address, so the lease that the one before left fits. */
void network_mac(const uint8_t ipv4[static 4], uint8_t ret_mac[static 6]);
/* Six pairs of lower case hex digits with colons between. */
void network_mac_format(const uint8_t mac[static 6], char ret_text[static NETWORK_MAC_BYTES]);

/* An address is a VM's until libvirt has taken it back. */
bool network_has_address(const struct vm *vm);

struct network {
    uint32_t first;    /* the subnet's tenth address, host order */
    size_t room;       /* addresses from there to the subnet's last but one */
    uint32_t *holders; /* owned: of the first COUNT addresses, how many have each */
    size_t count;
    size_t lowest; /* below it none is free */
};

/* -EINVAL */
int network_init(struct network *network, const struct config *config);
void network_finish(struct network *network);
/* A VM came that has this address (network_has_address), or a domain that has no record; or it goes, or gave
 * the address back. An address of another subnet changes nothing. -ENOMEM */
int network_hold(struct network *network, const uint8_t ipv4[static 4]);
void network_release(struct network *network, const uint8_t ipv4[static 4]);
/* Whether more than one has it. */
bool network_is_shared(const struct network *network, const uint8_t ipv4[static 4]);
/* The lowest address that nobody has, from the subnet's tenth on; not yet held. -EADDRNOTAVAIL */
int network_address(struct network *network, uint8_t ret_ipv4[static 4]);

#endif
