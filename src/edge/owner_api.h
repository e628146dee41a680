/*
 * Owner API: what the owner listener serves (protocol/README.md section 8). In: requests of people. Out: web
 * files; requests passed whole to kilnd, which alone understands them; channels and readers of events.
 * Nothing is kept.
 */
#ifndef KILN_EDGE_OWNER_API_H
#define KILN_EDGE_OWNER_API_H

#include "src/io/http_server.h"

extern const struct http_route owner_routes_http[];
extern const size_t nowner_routes_http;
/* Lines for every answer of the owner listener: what a browser may do with it. */
extern const char owner_headers[];

#endif
