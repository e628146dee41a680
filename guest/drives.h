/*
 * Drives: what an owner asked of a drive, until it is done (drives.c performs it).
 */
#ifndef KILN_GUEST_DRIVES_H
#define KILN_GUEST_DRIVES_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/machine.h"

struct controller;
struct rpc_request;

/* Notes what is asked of a drive; the caller then puts the key into the controller's secrets at the slot
 * returned, and tells the machine. -1 when the drive is being unlocked already. REQUEST (taken) is answered
 * when it is done. */
int drives_ask(struct controller *controller, const uint8_t id[GUEST_ID_LEN], bool format,
               struct rpc_request *request);
/* The machine refused: forgets the ask and wipes its key; the request is the caller's again. */
void drives_forget(struct controller *controller, int slot);

#endif
