/*
 * Device: finds a hot-attached SCSI disk by its serial, waiting for the kernel's word that it came.
 * In: a serial. Out: the path of its node. Kept: nothing. Blocks; for the job thread.
 */
#ifndef KILN_GUEST_DEVICE_H
#define KILN_GUEST_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#define DEVICE_PATH_MAX 64

/* The node (/dev/sdX) of the disk whose unit serial number (SPC-4, page 80h) is SERIAL, waited for until
 * TIMEOUT_MS from now. -ENOENT none came; else the errno of looking. */
int device_find(const char *serial, int64_t timeout_ms, char ret_path[DEVICE_PATH_MAX]);

/* Whether the device open at FD is attached read-only. */
bool device_is_readonly(int fd);

#endif
