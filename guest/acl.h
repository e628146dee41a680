/*
 * ACL: POSIX access control lists of a folder, written as the kernel's extended attributes
 * (linux/posix_acl_xattr.h): no library and no program a folder.
 * In: a folder's descriptor, its mode, who reads and who writes. Out: the lists on the folder. Kept: nothing.
 */
#ifndef KILN_GUEST_ACL_H
#define KILN_GUEST_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct acl_entry {
    bool group; /* else a user */
    bool write; /* else read only */
    uint32_t id;
};

#define ACL_ENTRIES_MAX 2048

/* Gives the folder open at FD its mode, and ENTRIES (each user and group once) read and search, or also write
 * rights: on the folder and as default for what is made in it. No entries: no lists but the mode. The errno
 * of fchmod(2) or fsetxattr(2), -E2BIG. */
int acl_set(int fd, mode_t mode, const struct acl_entry *entries, size_t count);

#endif
