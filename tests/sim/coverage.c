/*
 * Which rows of the tables were taken: see coverage.h.
 */
#include "tests/sim/coverage.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/machine.h"
#include "states/vm.h"

enum { STATES_MAX = 16, ROWS_MAX = 40 };

/* A machine's states in their order, and the rows for any state behind them. */
struct tally {
    const struct fsm_machine *machine;
    uint64_t taken[STATES_MAX][ROWS_MAX];
};

static struct tally vm = {.machine = &vm_machine}, controllers = {.machine = &guest_machine};

/* Rows that hardly any life takes, so that one change somewhere decides whether one of ten thousand does, and
 * why; each is told by a story of tests/stories/. */
struct excuse {
    const struct fsm_machine *machine;
    const char *state, *event, *why;
};

static const struct excuse excuses[] = {
    {&vm_machine, "requested", "timeout", "libvirt seldom takes so long: volume_late.story"},
    {&vm_machine, "image-created", "timeout", "libvirt seldom takes so long: start_late.story"},
    {&vm_machine, "image-created", "domain-gone", "a start is short: start_fails.story"},
    {&vm_machine, "paired", "timeout", "libvirt seldom takes so long: drives_late.story"},
    {&vm_machine, "paired", "guest-failed", "attaching is short: fails_while_paired.story"},
    {&guest_machine, "registered", "registration-unknown", "the link is soon up: registered_again.story"},
    {NULL, NULL, NULL, NULL},
};

static const struct fsm_state *state_at(const struct tally *tally, size_t at)
{
    const struct fsm_machine *machine = tally->machine;
    return at < machine->nstates ? machine->states[at] : at == machine->nstates ? machine->any : NULL;
}

static bool count_in(struct tally *tally, size_t at, int event, const char *story)
{
    const struct fsm_state *state = state_at(tally, at);
    for (size_t i = 0; i < state->nrows; i++)
        if (state->rows[i].on == event && strcmp(state->rows[i].story, story) == 0) {
            tally->taken[at][i]++;
            return true;
        }
    return false;
}

void coverage_vm(int from, int event, const char *story)
{
    if (!count_in(&vm, (size_t)from, event, story) && !count_in(&vm, vm_machine.nstates, event, story))
        abort();
}

static void count_guest(const struct fsm_row *row)
{
    for (size_t at = 0; at <= guest_machine.nstates; at++) {
        const struct fsm_state *state = state_at(&controllers, at);
        if (state->nrows && row >= state->rows && row < state->rows + state->nrows)
            controllers.taken[at][row - state->rows]++;
    }
}

/* The linker puts the second in place of the first. */
const struct fsm_row *__real_guest_step(struct guest *guest, const struct guest_event *event,
                                        struct fsm_fx *fx);
const struct fsm_row *__wrap_guest_step(struct guest *guest, const struct guest_event *event,
                                        struct fsm_fx *fx);

const struct fsm_row *__wrap_guest_step(struct guest *guest, const struct guest_event *event,
                                        struct fsm_fx *fx)
{
    const struct fsm_row *row = __real_guest_step(guest, event, fx);
    if (row)
        count_guest(row);
    return row;
}

static const char *excuse_of(const struct fsm_machine *machine, const struct fsm_state *state, int event)
{
    for (const struct excuse *excuse = excuses; excuse->machine; excuse++)
        if (excuse->machine == machine && strcmp(excuse->state, state->name) == 0 &&
            strcmp(excuse->event, machine->event_names[event]) == 0)
            return excuse->why;
    return NULL;
}

static bool report_of(const struct tally *tally, bool all)
{
    unsigned rows = 0, taken = 0, missing = 0;
    for (size_t at = 0; at <= tally->machine->nstates; at++) {
        const struct fsm_state *state = state_at(tally, at);
        for (size_t i = 0; i < state->nrows; i++) {
            const char *event = tally->machine->event_names[state->rows[i].on];
            uint64_t times = tally->taken[at][i];
            const char *why = times ? NULL : excuse_of(tally->machine, state, state->rows[i].on);
            rows++;
            taken += times > 0;
            missing += !times && !why;
            if (all || !times)
                printf("%s: %s: %s: %s: taken %llu times%s%s\n", tally->machine->name, state->name, event,
                       state->rows[i].story, (unsigned long long)times, why ? ": " : "", why ? why : "");
        }
    }
    printf("%s: %u of %u rows taken, %u missing without excuse\n", tally->machine->name, taken, rows,
           missing);
    return missing == 0;
}

bool coverage_report(bool all)
{
    bool whole = report_of(&vm, all);
    return report_of(&controllers, all) && whole;
}
