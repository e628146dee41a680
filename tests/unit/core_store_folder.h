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
    char folder[48]; /* of all of it: the store, and what lies beside it */
    char path[64];   /* of the store */
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
    memset(folder, 0, sizeof *folder);
    strcpy(folder->folder, "/tmp/kiln-store-XXXXXX");
    assert_non_null(mkdtemp(folder->folder));
    snprintf(folder->path, sizeof folder->path, "%s/store", folder->folder);
    assert_int_equal(loop_create(&folder->loop), 0);
    store_folder_open(folder);
}

static inline void store_folder_remove(struct store_folder *folder)
{
    char command[64];
    store_close(folder->store);
    folder->store = NULL;
    loop_destroy(folder->loop);
    snprintf(command, sizeof command, "rm -rf %s", folder->folder);
    assert_int_equal(system(command), 0);
}

#endif
