/*
 * Sandbox deeds: what a daemon must not do, tried by a process in the daemon's own sandbox. In: the name of a
 * deed. Out: a line that says whether it was refused. Kept: nothing.
 */
#ifndef KILN_TESTS_NS_SANDBOX_DEEDS_H
#define KILN_TESTS_NS_SANDBOX_DEEDS_H

/* Tries DEED on WORDS (see the table in sandbox_deeds.c). Prints "refused ERRNO-NAME" or "done"; 0 when it
 * was refused, 1 when it was done, 2 when there is no such deed. Some deeds are not survived. */
int sandbox_try(const char *deed, const char *word);

#endif
