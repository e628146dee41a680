/*
 * ACL: see acl.h. The attribute is little-endian: u32 version 2, then u16 tag, u16 permissions, u32 id, in
 * the order owner, users by id, group, groups by id, mask, others.
 */
#include "guest/acl.h"

#include <endian.h>
#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

struct list {
    struct posix_acl_xattr_entry *next;
    uint16_t mask; /* what the group class may have at most: everything that anyone in it has */
};

static void add(struct list *list, uint16_t tag, unsigned permissions, uint32_t id)
{
    *list->next++ = (struct posix_acl_xattr_entry){
        .e_tag = htole16(tag), .e_perm = htole16((uint16_t)permissions), .e_id = htole32(id)};
    if (tag == ACL_USER || tag == ACL_GROUP || tag == ACL_GROUP_OBJ)
        list->mask |= (uint16_t)permissions;
}

static void add_named(struct list *list, bool group, const struct acl_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (entries[i].group == group)
            add(list, group ? ACL_GROUP : ACL_USER,
                ACL_READ | ACL_EXECUTE | (entries[i].write ? (unsigned)ACL_WRITE : 0), entries[i].id);
}

static int by_id(const void *a, const void *b)
{
    const struct acl_entry *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

static int remove_list(int fd, const char *name)
{
    return fremovexattr(fd, name) < 0 && errno != ENODATA && errno != EOPNOTSUPP ? -errno : 0;
}

static int write_lists(int fd, mode_t mode, struct acl_entry *sorted, size_t count)
{
    size_t size = sizeof(struct posix_acl_xattr_header) + (count + 4) * sizeof(struct posix_acl_xattr_entry);
    struct posix_acl_xattr_header *text = malloc(size);
    if (text == NULL)
        return -ENOMEM;
    text->a_version = htole32(POSIX_ACL_XATTR_VERSION);
    struct list list = {.next = (struct posix_acl_xattr_entry *)(text + 1)};
    qsort(sorted, count, sizeof *sorted, by_id);
    add(&list, ACL_USER_OBJ, mode >> 6 & 7, ACL_UNDEFINED_ID);
    add_named(&list, false, sorted, count);
    add(&list, ACL_GROUP_OBJ, mode >> 3 & 7, ACL_UNDEFINED_ID);
    add_named(&list, true, sorted, count);
    add(&list, ACL_MASK, list.mask, ACL_UNDEFINED_ID);
    add(&list, ACL_OTHER, mode & 7, ACL_UNDEFINED_ID);
    int result = 0;
    if (fsetxattr(fd, ACCESS, text, size, 0) < 0 || fsetxattr(fd, DEFAULT, text, size, 0) < 0)
        result = -errno;
    free(text);
    return result;
}

int acl_set(int fd, mode_t mode, const struct acl_entry *entries, size_t count)
{
    if (count > ACL_ENTRIES_MAX)
        return -E2BIG;
    /* Lists of before go first, so that the mode means what it says and nobody keeps a right. */
    int result = remove_list(fd, ACCESS);
    if (result == 0)
        result = remove_list(fd, DEFAULT);
    if (result == 0 && fchmod(fd, mode) < 0)
        result = -errno;
    if (result < 0 || count == 0)
        return result;
    struct acl_entry *sorted = malloc(count * sizeof *sorted);
    if (sorted == NULL)
        return -ENOMEM;
    memcpy(sorted, entries, count * sizeof *sorted);
    result = write_lists(fd, mode, sorted, count);
    free(sorted);
    return result;
}
