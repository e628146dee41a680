/*
 * Bridges: SSH bridges (protocol/README.md section 9): a ticket's line, then bytes both ways through the
 * kernel. In: TCP connections. Out: connections to port 22 of VMs; relay.opened, relay.closed. Kept: open
 * bridges.
 */
#ifndef KILN_EDGE_BRIDGES_H
#define KILN_EDGE_BRIDGES_H

#include <stddef.h>
#include <stdint.h>

struct bridges;
struct edge;
struct json_writer;

#define BRIDGES_MAX 1024 /* as many as kilnd takes in a hello */
/* Connections that have shown no good ticket yet, and what those hold: a descriptor and no TLS. */
#define BRIDGES_OPENING_MAX 512
#define BRIDGES_OPENING_PER_ADDRESS_MAX 32

/* Listens on ADDRESS ("host:port"). */
int bridges_open(struct edge *edge, const char *address, struct bridges **ret_bridges);
void bridges_close(struct bridges *bridges);
uint16_t bridges_port(const struct bridges *bridges);

void bridges_close_vm(struct bridges *bridges, const char *vm);
/* Writes {relay, vm, kind} of each open bridge into an open array. */
void bridges_write(const struct bridges *bridges, struct json_writer *out);

#endif
