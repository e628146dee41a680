/*
 * claim.h - what a fuzz target says of its unit: a claim that does not hold ends the program, in every build.
 */
#ifndef KILN_FUZZ_CLAIM_H
#define KILN_FUZZ_CLAIM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CLAIM(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: claim broken: %s\n", __FILE__, __LINE__, #condition);                    \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
