// Boot data: what the host wrote into this machine's firmware (protocol/README.md section 3).
// In: the root of a file system that has /sys. Out: a whole struct boot, or words saying what is wrong.
// Kept: nothing.
#ifndef KILN_GUEST_BOOT_H
#define KILN_GUEST_BOOT_H

#include <stdint.h>

#define BOOT_SECRET_LEN 32
#define BOOT_HASH_LEN 32
#define BOOT_UUID_LEN 16
#define BOOT_HOST_MAX 64
#define BOOT_ERROR_MAX 160

struct boot {
    char host[BOOT_HOST_MAX]; // of the guest listener, without brackets
    uint16_t port;
    uint8_t edge[BOOT_HASH_LEN];     // fingerprint of the edge's certificate
    uint8_t identity[BOOT_HASH_LEN]; // fingerprint of the host identity
    uint8_t brick[BOOT_HASH_LEN];
    uint8_t uuid[BOOT_UUID_LEN];
};

// Reads the OEM strings and the UUID below SYSROOT ("" is the machine's own). -ENOENT something is missing,
// -EINVAL something is malformed, else the errno of reading; ERROR then says which.
int boot_read(const char *sysroot, struct boot *ret_boot, char error[BOOT_ERROR_MAX]);

// Reads the boot secret into SECRET (locked memory of the caller). Errors as boot_read.
int boot_read_secret(const char *sysroot, uint8_t secret[BOOT_SECRET_LEN], char error[BOOT_ERROR_MAX]);

#endif
