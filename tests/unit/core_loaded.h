/*
 * What kilnd's start does between its turns, at once: the store is looked at, its records are loaded.
 *
 * In: a core that was opened. Out: as core_load. Kept: nothing.
 */
#ifndef KILN_TESTS_UNIT_CORE_LOADED_H
#define KILN_TESTS_UNIT_CORE_LOADED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/core/core.h"
#include "src/core/store.h"
#include "src/core/verbs.h"

static inline int core_load_all(struct core *core, char error[static CORE_ERROR_LEN])
{
    int rc = store_look(core->store, error);
    if (!rc)
        do
            rc = core_load(core, error);
        while (rc > 0);
    return rc;
}

#endif
