/*
 * LUKS: LUKS2 containers through libcryptsetup. The drive key is 32 random bytes, so the key derivation is
 * PBKDF2 at its minimum: nothing memory-hard is needed, and a small guest could not afford it. In: device
 * paths, names, keys (borrowed, in the caller's locked memory). Out: containers made, opened, closed. Kept:
 * nothing. Blocks; for the job thread.
 *
 * A container that is being made carries the label "kiln-making" until luks_finish_making, so that one cut
 * off half way is known for what it is: without data, free to be made again on the owner's word.
 */
#ifndef KILN_GUEST_LUKS_H
#define KILN_GUEST_LUKS_H

#include <stdbool.h>
#include <stdint.h>

#define LUKS_KEY_LEN 32
#define LUKS_SAID_MAX 160

/* Writes a new LUKS2 header to DEVICE and what was there is lost: the caller has probed it. -EIO and others,
 * SAID then holding libcryptsetup's words. */
int luks_make(const char *device, const uint8_t key[LUKS_KEY_LEN], char said[LUKS_SAID_MAX]);
/* What luks_make began is whole now: the file system is there. */
int luks_finish_making(const char *device, char said[LUKS_SAID_MAX]);
/* 1 when DEVICE is a container whose making was cut off, 0 when not, or a negative errno. */
int luks_is_half_made(const char *device);

/* Opens DEVICE as /dev/mapper/NAME. -EPERM the key is not this container's; -EBADMSG its header names another
 * cipher or key derivation than luks_make writes, for the data or for any slot; -EBUSY, -EEXIST. */
int luks_open(const char *device, const char *name, const uint8_t key[LUKS_KEY_LEN], bool readonly,
              char said[LUKS_SAID_MAX]);
int luks_close(const char *name);
/* Whether /dev/mapper/NAME is open now. */
bool luks_is_open(const char *name);
/* 0 when KEY opens DEVICE, without opening it; -EPERM, -EBADMSG as luks_open. */
int luks_check_key(const char *device, const uint8_t key[LUKS_KEY_LEN], char said[LUKS_SAID_MAX]);

#endif
