/*
 * Known: see known.h.
 */
#include "src/io/known.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    char key[KNOWN_KEY_MAX]; /* "": free */
    int64_t until_ms;
};

struct known {
    int64_t life_ms;
    size_t nentries;
    struct entry entries[];
};

int known_create(size_t keys_max, int64_t life_ms, struct known **ret_known)
{
    struct known *known = calloc(1, sizeof *known + keys_max * sizeof known->entries[0]);
    if (known == NULL)
        return -ENOMEM;
    known->life_ms = life_ms;
    known->nentries = keys_max;
    *ret_known = known;
    return 0;
}

void known_destroy(struct known *known)
{
    free(known);
}

/* KEY's entry, else the one that makes room for it. */
static size_t find(const struct known *known, const char *key)
{
    size_t oldest = 0;
    for (size_t i = 0; i < known->nentries; i++) {
        if (strcmp(known->entries[i].key, key) == 0)
            return i;
        if (known->entries[i].until_ms < known->entries[oldest].until_ms)
            oldest = i;
    }
    return oldest;
}

void known_add(struct known *known, const char *key, int64_t now_ms)
{
    struct entry *entry = &known->entries[find(known, key)];
    snprintf(entry->key, sizeof entry->key, "%s", key);
    entry->until_ms = now_ms + known->life_ms;
}

bool known_has(const struct known *known, const char *key, int64_t now_ms)
{
    const struct entry *entry = &known->entries[find(known, key)];
    return strcmp(entry->key, key) == 0 && now_ms < entry->until_ms;
}
