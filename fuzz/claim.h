/*
 * claim.h - what a fuzz target says of its unit: a claim that does not hold ends the program, in every build;
 * and its input as a text.
 */
#ifndef KILN_FUZZ_CLAIM_H
#define KILN_FUZZ_CLAIM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLAIM(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: claim broken: %s\n", __FILE__, __LINE__, #condition);                    \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* A copy with a NUL behind it, in memory of just that size. The caller frees it. */
static inline char *input_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    CLAIM(text);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
