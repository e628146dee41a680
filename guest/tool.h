/*
 * Tool: runs one of the system's own programs to its end, without a shell.
 * In: a path and arguments, perhaps bytes for its input. Out: whether it succeeded, and what it complained
 * of. Kept: nothing. Blocks; for the job thread.
 */
#ifndef KILN_GUEST_TOOL_H
#define KILN_GUEST_TOOL_H

#include <stddef.h>

#define TOOL_SAID_MAX 160

/* Runs ARGV (ARGV[0] an absolute path, NULL at the end) with an empty environment but for PATH and LC_ALL=C,
 * INPUT (NULL: none) on its standard input. 0 when it exited with 0; -ENOENT when there is no such program;
 * -EIO when it failed, SAID then holding its last line or its status; else the errno of spawning. */
int tool_run(const char *const argv[], const char *input, char said[TOOL_SAID_MAX]);

#endif
