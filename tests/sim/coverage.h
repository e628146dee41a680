/*
 * Which rows of the tables were taken, over all lives of this program.
 *
 * In: rows taken. Out: how many were, and which never. Kept: a count for each row.
 */
#ifndef KILN_TESTS_SIM_COVERAGE_H
#define KILN_TESTS_SIM_COVERAGE_H

#include <stdbool.h>

#include "states/fsm.h"

/* A row of the VM's machine, as its history names it. Those of the controller's machine are seen by
 * themselves: every guest_step() is counted. */
void coverage_vm(int from, int event, const char *story);
/* Prints the rows that were never taken and are not excused (all with counts when ALL), and how many were.
 * Whether there is none. */
bool coverage_report(bool all);

#endif
