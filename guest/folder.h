/*
 * Folder: makes and opens folders below a root without ever following a symbolic link or leaving the root's
 * file system, whatever the owner of the drive put there (openat2(2)).
 * In: a root's descriptor, a relative path. Out: a descriptor. Kept: nothing.
 */
#ifndef KILN_GUEST_FOLDER_H
#define KILN_GUEST_FOLDER_H

#include <sys/types.h>

/* Opens PATH below ROOT, whose every part is a real folder. -ENOENT, -ELOOP a symbolic link, -ENOTDIR,
 * -EXDEV. */
int folder_open(int root, const char *path, int *ret_fd);
/* The same, making the parts that are missing as root's with mode 0755. */
int folder_make(int root, const char *path, int *ret_fd);
/* Whether folder_make would find nothing in its way: 0, or as folder_open but for -ENOENT. */
int folder_check(int root, const char *path);

#endif
