/*
 * Mount: ext4 file systems on drives. In: a device and a folder. Out: a file system made, mounted or named.
 * Kept: nothing. Blocks; for the job thread.
 */
#ifndef KILN_GUEST_MOUNT_H
#define KILN_GUEST_MOUNT_H

#include <stdbool.h>

#include "guest/tool.h"

/* Makes ext4 on DEVICE, which is the caller's to overwrite. Errors as tool_run. */
int mount_make_ext4(const char *device, char said[TOOL_SAID_MAX]);
/* Mounts DEVICE at FOLDER (made, mode 0755, root's) with nodev and nosuid; READONLY without replaying the
 * journal, since a reader may not write. What the file system says of errors does not count: it may ask for a
 * panic. The errno of mkdir(2) or mount(2); -ELOOP when FOLDER is no real directory, -EBUSY when something is
 * mounted there. */
int mount_ext4(const char *device, const char *folder, bool readonly);
/* Whether something is mounted exactly at FOLDER. */
bool mount_is_mounted(const char *folder);
/* Whether it is the file system of the block device DEVICE. */
bool mount_is_of(const char *folder, const char *device);

#endif
