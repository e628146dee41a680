/*
 * Relays: an owner's channel WebSocket joined with one that the VM keeps waiting (protocol/README.md 4.3, 7).
 * In: accepted upgrades, binary messages. Out: the same messages at the other end; relay.opened,
 * relay.closed. Kept: waiting ends and joined pairs. At most RELAY_BUFFER_BYTES wait for an end before its
 * sister is read no more.
 */
#ifndef KILN_EDGE_RELAYS_H
#define KILN_EDGE_RELAYS_H

#include <stddef.h>

struct edge;
struct http_request;
struct json_writer;
struct relays;

#define RELAY_BUFFER_BYTES 262144
#define RELAY_MESSAGE_MAX (65536 + 64) /* README 1.7 */
#define RELAY_WAITING_PER_VM_MAX                                                                             \
    8 /* the oldest makes room: a guest that came again left dead ones behind                                \
       */

int relays_create(struct edge *edge, struct relays **ret_relays);
void relays_destroy(struct relays *relays);

/* An upgrade by the guest of VM that kilnd has let in: it waits for an owner. The request is answered. */
void relays_accept_guest(struct relays *relays, struct http_request *request, const char *vm);
/* An upgrade by an owner whom kilnd lets to VM: joined with the newest end that waits, or NO_CHANNEL. */
void relays_accept_owner(struct relays *relays, struct http_request *request, const char *vm);
/* Ends every relay and waiting end of VM. */
void relays_close_vm(struct relays *relays, const char *vm);
/* Writes {relay, vm, kind} of each joined pair into an open array. */
void relays_write(const struct relays *relays, struct json_writer *out);
size_t relays_waiting(const struct relays *relays);

#endif
