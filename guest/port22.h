/*
 * Port 22: holds the VM's only reachable port from the controller's first second (R4).
 * In: connections. Out: before the gate is open they are closed at once, after it handed on. Kept: the
 * listening socket.
 */
#ifndef KILN_GUEST_PORT22_H
#define KILN_GUEST_PORT22_H

#include <stdbool.h>
#include <stdint.h>

#define PORT22_NUMBER 22
#define PORT22_HOLDER_MAX 96

struct loop;
struct port22;

/* Listens on PORT of every address. FN gets each connection while the gate is open and owns its descriptor.
 * -EADDRINUSE: HOLDER says who has the port, as in "sshd pid 412"; other errnos of socket(2), bind(2),
 * listen(2). */
int port22_open(struct loop *loop, uint16_t port, void (*fn)(void *arg, int fd), void *arg,
                char holder[PORT22_HOLDER_MAX], struct port22 **ret_port22);
void port22_set_gate(struct port22 *port22, bool open);
/* NULL does nothing. */
void port22_close(struct port22 *port22);

/* Names the process that listens on PORT; "an unknown process" when it cannot be found. */
void port22_find_holder(uint16_t port, char ret_holder[PORT22_HOLDER_MAX]);

#endif
