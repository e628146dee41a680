/*
 * diagram.c - prints both machines from their tables, as the part of states/README.md between its markers.
 *
 * In:   vm_machine and guest_machine.   Out: Markdown on standard output: per machine a diagram (mermaid) and
 * a table of the rows.   Kept: nothing.
 */
#include <stdio.h>
#include <string.h>

#include "guest/machine.h"
#include "states/recovery.h"
#include "states/vm.h"

/* Mermaid ids have no dashes. */
static void print_id(const char *name)
{
    for (; *name; name++)
        putchar(*name == '-' ? '_' : *name);
}

static bool leads(const struct fsm_state *state, int to)
{
    for (size_t i = 0; i < state->nrows; i++)
        if (state->rows[i].to == to)
            return true;
    return false;
}

/* The names of the events that lead there, each once. */
static void print_events(const struct fsm_machine *machine, const struct fsm_state *state, int to)
{
    const char *comma = "";
    for (size_t i = 0; i < state->nrows; i++) {
        bool named = state->rows[i].to != to;
        for (size_t before = 0; before < i && !named; before++)
            named = state->rows[before].to == to && state->rows[before].on == state->rows[i].on;
        if (named)
            continue;
        printf("%s%s", comma, machine->event_names[state->rows[i].on]);
        comma = ", ";
    }
}

/* Arrows into states that are final, or into those that are not. */
static void print_arrows(const struct fsm_machine *machine, const struct fsm_state *from, const char *name,
                         bool final)
{
    for (size_t to = 0; to < machine->nstates; to++) {
        if (machine->states[to]->final != final || !leads(from, (int)to))
            continue;
        printf(final ? "    " : "        ");
        print_id(name);
        printf(" --> ");
        print_id(machine->states[to]->name);
        printf(": ");
        print_events(machine, from, (int)to);
        printf("\n");
    }
}

/* The states that are not final stand in one box: its arrows are the rows valid in each of them. */
static void print_diagram(const struct fsm_machine *machine)
{
    printf("```mermaid\nstateDiagram-v2\n    [*] --> live\n    state live {\n        [*] --> ");
    print_id(machine->states[0]->name);
    printf("\n");
    for (size_t i = 0; i < machine->nstates; i++)
        if (!machine->states[i]->final)
            print_arrows(machine, machine->states[i], machine->states[i]->name, false);
    printf("    }\n");
    for (size_t i = 0; i < machine->nstates; i++)
        if (!machine->states[i]->final)
            print_arrows(machine, machine->states[i], machine->states[i]->name, true);
    print_arrows(machine, machine->any, "live", true);
    printf("```\n\n");
}

static void print_to(const struct fsm_machine *machine, int to)
{
    if (to == FSM_STAY)
        printf("stays");
    else if (to == FSM_AGAIN)
        printf("enters again");
    else
        printf("**%s**", machine->states[to]->name);
}

static void print_rows(const struct fsm_machine *machine, const struct fsm_state *state)
{
    for (size_t i = 0; i < state->nrows; i++) {
        const struct fsm_row *row = &state->rows[i];
        printf("| %s | %s%s | ", i == 0 ? state->name : "", machine->event_names[row->on],
               row->when ? " ?" : "");
        print_to(machine, row->to);
        printf(" | %s |\n", row->story);
    }
}

static void print_states(const struct fsm_machine *machine)
{
    printf("| state | is | deadline unless configured |\n| --- | --- | --- |\n");
    for (size_t i = 0; i < machine->nstates; i++) {
        const struct fsm_state *state = machine->states[i];
        printf("| %s | %s | ", state->name, state->story);
        if (state->timeout_ms)
            printf("%lld s |\n", (long long)(state->timeout_ms / 1000));
        else
            printf("none |\n");
    }
    printf("\n| in | on (? with a guard) | leads to | story |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < machine->nstates; i++)
        print_rows(machine, machine->states[i]);
    print_rows(machine, machine->any);
    printf("\n");
}

static void print_recovery(void)
{
    printf("| kept \\ libvirt shows |");
    for (int sight = 0; sight < RECOVERY_SIGHT_COUNT; sight++)
        printf(" %s |", recovery_sight_name(sight));
    printf("\n| --- |");
    for (int sight = 0; sight < RECOVERY_SIGHT_COUNT; sight++)
        printf(" --- |");
    for (int state = 0; state < VM_STATE_COUNT; state++) {
        printf("\n| %s |", vm_state_name(state));
        for (int sight = 0; sight < RECOVERY_SIGHT_COUNT; sight++)
            printf(" %s |", vm_event_name(recovery_find(state, (enum recovery_sight)sight)->on));
    }
    printf("\n\n");
}

int main(void)
{
    printf("### The VM\n\n");
    print_diagram(&vm_machine);
    print_states(&vm_machine);
    printf("### The VM, when kilnd starts\n\n");
    print_recovery();
    printf("### The controller\n\n");
    print_diagram(&guest_machine);
    print_states(&guest_machine);
    return 0;
}
