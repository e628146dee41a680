/*
 * Inside of the simulator's edge, for edge*.c only.
 */
#ifndef KILN_TESTS_SIM_EDGE_PRIVATE_H
#define KILN_TESTS_SIM_EDGE_PRIVATE_H

#include "protocol/json_write.h"
#include "protocol/text.h"
#include "tests/sim/edge.h"

enum { EDGE_LINKS = 64, EDGE_RELAYS = 64 };

/* A guest's link, or one whose token is being looked at (number 0). */
struct link {
    uint64_t wire, number;
    char uuid[UUID_TEXT_BYTES];
};

struct relay {
    uint64_t number;
    bool bridge;
    uint8_t id[16];
};

struct edge {
    struct loop *loop;     /* owned; NULL while it is down */
    struct rpc_peer *peer; /* owned; to kilnd */
    bool greeted;
    struct link links[EDGE_LINKS];
    size_t nlinks;
    struct relay relays[EDGE_RELAYS];
    size_t nrelays;
    uint64_t last_link, last_relay;
    char unknown[UUID_TEXT_BYTES], refused[UUID_TEXT_BYTES]; /* the VM lied to next; "": none */
};

extern struct edge edge;

/* edge.c */
struct link *edge_link_find(uint64_t number);
void edge_link_drop(struct link *link);
void edge_links_close(void);
/* Relays of a VM (of all with NULL) end. */
void edge_relays_drop(const uint8_t *id, bool channels, bool bridges);
void edge_relay_write(struct json_writer *params, const struct relay *relay);

#endif
