/*
 * The simulator's time, and its dice.
 *
 * In: what shall happen and when. Out: it happens, one thing after the other, in the order of its time. Kept:
 * a heap of what is to come, the two clocks. Everything that a life does is a function of its seed.
 */
#ifndef KILN_TESTS_SIM_CLOCK_H
#define KILN_TESTS_SIM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define MS INT64_C(1000)
#define SECOND (1000 * MS)

struct clock_item;

/* Whose work an item is: work of what has ended is taken back, work of what stands still waits. */
struct clock_owner {
    bool frozen;
};

/* Forgets everything and begins anew at 0. */
void clock_begin(uint64_t seed, bool calm);
void clock_end(void);
int64_t clock_us(void);
/* Wall clock, milliseconds since the epoch, and what was added to it by jumps. */
int64_t clock_wall_ms(void);
void clock_jump(int64_t by_ms);

/* FN(ARG) in DELAY_US. OWNER may be NULL. Ends the program without memory. */
struct clock_item *clock_after(int64_t delay_us, void (*fn)(void *arg), void *arg, struct clock_owner *owner);
/* The same; ARG is malloc'd and freed after FN, or when it is taken back with its owner. Not to be cancelled.
 */
void clock_after_freed(int64_t delay_us, void (*fn)(void *arg), void *arg, struct clock_owner *owner);
/* NULL does nothing. Not for one that has happened. */
void clock_cancel(struct clock_item *item);
void clock_cancel_owner(const struct clock_owner *owner);
/* Makes the next thing happen; false: nothing is to come. */
bool clock_step(void);

/* The dice: one cup each, so that what is taken from one does not change the others. */
enum chance {
    CHANCE_NET,
    CHANCE_VIRT,
    CHANCE_DISK,
    CHANCE_GUEST,
    CHANCE_PERSON,
    CHANCE_CRASH,
    CHANCE_BYTES,
    CHANCE_COUNT
};
/* A number below BELOW. */
uint64_t chance(enum chance cup, uint64_t below);
/* True once in ONCE_IN; never in a calm life. */
bool chance_hits(enum chance cup, uint64_t once_in);
/* Around TYPICAL_US: mostly between a half and twice, now and then ten times as long. */
int64_t chance_delay_us(enum chance cup, int64_t typical_us);

/* As chance, of a stream that is the caller's. */
uint64_t chance_next(uint64_t *state);

#endif
