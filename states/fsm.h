/*
 * fsm.h - the engine under every machine of Kiln: the VM's on the host, the controller's in the guest.
 *
 * In:   a machine (constant tables), a record, an event.
 * Out:  the row that was taken, or NULL; the record changed in place; the effects wanted, in order.
 * Kept: nothing. A record starts with a struct fsm_head, an event with a struct fsm_event; the engine
 *       knows no more of either. It has no clock, no randomness, no memory and no I/O of its own.
 *
 * An event is what happened. A row is what we make of it. An effect is what we want to be true.
 * A story is why, in words.
 */
#ifndef KILN_STATES_FSM_H
#define KILN_STATES_FSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FSM_FX_MAX = 48, /* more distinct effects than any one step of any machine asks for; the walk proves it */
    FSM_STORY_LEN = 120 /* bytes of a story with its end; the walk proves that each row's fits */
};

/* No event of the machine is a timeout. */
enum { FSM_NO_TIMEOUT = -1 };

/* Where a row may lead beside a state. */
enum {
    FSM_STAY = -1, /* the state, its entry and its deadline stay; nothing is entered */
    FSM_AGAIN = -2 /* as FSM_STAY, and the state's `enter` runs once more */
};

/* The first member of every event. */
struct fsm_event {
    int on;        /* which event: an enum of the machine's */
    int64_t at_ms; /* when it happened, milliseconds since the epoch; the machine's only clock */
};

/* The first member of every record. Written by the engine alone, read by everyone. */
struct fsm_head {
    int32_t state;
    uint64_t changes;          /* rows taken since the record began: orders a record's history */
    int64_t entered_at_ms;     /* when `state` was entered */
    int64_t deadline_at_ms;    /* when the machine's timeout is due; 0: never */
    char story[FSM_STORY_LEN]; /* of the last row taken; in a final state, of the row that led there */
};

/* One thing that shall be true, and which one of several (a drive's index; 0 where there is but one). */
struct fsm_effect {
    uint16_t what;
    uint16_t which;
};

/* The effects of one step, in the order in which they are to be performed; none twice. */
struct fsm_fx {
    struct fsm_effect list[FSM_FX_MAX];
    size_t count;
    bool overflow; /* an effect found no room: a fault of the tables, which tests look for */
};

/*
 * One row of a table. The first row for the event whose `when` holds is taken; no row is the refusal.
 *   when   pure guard; NULL holds always
 *   act    the only writer of the record; NULL changes nothing
 *   to     a state, FSM_STAY or FSM_AGAIN
 *   story  why, in words, for log, history, audit and people
 */
struct fsm_row {
    int on;
    bool (*when)(const void *record, const void *event);
    void (*act)(void *record, const void *event, struct fsm_fx *fx);
    int to;
    const char *story;
};

/*
 * A state. `enter` and `leave` may be NULL; they see the record and cannot change it, and push only effects
 * that do no harm when performed again, since `enter` runs again after a restart.
 *   timeout_ms  the deadline where the record names none; 0: the state has no deadline and no timeout row
 *   final       the machine's rows for any state do not hold here
 */
struct fsm_state {
    const char *name;
    const char *story;
    int64_t timeout_ms;
    bool final;
    void (*enter)(const void *record, struct fsm_fx *fx);
    void (*leave)(const void *record, struct fsm_fx *fx);
    const struct fsm_row *rows;
    size_t nrows;
};

/*
 * A machine. `timeout_ms` says how long this record may stay in a state (0: for ever); NULL: never a
 * deadline. Names are for diagrams, stories and logs.
 */
struct fsm_machine {
    const char *name;
    const struct fsm_state *const *states;
    size_t nstates;
    const struct fsm_state
        *any;       /* its rows are valid in every state that is not final, after the state's own */
    int on_timeout; /* the event that a due deadline is, or FSM_NO_TIMEOUT */
    int64_t (*timeout_ms)(const void *record, int state);
    const char *const *event_names;
    size_t nevents;
    const char *const *effect_names;
    size_t neffects;
};

/* Fills `rows` and `nrows` of a state from an array. */
#define FSM_ROWS(array) .rows = (array), .nrows = sizeof(array) / sizeof((array)[0])

/* Puts a fresh record (its head zeroed) into `state` at `at_ms` and pushes the effects of entering it. */
void fsm_begin(const struct fsm_machine *machine, void *record, int state, int64_t at_ms, struct fsm_fx *fx);

/*
 * Takes one event: finds the row, then act, leave, assign, enter. Returns the row taken. Returns NULL when no
 * row is there for it: then the record is untouched and no effect is pushed. A timeout before the record's
 * deadline (a timer armed for an earlier state) is refused the same way. `fx` is added to, not cleared.
 */
const struct fsm_row *fsm_step(const struct fsm_machine *machine, void *record, const void *event,
                               struct fsm_fx *fx);

/* Empties the list. */
void fsm_fx_init(struct fsm_fx *fx);

/* Adds an effect at the end, unless it is already wanted. */
void fsm_fx_push(struct fsm_fx *fx, int what, int which);

/* Whether the effect is wanted. */
bool fsm_fx_has(const struct fsm_fx *fx, int what, int which);

/*
 * Copies text into a record's field of `size_bytes`, cut to fit and always ended. Bytes that are not
 * printable ASCII become '?', so that what a guest or a person wrote can be shown on any terminal and in any
 * log.
 */
void fsm_text_keep(char *to, size_t size_bytes, const char *from);

#endif
