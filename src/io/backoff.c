/*
 * Backoff: see backoff.h.
 */
#include "src/io/backoff.h"

#include "src/io/random.h"

uint32_t backoff_next(struct backoff *backoff)
{
    uint32_t random, due_ms = backoff->next_ms > 0 ? backoff->next_ms : backoff->first_ms;
    backoff->next_ms = due_ms > backoff->last_ms / 2 ? backoff->last_ms : due_ms * 2;
    random_fill(&random, sizeof(random));
    return due_ms / 2 + random % (due_ms - due_ms / 2 + 1);
}

void backoff_reset(struct backoff *backoff)
{
    backoff->next_ms = 0;
}
