/*
 * kiln-edge in the simulator: what it does, without its sockets. It speaks with the real edge_link.c of kilnd
 * in JSON-RPC over false_socket.h, and with guests over false_net.h.
 *
 * In: guests' connections and registrations, owners who come and go, kilnd's words. Out: the same, passed on.
 * Kept: links, relays of channels and bridges, in memory.
 */
#ifndef KILN_TESTS_SIM_EDGE_H
#define KILN_TESTS_SIM_EDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct box;
struct loop;

void edge_begin(void);
void edge_end(void);
/* It dies, and starts again after DOWN_US. */
void edge_crash(int64_t down_us);
bool edge_up(void);
/* kilnd has answered its hello. */
bool edge_greeted(void);
/* NULL while it is down. */
struct loop *edge_loop(void);

/* From false_socket.c: a message of kilnd's; kilnd hung up. */
void edge_hear(const char *text, size_t len);
void edge_hung_up(void);

/* From false_net.c: what guests ask for. */
void edge_wire_connect(uint64_t wire, const char *uuid, const char *token);
void edge_wire_data(uint64_t wire, const void *bytes, size_t len);
void edge_wire_closed(uint64_t wire);
void edge_register(uint64_t call, const char *body, size_t len);
/* Of this VM it says the next time that kilnd knows of no registration; and takes none when REFUSES. */
void edge_lie(const uint8_t id[16], bool refuses);
/* The guest is gone: what was relayed to it ends. */
void edge_guest_gone(const uint8_t id[16]);

/* An owner wants a channel to the VM: soon there is one, if all agree. */
void edge_channel_open(const uint8_t id[16], const uint8_t owner[32]);
void edge_channel_close(uint64_t relay);
/* Every channel of the VM's owner ends. */
void edge_channels_leave(const uint8_t id[16]);
unsigned edge_channels(const uint8_t id[16]);
/* An owner wants a bridge; one of them ends. */
void edge_bridge_open(const uint8_t id[16], const uint8_t owner[32]);
void edge_bridge_close(const uint8_t id[16]);
unsigned edge_bridges(const uint8_t id[16]);

#endif
