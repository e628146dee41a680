/*
 * A store in a folder of its own, for the tests of the store's files.
 *
 * In: a test's puts and deletes. Out: a store on the disk. Kept: the folder, until the fixture ends.
 */
#ifndef KILN_TESTS_UNIT_CORE_STORE_FIXTURE_H
#define KILN_TESTS_UNIT_CORE_STORE_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/core/store.h"
#include "src/core/store_check.h"
#include "src/io/loop.h"

struct stored {
    char folder[64]; /* of all of it */
    char path[96];   /* of the store */
    struct loop *loop;
    struct store *store; /* NULL: closed */
};

static inline void stored_open(struct stored *stored)
{
    char error[STORE_ERROR_LEN] = "";
    if (store_open(stored->path, stored->loop, &stored->store, error))
        fail_msg("%s", error);
}

static inline void stored_close(struct stored *stored)
{
    store_close(stored->store);
    stored->store = NULL;
}

static inline void stored_init(struct stored *stored)
{
    memset(stored, 0, sizeof *stored);
    strcpy(stored->folder, "/tmp/kiln-stored-XXXXXX");
    assert_non_null(mkdtemp(stored->folder));
    snprintf(stored->path, sizeof stored->path, "%s/store", stored->folder);
    assert_int_equal(loop_create(&stored->loop), 0);
    stored_open(stored);
}

static inline void stored_finish(struct stored *stored)
{
    char command[96];
    stored_close(stored);
    loop_destroy(stored->loop);
    snprintf(command, sizeof command, "rm -rf %s", stored->folder);
    assert_int_equal(system(command), 0);
}

static inline void stored_count(void *arg)
{
    ++*(unsigned *)arg;
}

static inline struct store_batch *stored_batch(struct stored *stored)
{
    struct store_batch *batch;
    assert_int_equal(store_batch_create(stored->store, &batch), 0);
    return batch;
}

/* Commits BATCH and waits until it is durable. */
static inline void stored_commit(struct stored *stored, struct store_batch *batch)
{
    unsigned done = 0;
    assert_int_equal(store_commit(batch, stored_count, &done), 0);
    while (!done)
        assert_int_equal(loop_step(stored->loop, true), 0);
}

static inline int stored_file(const struct stored *stored, int flags)
{
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb", stored->path);
    int fd = open(path, flags | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* The check's verdict on the store's file as it is. */
static inline int stored_check(const struct stored *stored, struct store_verdict *ret_verdict,
                               char error[STORE_ERROR_LEN])
{
    int fd = stored_file(stored, O_RDONLY);
    int rc = store_check(fd, 0, NULL, NULL, ret_verdict, error);
    close(fd);
    return rc;
}

#endif
