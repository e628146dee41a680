/*
 * kiln-connect: the words behind a command. In: argv. Out: options and words, or what is wrong. Kept:
 * nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "src/cli/connect.h"

static const struct connect_option *find_option(const struct connect_option *options, const char *name)
{
    for (; options && options->name; options++)
        if (strcmp(options->name, name) == 0)
            return options;
    return NULL;
}

/* Takes one option; *AT moves to its value. */
static int take_option(int argc, char **argv, const struct connect_option *options, int *at)
{
    const struct connect_option *option = find_option(options, argv[*at]);
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
    if (option->values->count == CONNECT_REPEATS_MAX)
        return cli_usage_error("%s stands more than %d times", option->name, CONNECT_REPEATS_MAX);
    option->values->item[option->values->count++] = argv[*at];
    return CLI_OK;
}

int connect_words_read(int argc, char **argv, const struct connect_option *options, size_t min, size_t max,
                       struct connect_words *ret_words)
{
    struct connect_words words = {.count = 0};
    for (int i = 0; i < argc && !words.rest; i++) {
        if (strcmp(argv[i], "--") == 0) {
            words.rest = argv + i + 1;
        } else if (strncmp(argv[i], "--", 2) == 0) {
            int exit_code = take_option(argc, argv, options, &i);
            if (exit_code != CLI_OK)
                return exit_code;
        } else if (words.count < max && words.count < CONNECT_WORDS_MAX) {
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

int connect_size_parse(const char *text, int64_t *ret_mib)
{
    static const struct {
        const char *unit;
        int64_t mib;
    } units[] = {{"MiB", 1}, {"GiB", 1024}, {"TiB", 1048576}, {"M", 1}, {"G", 1024}, {"T", 1048576}};
    size_t digits = strspn(text, "0123456789");
    long long number = strtoll(text, NULL, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (digits > 0 && digits < 8 && number > 0 && strcmp(text + digits, units[i].unit) == 0) {
            *ret_mib = number * units[i].mib;
            return CLI_OK;
        }
    }
    return cli_usage_error("'%s' is no size, as in 512MiB or 10GiB", text);
}
