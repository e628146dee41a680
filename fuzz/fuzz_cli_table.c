/* links: kiln_io src/cli/common.c src/cli/common_table.c src/cli/common_words.c */
/*
 * Words of a guest or of another user in a table, a row and JSON on a terminal. Input: how many columns, then
 * cells, a NUL after each. Claims: nothing is printed that a terminal obeys, all of it is UTF-8; a table has
 * a line for each row, and its columns stand below each other.
 */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/text.h"
#include "src/cli/common.h"

enum { COLUMNS_MAX = 4, CELLS_MAX = 64 };

static const char *const titles[COLUMNS_MAX] = {"A", "BB", "\xc3\xbc", "D"};

static void check_printed(const char *text, size_t len)
{
    CLAIM(utf8_valid_prefix(text, len) == len);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        CLAIM((c >= 0x20 && c != 0x7f) || c == '\n');
        CLAIM(c != 0xc2 || (unsigned char)text[i + 1] >= 0xa0);
    }
}

/* What PRINT writes to the standard output; the caller frees it. */
static char *printed(void (*print)(const char *text), const char *text, size_t *ret_len)
{
    char *bytes = NULL;
    FILE *before = stdout;
    stdout = open_memstream(&bytes, ret_len);
    CLAIM(stdout);
    print(text);
    fclose(stdout);
    stdout = before;
    return bytes;
}

static void print_row(const char *text)
{
    cli_print_row(text, 12, text);
}

/* A JSON text holds no control as it is, and what is printed of it still means the same to a reader of JSON.
 */
static void check_json(const char *text)
{
    size_t len;
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return;
    if (utf8_valid_prefix(text, strlen(text)) != strlen(text))
        return;
    char *bytes = printed(cli_print_json, text, &len);
    check_printed(bytes, len);
    free(bytes);
}

static size_t characters(const char *text, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* The last column's title stands at COLUMN; what precedes a cell of it is a space, in every line. */
static void check_lines(const char *text, size_t len, size_t rows, size_t columns)
{
    const char *end = memchr(text, '\n', len);
    const char *last = strstr(text, titles[columns - 1]);
    size_t lines = 0;
    CLAIM(end && last && last < end);
    size_t column = characters(text, (size_t)(last - text));
    for (const char *at = text; at < text + len; at = end + 1, lines++) {
        end = memchr(at, '\n', (size_t)(text + len - at));
        CLAIM(end && characters(at, (size_t)(end - at)) >= column);
        const char *before = at;
        for (size_t seen = 0; seen + 1 < column; before++)
            seen += ((unsigned char)before[1] & 0xc0) != 0x80;
        CLAIM(column == 0 || *before == ' ');
    }
    CLAIM(lines == rows + 1);
}

static void check_table(size_t columns, const char *cells, size_t len)
{
    const char *heads[COLUMNS_MAX + 1] = {0};
    char *bytes = NULL;
    size_t printed_len, count = 0;
    memcpy(heads, titles, columns * sizeof *heads);
    struct table *table = table_create(heads);
    for (size_t at = 0; at < len && count < CELLS_MAX; at += strlen(cells + at) + 1, count++)
        table_cell(table, cells + at);
    while (count % columns != 0) {
        table_cell(table, NULL);
        count++;
    }
    FILE *to = open_memstream(&bytes, &printed_len);
    CLAIM(to);
    table_print(table, to, "nothing");
    fclose(to);
    check_printed(bytes, printed_len);
    if (count > 0)
        check_lines(bytes, printed_len, count / columns, columns);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len;
    if (size == 0)
        return 0;
    char *text = input_text(data + 1, size - 1);
    char *row = printed(print_row, text, &len);
    check_printed(row, len);
    free(row);
    check_json(text);
    check_table(1 + data[0] % COLUMNS_MAX, text, size - 1);
    free(text);
    return 0;
}
