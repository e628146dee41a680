/*
 * What the programs for people share: tables, failures, exit codes, times.
 *
 * In: texts, which may come from a guest or another user. Out: lines on a terminal, with nothing in them that
 * a terminal would obey. Kept: a table until it is printed.
 */
#ifndef KILN_CLI_COMMON_H
#define KILN_CLI_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes, the same for kiln and kiln-connect; --help lists them. */
enum cli_exit {
    CLI_OK = 0,
    CLI_REFUSED = 1,     /* asked and refused, or it failed: the stable code stands on stderr */
    CLI_USAGE = 2,       /* the command line is wrong; nothing was asked */
    CLI_UNREACHABLE = 3, /* the daemon or host cannot be reached */
    CLI_NOT_FOUND = 4,   /* refused with NOT_FOUND */
    CLI_NOT_ALLOWED = 5, /* refused because of who asks */
    CLI_LOCAL = 6        /* a file of this machine cannot be read or written */
};

/* The name that begins each line on stderr; set once by main. */
void cli_set_program(const char *name);

/* One line "program: words" on stderr. Returns CLI_USAGE, CLI_LOCAL: what the function's name says. */
int cli_usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cli_local_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cli_unreachable_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says a failure: its stable code's name, its words, its detail (each may be NULL), and what to do next when
 * the name is known. Returns the exit code that goes with it. */
int cli_failure(const char *code_name, const char *words, const char *detail);

/* Failures are not said while it is on: for what is tried again and again. */
void cli_mute(bool on);

/* Prints the row of a stable code in full (`explain`). Returns CLI_OK or CLI_USAGE for a name that is
 * none. */
int cli_explain(const char *code_name);

/* Prints text with control characters and bytes that are not UTF-8's as '?'. */
void cli_print_text(FILE *to, const char *text);
/* How many places cli_print_text takes for it. */
size_t cli_text_width(const char *text);
/* A line of a name, made at least WIDTH wide, and a text. Neither need be ours. */
void cli_print_row(const char *name, int width, const char *text);
/* A line of JSON, in which C1 controls (U+0080 to U+009F) are escaped; others are in any JSON. */
void cli_print_json(const char *text);

#define CLI_TIME_BYTES 32
/* "2026-11-22 21:20:20" in local time; "-" for 0. */
const char *cli_time_text(int64_t ms, char to[CLI_TIME_BYTES]);
/* "45 s", "12 min", "3 h", "2 d"; "-" for less than 0. */
const char *cli_span_text(int64_t ms, char to[CLI_TIME_BYTES]);

struct table;

/* HEADS: titles of the columns, ended by NULL, borrowed. Ends the program when there is no memory, here and
 * below: nothing is lost that could be kept. */
struct table *table_create(const char *const *heads);
/* The next cell, row by row; NULL stands for "". */
void table_cell(struct table *table, const char *text);
void table_cellf(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints columns aligned, titles first, and frees the table. A table without rows prints `empty` instead. */
void table_print(struct table *table, FILE *to, const char *empty);

#endif
