/*
 * kiln store: check, dump and back up the store in use, by asking kilnd; a file, or a store that kilnd cannot
 * open, by having kilnd's program do it and end.
 *
 * In: words. Out: calls, lines; or another program in the place of this one. Kept: nothing.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/cli/kiln.h"
#include "src/io/config.h"

/* Runs the kilnd that lies beside this program, else the one of PATH. Returns only when there is none. */
static int run_kilnd(const char *option, const char *file, const char *config)
{
    char path[PATH_MAX];
    char *argv[] = {"kilnd", (char *)option, (char *)file, "-c", (char *)config, NULL};
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - sizeof "kilnd");
    char *slash = len > 0 ? memrchr(path, '/', (size_t)len) : NULL;
    fflush(stdout);
    if (slash) {
        strcpy(slash + 1, "kilnd");
        execv(path, argv);
    }
    execvp("kilnd", argv);
    return cli_local_error("kilnd cannot be run: %s", strerror(errno));
}

/* The file a command names, if it does. */
static int file_read(int argc, char **argv, const struct cli_option *options, size_t min, const char **file)
{
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, options, min, 1, &words);
    *file = exit_code == CLI_OK && words.count ? words.word[0] : NULL;
    return exit_code;
}

static const char *config_of(const struct kiln *kiln)
{
    return kiln->config ? kiln->config : CONFIG_DEFAULT_PATH;
}

static void show_numbers(const struct json *result)
{
    static const char *const names[] = {"format", "transaction", "pages", "free_pages"};
    const struct json *records = json_member(result, "records");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cli_print_row(names[i], 12, kiln_text(result, names[i]));
    for (size_t i = 0; i < json_count(records); i++)
        cli_print_row(json_key_at(records, i), 12, kiln_text(records, json_key_at(records, i)));
}

static int show_check(const struct kiln *kiln, const struct json *result, void *arg)
{
    bool good = json_bool(json_member(result, "good"));
    (void)arg;
    if (kiln->json)
        return kiln_show_json(kiln, result, NULL), good ? CLI_OK : CLI_REFUSED;
    if (!good) {
        printf("%s\n", kiln_text(result, "words"));
        return CLI_REFUSED;
    }
    puts("the store is whole");
    show_numbers(result);
    return CLI_OK;
}

static int check(const struct kiln *kiln, int argc, char **argv)
{
    const char *file;
    int exit_code = file_read(argc, argv, NULL, 0, &file);
    if (exit_code != CLI_OK)
        return exit_code;
    return file ? run_kilnd("--store-check", file, config_of(kiln))
                : kiln_call_shown(kiln, "store.check", NULL, show_check, NULL);
}

static void write_database(struct json_writer *params, void *arg)
{
    const char *const *names = arg;
    if (names[1])
        json_write_text(params, "database", names[1]);
}

static int show_records(const struct kiln *kiln, const struct json *result, void *arg)
{
    const char *const *names = arg;
    return kiln_show_lines(kiln, result, (void *)names[0]);
}

static int dump(const struct kiln *kiln, int argc, char **argv)
{
    const char *names[2] = {"records", NULL}; /* of the list; of the database that is asked for */
    const char *file;
    const struct cli_option options[] = {CLI_VALUE("--database", &names[1]), CLI_END};
    struct kiln plain = *kiln;
    int exit_code = file_read(argc, argv, options, 0, &file);
    if (exit_code != CLI_OK)
        return exit_code;
    if (file && names[1])
        return cli_usage_error("--database is for the store in use");
    plain.json = false;
    return file ? run_kilnd("--store-dump", file, config_of(kiln))
                : kiln_call_pages(&plain, "store.dump", "after", write_database, show_records, names);
}

static int show_backup(const struct kiln *kiln, const struct json *result, void *arg)
{
    (void)kiln;
    (void)arg;
    cli_print_row("path", 12, kiln_text(result, "path"));
    cli_print_row("bytes", 12, kiln_text(result, "bytes"));
    cli_print_row("audit head", 12, kiln_text(result, "head"));
    show_numbers(result);
    return CLI_OK;
}

/* kilnd writes the file, and has another working folder. */
static int backup(const struct kiln *kiln, int argc, char **argv)
{
    char path[PATH_MAX];
    struct cli_words words;
    size_t len = 0;
    int exit_code = cli_words_read(argc, argv, NULL, 1, 1, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    const char *file = words.word[0];
    if (file[0] != '/') {
        if (!getcwd(path, sizeof path))
            return cli_local_error("no working folder: %s", strerror(errno));
        len = strlen(path);
        path[len++] = '/';
    }
    if (strlen(file) >= sizeof path - len)
        return cli_usage_error("the path is too long");
    strcpy(path + len, file);
    struct json_writer params = kiln_params("path", path);
    return kiln_call(kiln, "store.backup", &params, show_backup, NULL);
}

static int restore(const struct kiln *kiln, int argc, char **argv)
{
    const char *file;
    int exit_code = file_read(argc, argv, NULL, 1, &file);
    return exit_code != CLI_OK ? exit_code : run_kilnd("--store-restore", file, config_of(kiln));
}

const struct kiln_command kiln_store_commands[] = {
    {"store", "check", check, "[FILE]",
     "checks every page and record of the store in use, or of a backup; exit code 1 when it is damaged"},
    {"store", "dump", dump, "[--database NAME] | FILE",
     "prints every record of the store in use, or of a backup, one JSON object a line"},
    {"store", "backup", backup, "FILE",
     "copies the store, as it is at one moment, to a new file of kilnd's user (0600), and checks that"},
    {"store", "restore", restore, "FILE",
     "puts a backup in the place of the store; while kilnd is stopped, as root or its user"},
    {NULL, NULL, NULL, NULL, NULL},
};
