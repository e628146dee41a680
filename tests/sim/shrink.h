/*
 * Makes the story of a broken claim short: takes away what it breaks without.
 *
 * In: a plan and how it ended. Out: a plan with less in it that breaks the same claim. Kept: nothing.
 */
#ifndef KILN_TESTS_SIM_SHRINK_H
#define KILN_TESTS_SIM_SHRINK_H

#include "tests/sim/life.h"

void shrink(struct plan *plan, struct life_end *end);

#endif
