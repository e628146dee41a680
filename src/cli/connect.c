/*
 * kiln-connect: the owner's client, from a terminal and with no root.
 *
 * In: a command line. Out: a command's exit code (common.h). Kept: nothing but the profile's files.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/connect.h"
#include "src/io/locked.h"
#include "src/io/log.h"

static int run_explain(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    (void)connect;
    int exit_code = cli_words_read(argc, argv, NULL, 1, 1, &words);
    return exit_code == CLI_OK ? cli_explain(words.word[0]) : exit_code;
}

static const struct connect_command common_commands[] = {
    {"explain", NULL, run_explain, "CODE", "what a code means and what to do"},
    {NULL, NULL, NULL, NULL, NULL},
};

static const struct connect_command *const groups[] = {
    connect_key_commands, connect_vm_commands,  connect_drive_commands, connect_channel_commands,
    connect_ssh_commands, connect_web_commands, common_commands};

enum { GROUPS = sizeof groups / sizeof *groups };

static void print_help(void)
{
    puts("kiln-connect [options] COMMAND ...\n\ncommands:");
    for (size_t g = 0; g < GROUPS; g++) {
        for (const struct connect_command *command = groups[g]; command->name; command++) {
            char line[128];
            snprintf(line, sizeof line, "%s%s%s %s", command->name, command->second ? " " : "",
                     command->second ? command->second : "", command->usage);
            printf("  %-54s %s\n", line, command->words);
        }
    }
    puts("\nA VM or drive is named by its name, its id or the first four or more characters of its id.\n"
         "\noptions (before the command):\n"
         "  --url https://HOST:PORT   the host's owner listener (kept in the profile)\n"
         "  --host-identity HEX       its identity's fingerprint, instead of asking at the first use\n"
         "  --profile FOLDER          instead of ~/.config/kiln\n"
         "  --passphrase-fd N         read the pass phrase of the key from descriptor N, not from the "
         "terminal\n"
         "  --json                    lists and objects as JSON, one a line\n"
         "  --help, --version         --help also after a command: how that is used\n"
         "\nexit codes: 0 done, 1 refused or failed (the code stands on stderr), 2 wrong usage, 3 the host "
         "cannot be\n"
         "reached or is not available now, 4 not found, 5 not allowed, 6 a file of this machine, 7 the host "
         "is not the\n"
         "one that was pinned. ssh and terminal end with the exit code of what ran.");
}

static const struct connect_command *find_command(int argc, char **argv, int *ret_used)
{
    for (size_t g = 0; g < GROUPS; g++) {
        for (const struct connect_command *command = groups[g]; command->name; command++) {
            if (strcmp(command->name, argv[0]) != 0)
                continue;
            if (command->second && (argc < 2 || strcmp(command->second, argv[1]) != 0))
                continue;
            *ret_used = command->second ? 2 : 1;
            return command;
        }
    }
    return NULL;
}

static void print_usage(FILE *to, const struct connect_command *command)
{
    fprintf(to, "usage: kiln-connect %s%s%s %s\n", command->name, command->second ? " " : "",
            command->second ? command->second : "", command->usage);
}

static int run_command(struct connect *connect, int argc, char **argv)
{
    int used;
    if (argc == 0)
        return cli_usage_error("a command is missing");
    const struct connect_command *command = find_command(argc, argv, &used);
    if (!command)
        return cli_usage_error("there is no command '%s%s%s'", argv[0], argc > 1 ? " " : "",
                               argc > 1 ? argv[1] : "");
    if (argc > used && strcmp(argv[used], "--help") == 0) {
        print_usage(stdout, command);
        puts(command->words);
        return CLI_OK;
    }
    int exit_code = command->run(connect, argc - used, argv + used);
    if (exit_code == CLI_USAGE)
        print_usage(stderr, command);
    return exit_code;
}

/* The option at *AT, and its value; false when it is none. */
static bool take_global(struct connect *connect, int argc, char **argv, int *at, const char **fd)
{
    const struct {
        const char *name;
        const char **value;
    } options[] = {{"--url", &connect->url_option},
                   {"--host-identity", &connect->identity_option},
                   {"--profile", &connect->profile_option},
                   {"--passphrase-fd", fd}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (strcmp(argv[*at], options[i].name) == 0 && *at + 1 < argc) {
            *options[i].value = argv[++*at];
            return true;
        }
    }
    connect->json |= strcmp(argv[*at], "--json") == 0;
    return strcmp(argv[*at], "--json") == 0;
}

/* The descriptor of --passphrase-fd, which no program that we start inherits. */
static int take_passphrase_fd(struct connect *connect, const char *text)
{
    if (!text)
        return CLI_OK;
    if (strlen(text) > 6 || !*text || strspn(text, "0123456789") != strlen(text) ||
        fcntl(atoi(text), F_SETFD, FD_CLOEXEC) < 0)
        return cli_usage_error("--passphrase-fd needs the number of an open descriptor");
    connect->passphrase_fd = atoi(text);
    return CLI_OK;
}

int main(int argc, char **argv)
{
    struct connect connect = {.passphrase_fd = -1};
    const char *fd = NULL;
    int at = 1;
    cli_set_program("kiln-connect");
    locked_forbid_dumps();
    log_set_level(LOG_LEVEL_ERROR);
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--help") == 0) {
            print_help();
            return CLI_OK;
        }
        if (strcmp(argv[at], "--version") == 0) {
            puts("kiln-connect " KILN_VERSION);
            return CLI_OK;
        }
        if (!take_global(&connect, argc, argv, &at, &fd))
            return cli_usage_error("%s is no option, or its value is missing", argv[at]);
    }
    int exit_code = take_passphrase_fd(&connect, fd);
    if (exit_code == CLI_OK)
        exit_code = run_command(&connect, argc - at, argv + at);
    connect_close(&connect);
    return exit_code;
}
