/*
 * kiln-connect: the key of a drive, for those that hand it to a VM.
 */
#ifndef KILN_CLI_CONNECT_DRIVE_H
#define KILN_CLI_CONNECT_DRIVE_H

#include "protocol/envelope.h"
#include "src/cli/connect.h"

/* Opens the user's own envelope of the drive ID; DRIVE is what GET /v1/drives/<id> gives. Unless the drive is
 * another user's and not NEW_USE of its key, the user must have signed it (README 10.1: ENVELOPE_WRONG).
 * NEW_USE: the drive is to be formatted, or its key sealed to somebody else. The caller wipes the key. */
int connect_drive_key(struct connect *connect, const struct json *drive, const char *id, bool new_use,
                      uint8_t ret_key[ENVELOPE_KEY_BYTES]);

#endif
