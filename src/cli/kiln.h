/*
 * What the files of `kiln` share: the command line taken apart, and calls of control.sock.
 *
 * In: words of a command line. Out: exit codes (common.h), lines on stdout. Kept: nothing.
 */
#ifndef KILN_CLI_KILN_H
#define KILN_CLI_KILN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/json.h"
#include "src/cli/common.h"
#include "src/cli/common_words.h"

struct kiln {
    const char *socket; /* path of control.sock */
    const char *config; /* the configuration that was named, NULL for none */
    bool json;          /* results as they come, one JSON object a line */
};

/* Called with a result, borrowed. Returns the exit code. */
typedef int kiln_show(const struct kiln *kiln, const struct json *result, void *arg);

/* Calls METHOD with PARAMS (finished here; NULL for {}), and SHOW with the result, or prints it with --json.
 * A failure is said to the user. */
int kiln_call(const struct kiln *kiln, const char *method, struct json_writer *params, kiln_show *show,
              void *arg);

/* As kiln_call, but SHOW is called with --json too. */
int kiln_call_shown(const struct kiln *kiln, const char *method, struct json_writer *params, kiln_show *show,
                    void *arg);

/* As kiln_call for a list in pages: WRITE_PARAMS adds members to each page's parameters (may be NULL), AFTER
 * is the parameter that goes on. SHOW is called with each page. */
int kiln_call_pages(const struct kiln *kiln, const char *method, const char *after,
                    void (*write_params)(struct json_writer *params, void *arg), kiln_show *show, void *arg);

/* As kiln_call, and then prints notifications with EACH until the daemon goes away or a signal ends the
 * program. EACH returns CLI_OK to go on. */
int kiln_follow(const struct kiln *kiln, const char *method, struct json_writer *params, kiln_show *each,
                void *arg);

/* A writer that holds {"key": value}; VALUE NULL: {}. */
struct json_writer kiln_params(const char *key, const char *value);

/* A kiln_show for a list in pages: each object of the array ARG (its name) is a line of JSON. */
int kiln_show_lines(const struct kiln *kiln, const struct json *result, void *arg);
/* Prints a result as one line of JSON. */
int kiln_show_json(const struct kiln *kiln, const struct json *result, void *arg);
/* "text (empty: -)" of a member, never NULL. */
const char *kiln_text(const struct json *object, const char *key);
int64_t kiln_int(const struct json *object, const char *key);

/* Commands, by group. ARGV begins behind the group's and the command's name. */
typedef int kiln_run(const struct kiln *kiln, int argc, char **argv);

struct kiln_command {
    const char *group, *name; /* NAME NULL: the group is the command */
    kiln_run *run;
    const char *usage; /* behind "kiln GROUP NAME" */
    const char *words; /* what it does */
};

extern const struct kiln_command kiln_vm_commands[], kiln_object_commands[], kiln_daemon_commands[],
    kiln_store_commands[], kiln_release_commands[]; /* each ends with a NULL group */

#endif
