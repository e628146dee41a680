/*
 * What the simulator asks of its own loops beside src/io/loop.h. In: a loop. Out: whose work it does. Kept:
 * nothing.
 */
#ifndef KILN_TESTS_SIM_FALSE_LOOP_H
#define KILN_TESTS_SIM_FALSE_LOOP_H

#include "tests/sim/clock.h"

struct loop {
    struct clock_owner owner;
};

/* For clock_after: work of the process whose loop it is. */
struct clock_owner *loop_owner(struct loop *loop);

#endif
