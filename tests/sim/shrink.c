/*
 * Makes the story of a broken claim short: see shrink.h.
 */
#include "tests/sim/shrink.h"

#include <stdio.h>
#include <string.h>

static bool breaks_too(const struct plan *plan, struct life_end *end)
{
    struct life_end other;
    life_run(plan, &other);
    if (strcmp(other.claim, end->claim) != 0)
        return false;
    *end = other;
    return true;
}

static void without_act(struct plan *plan, unsigned at)
{
    plan->nacts--;
    memmove(&plan->acts[at], &plan->acts[at + 1], (plan->nacts - at) * sizeof plan->acts[0]);
}

/* The last VM goes, and what was to befall it. */
static void without_last_vm(struct plan *plan)
{
    plan->nvms--;
    for (unsigned i = plan->nacts; i > 0; i--)
        if (plan->acts[i - 1].vm == (int)plan->nvms)
            plan->acts[i - 1].vm = 0;
}

static bool acts_shrink(struct plan *plan, struct life_end *end)
{
    bool shorter = false;
    for (unsigned i = plan->nacts; i > 0; i--) {
        struct plan less = *plan;
        without_act(&less, i - 1);
        if (!breaks_too(&less, end))
            continue;
        *plan = less;
        shorter = true;
    }
    return shorter;
}

static void calm_down(struct plan *plan, struct life_end *end)
{
    struct plan less = *plan;
    less.calm = true;
    if (breaks_too(&less, end))
        *plan = less;
}

void shrink(struct plan *plan, struct life_end *end)
{
    while (acts_shrink(plan, end))
        continue;
    while (plan->nvms > 1) {
        struct plan less = *plan;
        without_last_vm(&less);
        if (!breaks_too(&less, end))
            break;
        *plan = less;
    }
    calm_down(plan, end);
    while (acts_shrink(plan, end))
        continue;
    snprintf(plan->breaks, sizeof plan->breaks, "%s", end->claim);
}
