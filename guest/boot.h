/*
 * Boot data: what the host wrote into this machine's firmware (protocol/README.md section 3).
 * In: the root of a file system that has /sys. Out: a whole struct boot, or words saying what is wrong.
 * Kept: nothing.
 */
#ifndef KILN_GUEST_BOOT_H
#define KILN_GUEST_BOOT_H

#include <stdint.h>

#include "protocol/boot_data.h"
#include "protocol/register.h"

#define BOOT_ERROR_MAX 160

struct boot {
    struct boot_data data;
    uint8_t uuid[UUID_BYTES];
};

/* Reads the OEM strings and the UUID below SYSROOT ("" is the machine's own). -ENOENT something is missing,
 * -EINVAL something is malformed, else the errno of reading; ERROR then says which. */
int boot_read(const char *sysroot, struct boot *ret_boot, char error[BOOT_ERROR_MAX]);

/* Reads the boot secret into SECRET (locked memory of the caller). Errors as boot_read. */
int boot_read_secret(const char *sysroot, uint8_t secret[REGISTER_SECRET_BYTES], char error[BOOT_ERROR_MAX]);

#endif
