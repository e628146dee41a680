/*
 * edge.sock in the simulator: the server's side is src/io/rpc_socket.h, here is the edge's.
 *
 * In and out: messages, in order, each after a while. Kept: the one connection. A process that dies ends it.
 */
#ifndef KILN_TESTS_SIM_FALSE_SOCKET_H
#define KILN_TESTS_SIM_FALSE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

void false_socket_begin(void);
/* Whether kilnd took the connection. */
bool false_socket_connect(void);
void false_socket_send(const char *text, size_t len);
/* The edge's end is closed. */
void false_socket_close(void);

#endif
