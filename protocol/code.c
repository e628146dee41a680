/*
 * Lookups in the list of stable codes. In: number, name or index. Out: a row. Kept: the rows, constant.
 */
#include "protocol/code.h"

#include <string.h>

static const struct code_info rows[] = {
#define X(name, number, status, words, action) {CODE_##name, status, #name, words, action},
    KILN_CODES(X)
#undef X
};

const struct code_info *code_info(enum kiln_code code)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code == code)
            return &rows[i];
    return NULL;
}

const struct code_info *code_find(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

const struct code_info *code_at(unsigned index)
{
    return index < sizeof rows / sizeof *rows ? &rows[index] : NULL;
}
