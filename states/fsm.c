/*
 * fsm.c - the engine: finds the row, then act, leave, assign, enter.
 *
 * In:   tables, a record, an event.   Out: the record changed, effects pushed.   Kept: nothing.
 * The one line of Kiln that assigns a state is in settle().
 */
#include "states/fsm.h"

#include <string.h>

static const struct fsm_row *row_find(const struct fsm_state *state, const void *record, const void *event)
{
    const struct fsm_event *head = event;
    for (size_t i = 0; i < state->nrows; i++) {
        const struct fsm_row *row = &state->rows[i];
        if (row->on == head->on && (!row->when || row->when(record, event)))
            return row;
    }
    return NULL;
}

/* A timer is armed for one stay in one state: one that fires before the kept deadline belongs to an earlier
 * stay. */
static bool timeout_is_stale(const struct fsm_machine *machine, const struct fsm_head *head,
                             const struct fsm_event *event)
{
    if (event->on != machine->on_timeout)
        return false;
    return head->deadline_at_ms == 0 || event->at_ms < head->deadline_at_ms;
}

static void settle(const struct fsm_machine *machine, void *record, int to, int64_t at_ms, struct fsm_fx *fx)
{
    struct fsm_head *head = record;
    int64_t timeout_ms = machine->timeout_ms ? machine->timeout_ms(record, to) : 0;
    head->state = to;
    head->entered_at_ms = at_ms;
    head->deadline_at_ms = timeout_ms > 0 ? at_ms + timeout_ms : 0;
    if (machine->states[to]->enter)
        machine->states[to]->enter(record, fx);
}

void fsm_begin(const struct fsm_machine *machine, void *record, int state, int64_t at_ms, struct fsm_fx *fx)
{
    struct fsm_head *head = record;
    fsm_text_keep(head->story, sizeof head->story, machine->states[state]->story);
    settle(machine, record, state, at_ms, fx);
}

const struct fsm_row *fsm_step(const struct fsm_machine *machine, void *record, const void *event,
                               struct fsm_fx *fx)
{
    struct fsm_head *head = record;
    const struct fsm_event *what = event;
    const struct fsm_state *from = machine->states[head->state];

    if (timeout_is_stale(machine, head, what))
        return NULL;
    const struct fsm_row *row = row_find(from, record, event);
    if (!row && !from->final)
        row = row_find(machine->any, record, event);
    if (!row)
        return NULL;

    if (row->act)
        row->act(record, event, fx);
    head->changes++;
    /* Why it ended is asked for as long as the record stays, whatever is tidied up meanwhile. */
    if (!from->final)
        fsm_text_keep(head->story, sizeof head->story, row->story);
    if (row->to >= 0) {
        if (from->leave)
            from->leave(record, fx);
        settle(machine, record, row->to, what->at_ms, fx);
        return row;
    }
    /* A deadline that fired and moved nothing is spent: it shall not fire for ever. */
    if (what->on == machine->on_timeout)
        head->deadline_at_ms = 0;
    if (row->to == FSM_AGAIN && from->enter)
        from->enter(record, fx);
    return row;
}

void fsm_fx_init(struct fsm_fx *fx)
{
    fx->count = 0;
    fx->overflow = false;
}

bool fsm_fx_has(const struct fsm_fx *fx, int what, int which)
{
    for (size_t i = 0; i < fx->count; i++)
        if (fx->list[i].what == what && fx->list[i].which == which)
            return true;
    return false;
}

void fsm_fx_push(struct fsm_fx *fx, int what, int which)
{
    if (fsm_fx_has(fx, what, which))
        return;
    if (fx->count == FSM_FX_MAX) {
        fx->overflow = true;
        return;
    }
    fx->list[fx->count++] = (struct fsm_effect){.what = (uint16_t)what, .which = (uint16_t)which};
}

void fsm_text_keep(char *to, size_t size_bytes, const char *from)
{
    size_t len_bytes = 0;
    for (; len_bytes + 1 < size_bytes && from[len_bytes]; len_bytes++) {
        char byte = from[len_bytes];
        to[len_bytes] = byte >= ' ' && byte <= '~' ? byte : '?';
    }
    /* To the end, so that equal records are equal as bytes. */
    memset(to + len_bytes, 0, size_bytes - len_bytes);
}
