/*
 * What the tests of the store's files share: commits that are waited for, and the file itself.
 *
 * In: a store in a folder. Out: changes on the disk; the file, its check's verdict. Kept: nothing.
 */
#ifndef KILN_TESTS_UNIT_CORE_STORE_FIXTURE_H
#define KILN_TESTS_UNIT_CORE_STORE_FIXTURE_H

#include <fcntl.h>
#include <sys/stat.h>

#include "src/core/store_check.h"
#include "tests/unit/core_store_folder.h"

/* Around each test that has its struct store_folder as its state. */
static inline int stored_setup(void **state)
{
    store_folder_make(*state);
    return 0;
}

static inline int stored_teardown(void **state)
{
    store_folder_remove(*state);
    return 0;
}

static inline void stored_close(struct store_folder *stored)
{
    store_close(stored->store);
    stored->store = NULL;
}

static inline void stored_count(void *arg)
{
    ++*(unsigned *)arg;
}

static inline struct store_batch *stored_batch(struct store_folder *stored)
{
    struct store_batch *batch;
    assert_int_equal(store_batch_create(stored->store, &batch), 0);
    return batch;
}

/* Commits BATCH and waits until it is durable. */
static inline void stored_commit(struct store_folder *stored, struct store_batch *batch)
{
    unsigned done = 0;
    assert_int_equal(store_commit(batch, stored_count, &done), 0);
    while (!done)
        assert_int_equal(loop_step(stored->loop, true), 0);
}

static inline int stored_file(const struct store_folder *stored, int flags)
{
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb", stored->path);
    int fd = open(path, flags | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* The check's verdict on the store's file as it is. */
static inline int stored_check(const struct store_folder *stored, struct store_verdict *ret_verdict,
                               char error[STORE_ERROR_LEN])
{
    int fd = stored_file(stored, O_RDONLY);
    int rc = store_check(fd, 0, NULL, NULL, ret_verdict, error);
    close(fd);
    return rc;
}

#endif
