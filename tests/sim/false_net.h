/*
 * The network between guests and the edge: WebSockets and requests without sockets. The guest's side is
 * src/io/ws.h and src/io/http_client.h, here is the edge's.
 *
 * In and out: messages, in order on each connection, each after a while. Kept: connections, by number.
 */
#ifndef KILN_TESTS_SIM_FALSE_NET_H
#define KILN_TESTS_SIM_FALSE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/code.h"

/* What befalls the next message of a guest's link; of the last two the link, which is cut, and the edge lies
 * once when it is opened again: that kilnd knows of no registration, and that it takes none. */
enum false_net_fault {
    NET_GOOD,
    NET_LOST,
    NET_TWICE,
    NET_BENT,
    NET_CUT,
    NET_UNKNOWN,
    NET_REFUSED,
    NET_FAULT_COUNT
};

void false_net_begin(void);
void false_net_end(void);
/* In the newest connection of a VM's guest. */
void false_net_fault(const uint8_t id[16], enum false_net_fault fault);

/* From now on connections that guests close are dead: a whole guest went, and the edge sees it by silence. */
void false_net_abrupt(bool abrupt);

/* From the edge. A connection that is gone is left alone. */
void false_net_accept(uint64_t wire);
void false_net_refuse(uint64_t wire, enum kiln_code code);
void false_net_send(uint64_t wire, const void *bytes, size_t len);
void false_net_close(uint64_t wire);
void false_net_answer(uint64_t call, int http_status, const char *body, size_t len);

#endif
