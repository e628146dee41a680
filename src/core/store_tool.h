/*
 * Store tool: what kilnd does with a store that is not in use, or a backup, and then ends.
 *
 * In: a file; for a restore the configuration. Out: lines on stdout; what is wrong on stderr. Kept: nothing.
 * Each returns 0, or a negative errno after it said why.
 */
#ifndef KILN_CORE_STORE_TOOL_H
#define KILN_CORE_STORE_TOOL_H

struct config;

/* Checks every page and record, and the audit chain's end. */
int store_tool_check(const char *path);
/* Prints every record as a line of JSON, once the file is found whole. */
int store_tool_dump(const char *path);
/* Puts the backup in the place of state_dir/store. Becomes the user who state_dir belongs to, when that is
 * another; ACTOR of the audit's entry is who called. Numbers of assignments go on where no guest has seen
 * one, and every state but `destroyed` has its whole time from now on. */
int store_tool_restore(const struct config *config, const char *path);

#endif
