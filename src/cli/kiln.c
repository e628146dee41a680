/*
 * kiln: the operator's command. Options, help, and the way to each command.
 *
 * In: argv. Out: an exit code (common.h). Kept: nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/cli/kiln.h"
#include "src/io/config.h"
#include "src/io/locked.h"

static const struct kiln_command *const groups[] = {
    kiln_vm_commands, kiln_object_commands, kiln_daemon_commands, kiln_store_commands, kiln_release_commands};

enum { GROUPS = sizeof groups / sizeof groups[0] };

static void print_command(FILE *to, const struct kiln_command *command)
{
    char line[160];
    snprintf(line, sizeof line, "kiln %s%s%s %s", command->group, command->name ? " " : "",
             command->name ? command->name : "", command->usage);
    fprintf(to, "  %s\n        %s\n", line, command->words);
}

static bool is_group(const char *word)
{
    for (size_t i = 0; i < GROUPS; i++)
        for (const struct kiln_command *c = groups[i]; c->group; c++)
            if (strcmp(word, c->group) == 0)
                return true;
    return false;
}

static void print_help(FILE *to, const char *group)
{
    fputs("usage: kiln [--socket PATH] [--config FILE] [--json] COMMAND\n\n", to);
    for (size_t i = 0; i < GROUPS; i++)
        for (const struct kiln_command *c = groups[i]; c->group; c++)
            if (!group || strcmp(group, c->group) == 0)
                print_command(to, c);
    fputs("\noptions, anywhere on the line:\n"
          "  --socket PATH  kilnd's control.sock (else from the configuration's run_dir)\n"
          "  --config FILE  the configuration (" CONFIG_DEFAULT_PATH ")\n"
          "  --json         results as JSON, one object a line\n"
          "  --help, --version\n"
          "\nexit codes: 0 done, 1 refused or failed, 2 wrong command line, 3 kilnd cannot be reached,\n"
          "4 no such object, 5 not allowed, 6 a local file cannot be read or written\n",
          to);
}

struct globals {
    struct kiln kiln;
    bool help, version;
};

/* Takes the global options out of ARGV. Returns the words left, or -1 when a value is missing. */
static int take_globals(int argc, char **argv, struct globals *globals)
{
    int left = 0;
    for (int i = 0; i < argc; i++) {
        const char **value = NULL;
        bool release =
            left > 0 && strcmp(argv[0], "release") == 0; /* has --version and --config of its own */
        if (strcmp(argv[i], "--json") == 0)
            globals->kiln.json = true;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            globals->help = true;
        else if (strcmp(argv[i], "--version") == 0 && !release)
            globals->version = true;
        else if (strcmp(argv[i], "--socket") == 0)
            value = &globals->kiln.socket;
        else if (strcmp(argv[i], "--config") == 0 && !release)
            value = &globals->kiln.config;
        else
            argv[left++] = argv[i];
        if (value && ++i == argc)
            return -1;
        if (value)
            *value = argv[i];
    }
    return left;
}

/* The socket beside the configuration's run_dir. A configuration that is not there leaves the default
 * folder. */
static int find_socket(const struct globals *globals, char path[512])
{
    struct config config;
    char error[CONFIG_ERROR_MAX];
    const char *file = globals->kiln.config ? globals->kiln.config : CONFIG_DEFAULT_PATH;
    int rc = config_load(file, &config, error);
    if (rc && (globals->kiln.config || rc == -EINVAL))
        return cli_local_error("%s", error);
    snprintf(path, 512, "%s/control.sock", rc ? "/run/kiln" : config.run_dir);
    if (!rc)
        config_finish(&config);
    return CLI_OK;
}

static const struct kiln_command *find_command(int argc, char **argv, int *ret_words)
{
    for (size_t i = 0; i < GROUPS; i++)
        for (const struct kiln_command *c = groups[i]; c->group; c++) {
            bool named = argc > 0 && strcmp(argv[0], c->group) == 0;
            if (!named || (c->name && (argc < 2 || strcmp(argv[1], c->name) != 0)))
                continue;
            *ret_words = c->name ? 2 : 1;
            return c;
        }
    return NULL;
}

int main(int argc, char **argv)
{
    struct globals globals = {{0}, 0, 0};
    char path[512];
    int words = 0;
    cli_set_program("kiln");
    locked_forbid_dumps();
    int left = take_globals(argc - 1, argv + 1, &globals);
    argv++;
    if (left < 0)
        return cli_usage_error("an option needs a value");
    if (globals.version) {
        puts("kiln " KILN_VERSION);
        return CLI_OK;
    }
    if (left > 0 && !is_group(argv[0]))
        return cli_usage_error("there is no command '%s'", argv[0]);
    if (globals.help || left == 0) {
        print_help(globals.help ? stdout : stderr, left > 0 ? argv[0] : NULL);
        return globals.help ? CLI_OK : CLI_USAGE;
    }
    const struct kiln_command *command = find_command(left, argv, &words);
    if (!command)
        return cli_usage_error("there is no command '%s%s%s'", argv[0], left > 1 ? " " : "",
                               left > 1 ? argv[1] : "");
    bool local = strcmp(command->group, "release") == 0 || strcmp(command->group, "explain") == 0;
    if (!globals.kiln.socket && !local && find_socket(&globals, path) != CLI_OK)
        return CLI_LOCAL;
    if (!globals.kiln.socket)
        globals.kiln.socket = path;
    return command->run(&globals.kiln, left - words, argv + words);
}
