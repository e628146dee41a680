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

/* What befalls the next message of a guest's link. */
enum false_net_fault { NET_GOOD, NET_LOST, NET_TWICE, NET_BENT, NET_CUT };

void false_net_begin(void);
void false_net_end(void);
/* In the newest connection of a VM's guest. */
void false_net_fault(const uint8_t id[16], enum false_net_fault fault);

/* From now on connections that guests close are dead: a whole guest went, and the edge sees it by silence. */
void false_net_abrupt(bool abrupt);

/* From the edge. A connection that is gone is left alone. */
void false_net_accept(uint64_t wire);
void false_net_refuse(uint64_t wire, int http_status);
void false_net_send(uint64_t wire, const void *bytes, size_t len);
void false_net_close(uint64_t wire);
void false_net_answer(uint64_t call, int http_status, const char *body, size_t len);

#endif
