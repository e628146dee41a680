/*
 * kilnd in the simulator: the real src/core, started, killed at any point, and started again.
 *
 * In: orders to start, end and die. Out: a core and its verbs. Kept: the one kilnd that there is.
 *
 * Everything that kilnd does to the world goes through a false part, and each of these says host_point after
 * it did it. A kilnd that dies at such a point does nothing any more: the false parts take no word from it,
 * and what it has in memory is thrown away as soon as its call is over.
 */
#ifndef KILN_TESTS_SIM_HOST_H
#define KILN_TESTS_SIM_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct core;
struct verbs;

/* Counts points anew. */
void host_begin(void);
/* Starts it at once; fails the life when it does not start. */
void host_start(void);
/* SIGTERM: an orderly end. SIGKILL once POINTS more points have passed. Each starts it again after DOWN_US.
 */
void host_stop(int64_t down_us);
void host_kill(unsigned points, int64_t down_us);
/* Takes away a kilnd that has died, once its call is over. Says whether it did. */
bool host_bury(void);
/* Ends it without a new start. */
void host_finish(void);

bool host_up(void);
/* It has died, and its call is not over. */
bool host_dying(void);
/* Something was done to the world. */
void host_point(const char *what);
/* Points that have passed in this life. */
uint64_t host_points(void);

/* NULL while it is down. */
struct core *host_core(void);
struct verbs *host_verbs(void);

#endif
