/*
 * kiln-connect: the key of a drive, for those that hand it to a VM.
 */
#ifndef KILN_CLI_CONNECT_DRIVE_H
#define KILN_CLI_CONNECT_DRIVE_H

#include "protocol/envelope.h"
#include "src/cli/connect.h"

/* Opens the user's own envelope of DRIVE (as GET /v1/drives/<id> gives it). The caller wipes the key. */
int connect_drive_key(struct connect *connect, const struct json *drive, uint8_t ret_key[ENVELOPE_KEY_BYTES]);

#endif
