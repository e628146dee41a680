/*
 * Removes the folder of a test, without a shell: a search does it a hundred times a second.
 */
#ifndef KILN_TESTS_UNIT_CORE_FOLDER_H
#define KILN_TESTS_UNIT_CORE_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <ftw.h>

#include <cmocka.h>

static inline int folder_remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

/* PATH and all below it. */
static inline void folder_remove(const char *path)
{
    assert_int_equal(nftw(path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
