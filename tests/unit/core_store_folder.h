/*
 * A store in a folder of its own. In: nothing. Out: struct store_folder, open. Kept: the folder, until it is
 * closed.
 */
#ifndef KILN_TESTS_UNIT_CORE_STORE_FOLDER_H
#define KILN_TESTS_UNIT_CORE_STORE_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/core/store.h"
#include "src/io/loop.h"

struct store_folder {
    char path[64];
    struct loop *loop;
    struct store *store;
};

static inline void store_folder_open(struct store_folder *folder)
{
    char error[STORE_ERROR_LEN] = "";
    if (store_open(folder->path, folder->loop, &folder->store, error))
        fail_msg("%s", error);
}

static inline void store_folder_make(struct store_folder *folder)
{
    strcpy(folder->path, "/tmp/kiln-store-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    assert_int_equal(loop_create(&folder->loop), 0);
    store_folder_open(folder);
}

static inline void store_folder_remove(struct store_folder *folder)
{
    const char *const names[] = {"data.mdb", "lock.mdb", "owner"};
    char path[128];
    store_close(folder->store);
    loop_destroy(folder->loop);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder->path, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s.head", folder->path);
    unlink(path);
    rmdir(folder->path);
}

#endif
