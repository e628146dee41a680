/*
 * Counters: see counters.h.
 */
#include "guest/counters.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The line after the one at AT; NULL after the last. */
static const char *next_line(const char *at)
{
    const char *end = strchr(at, '\n');
    return end == NULL || end[1] == '\0' ? NULL : end + 1;
}

struct counters_cpu counters_cpu(const char *text)
{
    enum { USER, NICE, SYSTEM, IDLE, WAIT, IRQ, SOFT, STEAL, KINDS };
    uint64_t at[KINDS] = {0};
    for (const char *line = text; line != NULL; line = next_line(line))
        if (sscanf(line,
                   "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                   " %" SCNu64,
                   &at[USER], &at[NICE], &at[SYSTEM], &at[IDLE], &at[WAIT], &at[IRQ], &at[SOFT],
                   &at[STEAL]) >= IDLE + 1)
            break;
    return (struct counters_cpu){
        .busy = at[USER] + at[NICE] + at[SYSTEM] + at[IRQ] + at[SOFT] + at[STEAL],
        .idle = at[IDLE] + at[WAIT],
    };
}

uint64_t counters_memory_kib(const char *text, const char *name)
{
    size_t len = strlen(name);
    uint64_t number = 0;
    for (const char *line = text; line != NULL; line = next_line(line))
        if (strncmp(line, name, len) == 0 && line[len] == ':' &&
            sscanf(line + len + 1, "%" SCNu64, &number) == 1)
            return number;
    return 0;
}

void counters_network(const char *text, uint64_t *ret_rx, uint64_t *ret_tx)
{
    char name[64];
    uint64_t rx = 0, tx = 0, one_rx, one_tx;
    for (const char *line = text; line != NULL; line = next_line(line)) {
        bool found = sscanf(line, " %63[^:\n]: %" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, name,
                            &one_rx, &one_tx) == 3;
        if (!found || strcmp(name, "lo") == 0)
            continue;
        rx += one_rx;
        tx += one_tx;
    }
    *ret_rx = rx;
    *ret_tx = tx;
}
