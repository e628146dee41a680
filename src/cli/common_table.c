/*
 * Tables for people: columns as wide as their widest cell, two spaces apart. common.h says how they are used.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/common.h"

struct table {
    const char *const *heads; /* borrowed */
    size_t columns;
    size_t *widths; /* owned: of each column, when it is printed */
    char **cells;   /* owned, each */
    size_t count, room;
};

static void *checked(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(CLI_LOCAL);
    }
    return memory;
}

struct table *table_create(const char *const *heads)
{
    struct table *table = checked(calloc(1, sizeof *table));
    table->heads = heads;
    do {
        table->columns++;
    } while (heads[table->columns]);
    table->widths = checked(calloc(table->columns, sizeof *table->widths));
    return table;
}

void table_cell(struct table *table, const char *text)
{
    if (table->count == table->room) {
        table->room = table->room ? table->room * 2 : 64;
        table->cells = checked(realloc(table->cells, table->room * sizeof *table->cells));
    }
    table->cells[table->count++] = checked(strdup(text ? text : ""));
}

void table_cellf(struct table *table, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    table_cell(table, text);
}

static size_t column_width(const struct table *table, size_t column)
{
    size_t widest = cli_text_width(table->heads[column]);
    for (size_t i = column; i < table->count; i += table->columns) {
        size_t width = cli_text_width(table->cells[i]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void print_cell(const struct table *table, FILE *to, size_t column, const char *text)
{
    cli_print_text(to, text);
    if (column + 1 == table->columns)
        fputc('\n', to);
    else
        fprintf(to, "%*s", (int)(table->widths[column] - cli_text_width(text) + 2), "");
}

static void table_destroy(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table->widths);
    free(table);
}

void table_print(struct table *table, FILE *to, const char *empty)
{
    if (table->count == 0)
        fprintf(to, "%s\n", empty);
    for (size_t i = 0; i < table->columns; i++)
        table->widths[i] = column_width(table, i);
    for (size_t i = 0; i < table->columns && table->count > 0; i++)
        print_cell(table, to, i, table->heads[i]);
    for (size_t i = 0; i < table->count; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): table_create counts one column at least */
        print_cell(table, to, i % table->columns, table->cells[i]);
    table_destroy(table);
}
