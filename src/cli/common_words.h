/*
 * The words behind a command, of kiln and kiln-connect. In: argv. Out: options and words, or what is wrong.
 * Kept: nothing.
 */
#ifndef KILN_CLI_COMMON_WORDS_H
#define KILN_CLI_COMMON_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CLI_WORDS_MAX = 16,
    CLI_REPEATS_MAX = 8, /* of an option that may stand more than once */
};

struct cli_list {
    const char *item[CLI_REPEATS_MAX];
    size_t count;
};

/* An option of a command; a list of them ends with CLI_END. */
struct cli_option {
    const char *name;        /* "--force" */
    bool *flag;              /* where a flag goes, */
    const char **value;      /* or a value, */
    struct cli_list *values; /* or values */
};

#define CLI_FLAG(name, flag)                                                                                 \
    {                                                                                                        \
        (name), (flag), NULL, NULL                                                                           \
    }
#define CLI_VALUE(name, value)                                                                               \
    {                                                                                                        \
        (name), NULL, (value), NULL                                                                          \
    }
#define CLI_VALUES(name, values)                                                                             \
    {                                                                                                        \
        (name), NULL, NULL, (values)                                                                         \
    }
#define CLI_END                                                                                              \
    {                                                                                                        \
        NULL, NULL, NULL, NULL                                                                               \
    }

struct cli_words {
    const char *word[CLI_WORDS_MAX]; /* borrowed from argv, like all here */
    size_t count;
    char **rest; /* what stands behind "--", ended by NULL; NULL when it does not stand there */
};

/* Takes the words behind a command apart: MIN to MAX words, options (may be NULL) anywhere among them.
 * Returns CLI_OK, or CLI_USAGE, said to the user. The second takes "--" and what stands behind it, too. */
int cli_words_read(int argc, char **argv, const struct cli_option *options, size_t min, size_t max,
                   struct cli_words *ret_words);
int cli_words_read_rest(int argc, char **argv, const struct cli_option *options, size_t min, size_t max,
                        struct cli_words *ret_words);

#endif
