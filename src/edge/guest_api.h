/*
 * Guest API: what the guest listener serves (protocol/README.md section 4). In: requests of VMs. Out: files
 * of the release folder; guest.register and guest.token to kilnd; links and waiting channels. Nothing is
 * kept.
 */
#ifndef KILN_EDGE_GUEST_API_H
#define KILN_EDGE_GUEST_API_H

#include "src/io/http_server.h"

extern const struct http_route guest_routes[];
extern const size_t nguest_routes;

#endif
