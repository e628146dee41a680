/*
 * later.h - waits of one who comes again: each longer than the one before, and never the same for all.
 */
#ifndef KILN_TESTS_UNIT_LATER_H
#define KILN_TESTS_UNIT_LATER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WAITS = 24 };

/* Each is in the upper half of what is due, which doubles from FIRST_MS to LAST_MS; the longest differ. */
static inline void waits_check(const uint64_t waits_ms[WAITS], uint64_t first_ms, uint64_t last_ms)
{
    uint64_t due_ms = first_ms;
    bool differ = false;
    for (int i = 0; i < WAITS; i++) {
        assert_in_range(waits_ms[i], due_ms / 2, due_ms);
        differ = differ || (due_ms == last_ms && waits_ms[i] != waits_ms[WAITS - 1]);
        due_ms = due_ms > last_ms / 2 ? last_ms : due_ms * 2;
    }
    assert_true(differ);
}

#endif
