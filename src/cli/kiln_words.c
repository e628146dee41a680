/*
 * kiln: the words behind a command. In: argv. Out: options and words, or what is wrong. Kept: nothing.
 */
#include <string.h>

#include "src/cli/kiln.h"

static const struct kiln_option *find_option(const struct kiln_option *options, const char *name)
{
    for (; options && options->name; options++)
        if (strcmp(options->name, name) == 0)
            return options;
    return NULL;
}

/* Takes one option; *AT moves to its value. */
static int take_option(int argc, char **argv, const struct kiln_option *options, int *at)
{
    const struct kiln_option *option = find_option(options, argv[*at]);
    if (!option)
        return cli_usage_error("there is no option %s here", argv[*at]);
    if (option->flag) {
        *option->flag = true;
        return CLI_OK;
    }
    if (++*at == argc)
        return cli_usage_error("%s needs a value", option->name);
    *option->value = argv[*at];
    return CLI_OK;
}

int kiln_words_read(int argc, char **argv, const struct kiln_option *options, size_t min, size_t max,
                    struct kiln_words *ret_words)
{
    struct kiln_words words = {.count = 0};
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            int exit_code = take_option(argc, argv, options, &i);
            if (exit_code != CLI_OK)
                return exit_code;
        } else if (words.count < max) {
            words.word[words.count++] = argv[i];
        } else {
            return cli_usage_error("'%s' is one word too many", argv[i]);
        }
    }
    if (words.count < min)
        return cli_usage_error("a word is missing");
    *ret_words = words;
    return CLI_OK;
}
