/*
 * One life, from nothing to nothing: what a plan says happens, then nothing goes wrong any more, then all is
 * destroyed and forgotten.
 *
 * In: a plan. Out: how it ended. Kept: the world, while it runs.
 */
#ifndef KILN_TESTS_SIM_LIFE_H
#define KILN_TESTS_SIM_LIFE_H

#include <stdint.h>

#include "tests/sim/plan.h"

struct box;

struct life_end {
    char claim[PLAN_CLAIM_LEN]; /* that broke; "" none did */
    char words[256];
    uint64_t steps, points;
    int64_t at_us;
    uint8_t trace[32]; /* of all that became durable, so that two lives can be compared */
};

/* Makes what every life begins with: users, drives, bricks. Once; ends the program when it cannot. */
void life_prepare(void);
void life_run(const struct plan *plan, struct life_end *ret_end);
void life_finish(void);

/* Makes the guest as the plan wants it. */
void life_box_fill(struct box *box);

#endif
