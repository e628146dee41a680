/*
 * Malice: what the hostile edge does next, as a test armed it.
 * In: the file given to malice_init, holding one line: a name, perhaps words behind it. Out: whether a name
 * is armed. Kept: the path. A deed that is done is logged ("malice" "done" name=...) and its file removed, so
 * that it is done once.
 */
#ifndef KILN_TESTS_NS_MALICE_H
#define KILN_TESTS_NS_MALICE_H

#include <stdbool.h>
#include <stddef.h>

/* PATH is borrowed. */
void malice_init(const char *path);

/* Whether NAME is armed; WORDS (optional) then gets what stands behind it. */
bool malice_armed(const char *name, char *ret_words, size_t max_bytes);

void malice_done(const char *name);

#endif
