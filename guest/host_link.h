/*
 * Host link: the authenticated JSON-RPC link between controller and kilnd (README 4.3, 4.4, 6.4).
 * In: the host's notifications. Out: LINK_UP, LINK_DOWN, HOST_UNREACHABLE, ASSIGNED, DRIVES_TOLD,
 * SHUTDOWN_ASKED, UPDATE_AVAILABLE, REGISTRATION_UNKNOWN (it is not tried again by itself then); reports.
 * Kept: one connection, opened again when it is lost.
 */
#ifndef KILN_GUEST_HOST_LINK_H
#define KILN_GUEST_HOST_LINK_H

#include "guest/host_told.h"
#include "src/io/rpc.h"

struct controller;
struct host_link;
struct json_writer;

int host_link_create(struct controller *controller, struct host_link **ret_link);
/* Unless open or being opened; keeps trying at growing intervals until it is. */
void host_link_open(struct host_link *link);
/* NULL does nothing. */
void host_link_destroy(struct host_link *link);

/* Sends a notification when the link is up; WRITER (its params) is finished in any case. Whether it was
 * sent. */
int host_link_notify(struct host_link *link, const char *method, struct json_writer *params);
struct controller *host_link_controller(struct host_link *link);
/* What the host was told on this connection; NULL while the link is down. */
struct host_told *host_link_told(struct host_link *link);

/* "Kiln-VM: ...\r\nAuthorization: ...\r\n" for both WebSockets. */
#define HOST_HEADERS_MAX 256
void host_link_headers(const struct controller *controller, char ret_headers[HOST_HEADERS_MAX]);

/* The host's methods; ARG is the link (host_methods.c). */

extern const struct rpc_method host_methods[];

#endif
