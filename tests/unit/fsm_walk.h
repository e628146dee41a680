/*
 * fsm_walk.h - what must hold of the tables of any machine, asserted one by one. Included by the tests of
 * each.
 */
#ifndef KILN_TESTS_UNIT_FSM_WALK_H
#define KILN_TESTS_UNIT_FSM_WALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "states/fsm.h"

enum { WALK_STATES_MAX = 32 };

/* A row names an event and a place that exist, and says why in words that fit. */
static inline void walk_row(const struct fsm_machine *machine, const struct fsm_row *row)
{
    assert_in_range(row->on, 0, machine->nevents - 1);
    if (row->to != FSM_STAY && row->to != FSM_AGAIN)
        assert_in_range(row->to, 0, machine->nstates - 1);
    assert_non_null(row->story);
    assert_in_range(strlen(row->story), 1, FSM_STORY_LEN - 1);
}

/* A row after one for the same event without a guard is never taken. */
static inline void walk_no_dead_rows(const struct fsm_state *state)
{
    for (size_t i = 0; i < state->nrows; i++)
        for (size_t before = 0; before < i; before++)
            assert_false(state->rows[before].on == state->rows[i].on && !state->rows[before].when);
}

/* A deadline if and only if there is a row for its passing. */
static inline void walk_deadline(const struct fsm_machine *machine, const struct fsm_state *state)
{
    bool has_row = false;
    for (size_t i = 0; i < state->nrows; i++)
        has_row = has_row || state->rows[i].on == machine->on_timeout;
    assert_int_equal(has_row, state->timeout_ms > 0);
}

static inline void walk_mark(const struct fsm_state *from, bool seen[WALK_STATES_MAX], bool *more)
{
    for (size_t i = 0; i < from->nrows; i++) {
        int to = from->rows[i].to;
        if (to < 0 || seen[to])
            continue;
        seen[to] = true;
        *more = true;
    }
}

/* Every state is reached from the first by rows alone. */
static inline void walk_reachable(const struct fsm_machine *machine)
{
    bool seen[WALK_STATES_MAX] = {true};
    bool more = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < machine->nstates; i++)
            if (seen[i])
                walk_mark(machine->states[i], seen, &more);
        walk_mark(machine->any, seen, &more);
    }
    for (size_t i = 0; i < machine->nstates; i++)
        assert_true(seen[i]);
}

/* Every event has a row somewhere: one that has none would be a word without a meaning. */
static inline void walk_events_used(const struct fsm_machine *machine)
{
    for (size_t event = 0; event < machine->nevents; event++) {
        bool used = false;
        for (size_t i = 0; i <= machine->nstates; i++) {
            const struct fsm_state *state = i < machine->nstates ? machine->states[i] : machine->any;
            for (size_t row = 0; row < state->nrows; row++)
                used = used || state->rows[row].on == (int)event;
        }
        assert_true(used);
        assert_non_null(machine->event_names[event]);
    }
}

static inline void walk_machine(const struct fsm_machine *machine)
{
    assert_in_range(machine->nstates, 1, WALK_STATES_MAX);
    for (size_t i = 0; i <= machine->nstates; i++) {
        const struct fsm_state *state = i < machine->nstates ? machine->states[i] : machine->any;
        assert_non_null(state);
        assert_non_null(state->name);
        assert_in_range(strlen(state->story), 1, FSM_STORY_LEN - 1);
        for (size_t row = 0; row < state->nrows; row++)
            walk_row(machine, &state->rows[row]);
        walk_no_dead_rows(state);
        walk_deadline(machine, state);
    }
    for (size_t i = 0; i < machine->neffects; i++)
        assert_non_null(machine->effect_names[i]);
    walk_reachable(machine);
    walk_events_used(machine);
}

#endif
