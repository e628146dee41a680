/*
 * File below: opens a file of a folder, and none outside it, whatever its path says.
 * In: a folder's descriptor, a path. Out: a descriptor and what the kernel knows of it. Nothing is kept.
 */
#ifndef KILN_IO_FILE_BELOW_H
#define KILN_IO_FILE_BELOW_H

#include <sys/stat.h>

/* Opens FOLDER_FD's regular file PATH (relative) for reading. -ENOENT when there is none, or a symbolic link
 * is on the way; FOLDER_FD may be -1. The caller owns the descriptor. */
int file_below_open(int folder_fd, const char *path, int *ret_fd, struct stat *ret_info);

#endif
