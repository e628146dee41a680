/*
 * Address: see address.h (getifaddrs(3)).
 */
#include "guest/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

static bool format(const struct sockaddr *address, char out[REGISTER_ADDRESS_BYTES])
{
    if (address->sa_family == AF_INET)
        return inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, out,
                         REGISTER_ADDRESS_BYTES);
    if (address->sa_family != AF_INET6)
        return false;
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    return !IN6_IS_ADDR_LINKLOCAL(six) && inet_ntop(AF_INET6, six, out, REGISTER_ADDRESS_BYTES);
}

size_t address_list(char (*ret_addresses)[REGISTER_ADDRESS_BYTES], size_t max)
{
    struct ifaddrs *all;
    size_t count = 0;
    if (getifaddrs(&all) < 0)
        return 0;
    for (const struct ifaddrs *one = all; one != NULL && count < max; one = one->ifa_next)
        if (one->ifa_addr != NULL && !(one->ifa_flags & IFF_LOOPBACK) &&
            format(one->ifa_addr, ret_addresses[count]))
            count++;
    freeifaddrs(all);
    return count;
}
