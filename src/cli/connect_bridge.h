/*
 * kiln-connect: the SSH bridge (protocol/README 9): a ticket, and bytes between it and our standard streams.
 */
#ifndef KILN_CLI_CONNECT_BRIDGE_H
#define KILN_CLI_CONNECT_BRIDGE_H

#include "protocol/bridge_line.h"
#include "src/cli/connect.h"

struct connect_ticket {
    uint8_t ticket[BRIDGE_TICKET_BYTES]; /* good for one connection, soon */
    char host[CONNECT_HOST_BYTES];
    char port[8];
};

/* Asks for a ticket for the VM with that id. */
int connect_ticket_ask(struct connect *connect, const char *vm_id, struct connect_ticket *ret_ticket);
/* One line of text that connect_ticket_read reads. */
int connect_ticket_write(const struct connect_ticket *ticket, const char *path);
/* Reads such a file and removes it. */
int connect_ticket_read(const char *path, struct connect_ticket *ret_ticket);
/* Opens the bridge and passes bytes until both directions have ended. */
int connect_bridge_run(const struct connect_ticket *ticket);

#endif
