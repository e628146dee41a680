/*
 * Network: which address is whose, worked out from the configuration's subnet and the records of VMs.
 * In: configuration, records. Out: addresses. Kept: nothing.
 */
#ifndef KILN_CORE_NETWORK_H
#define KILN_CORE_NETWORK_H

#include "src/core/core.h"

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

/* The lowest address that no VM has, from the subnet's tenth on. -EADDRNOTAVAIL */
int network_address(const struct core *core, uint8_t ret_ipv4[static 4]);

#endif
