/*
 * Mount: see mount.h.
 */
#include "guest/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

int mount_make_ext4(const char *device, char said[TOOL_SAID_MAX])
{
    /* Lazy tables and no discard: seconds instead of minutes on a large drive. No reserve for root: it is
     * user data. */
    const char *const argv[] = {"/sbin/mkfs.ext4",
                                "-q",
                                "-F",
                                "-m",
                                "0",
                                "-E",
                                "lazy_itable_init=1,lazy_journal_init=1,nodiscard",
                                device,
                                NULL};
    return tool_run(argv, NULL, said);
}

static int make_folder(const char *folder)
{
    char parent[256];
    snprintf(parent, sizeof parent, "%s", folder);
    char *slash = strrchr(parent, '/');
    if (slash != NULL && slash != parent) {
        *slash = '\0';
        if (mkdir(parent, 0755) < 0 && errno != EEXIST)
            return -errno;
    }
    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        return -errno;
    struct stat st;
    if (lstat(folder, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ELOOP;
}

int mount_ext4(const char *device, const char *folder, bool readonly)
{
    int result = make_folder(folder);
    if (result < 0)
        return result;
    /* Two drives of one name, of which one is shared: the second must not hide the first. */
    if (mount_is_mounted(folder))
        return -EBUSY;
    unsigned long flags = MS_NODEV | MS_NOSUID | (readonly ? MS_RDONLY : 0);
    const char *options = readonly ? "noload,errors=remount-ro" : "errors=remount-ro";
    if (mount(device, folder, "ext4", flags, options) < 0)
        return -errno;
    return 0;
}

bool mount_is_mounted(const char *folder)
{
    struct statx here;
    if (statx(AT_FDCWD, folder, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &here) < 0)
        return false;
    return (here.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0 &&
           (here.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

bool mount_is_of(const char *folder, const char *device)
{
    struct stat here, there;
    return mount_is_mounted(folder) && stat(folder, &here) == 0 && stat(device, &there) == 0 &&
           S_ISBLK(there.st_mode) && here.st_dev == there.st_rdev;
}
