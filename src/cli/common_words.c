/*
 * The words behind a command. See common_words.h.
 */
#include "src/cli/common_words.h"

#include <string.h>

#include "src/cli/common.h"

static const struct cli_option *find_option(const struct cli_option *options, const char *name)
{
    for (; options && options->name; options++)
        if (strcmp(options->name, name) == 0)
            return options;
    return NULL;
}

/* Takes one option; *AT moves to its value. */
static int take_option(int argc, char **argv, const struct cli_option *options, int *at)
{
    const struct cli_option *option = find_option(options, argv[*at]);
    if (!option)
        return cli_usage_error("there is no option %s here", argv[*at]);
    if (option->flag) {
        *option->flag = true;
        return CLI_OK;
    }
    if (++*at == argc)
        return cli_usage_error("%s needs a value", option->name);
    if (option->value) {
        *option->value = argv[*at];
        return CLI_OK;
    }
    if (option->values->count == CLI_REPEATS_MAX)
        return cli_usage_error("%s stands more than %d times", option->name, CLI_REPEATS_MAX);
    option->values->item[option->values->count++] = argv[*at];
    return CLI_OK;
}

int cli_words_read_rest(int argc, char **argv, const struct cli_option *options, size_t min, size_t max,
                        struct cli_words *ret_words)
{
    struct cli_words words = {.count = 0};
    for (int i = 0; i < argc && !words.rest; i++) {
        if (strcmp(argv[i], "--") == 0) {
            words.rest = argv + i + 1;
        } else if (strncmp(argv[i], "--", 2) == 0) {
            int exit_code = take_option(argc, argv, options, &i);
            if (exit_code != CLI_OK)
                return exit_code;
        } else if (words.count < max && words.count < CLI_WORDS_MAX) {
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

int cli_words_read(int argc, char **argv, const struct cli_option *options, size_t min, size_t max,
                   struct cli_words *ret_words)
{
    struct cli_words words = {.count = 0};
    int exit_code = cli_words_read_rest(argc, argv, options, min, max, &words);
    if (exit_code == CLI_OK && words.rest)
        return cli_usage_error("nothing may stand behind --");
    if (exit_code == CLI_OK)
        *ret_words = words;
    return exit_code;
}
