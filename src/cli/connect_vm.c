/*
 * kiln-connect: bricks and VMs. In: words. Out: requests of the owner API, tables. Kept: nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "src/cli/connect.h"

enum { PATH_BYTES = 128 };

/* Takes the words and opens the session. */
static int begin(struct connect *connect, int argc, char **argv, const struct cli_option *options, size_t min,
                 size_t max, struct cli_words *words)
{
    int exit_code = cli_words_read(argc, argv, options, min, max, words);
    return exit_code == CLI_OK ? connect_open(connect) : exit_code;
}

static int print_item(struct connect *connect, const struct json *item, void *arg)
{
    (void)connect;
    (void)arg;
    connect_print_json(item);
    return CLI_OK;
}

/* A list: as JSON, or as a table whose rows EACH adds. */
static int show_list(struct connect *connect, const char *path, const char *key, const char *const *heads,
                     connect_each *each, const char *empty)
{
    if (connect->json)
        return connect_each_of(connect, path, key, print_item, NULL);
    struct table *table = table_create(heads);
    int exit_code = connect_each_of(connect, path, key, each, table);
    table_print(table, stdout, empty);
    return exit_code;
}

static int add_brick(struct connect *connect, const struct json *brick, void *table)
{
    (void)connect;
    table_cell(table, connect_shown(brick, "name"));
    table_cellf(table, "%lld", (long long)connect_int(brick, "vcpus"));
    table_cellf(table, "%lld MiB", (long long)connect_int(brick, "memory_mib"));
    table_cell(table, json_bool(json_member(brick, "applications")) ? "applications" : "terminal");
    table_cellf(table, "%.16s", connect_text(brick, "hash"));
    return CLI_OK;
}

static int run_bricks(struct connect *connect, int argc, char **argv)
{
    static const char *const heads[] = {"NAME", "VCPUS", "MEMORY", "OFFERS", "HASH", NULL};
    struct cli_words words;
    int exit_code = begin(connect, argc, argv, NULL, 0, 0, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    return show_list(connect, "/v1/bricks", "bricks", heads, add_brick, "no bricks: an operator adds them");
}

static int add_vm(struct connect *connect, const struct json *vm, void *table)
{
    (void)connect;
    table_cell(table, connect_shown(vm, "name"));
    table_cellf(table, "%.8s", connect_text(vm, "id"));
    table_cell(table, connect_shown(vm, "state"));
    table_cell(table, connect_shown(vm, "brick"));
    table_cellf(table, "%zu", json_count(json_member(vm, "drives")));
    table_cell(table, json_bool(json_member(vm, "unreachable")) ? "unreachable" : connect_shown(vm, "code"));
    table_cell(table, connect_shown(vm, "story"));
    return CLI_OK;
}

static int run_list(struct connect *connect, int argc, char **argv)
{
    static const char *const heads[] = {"NAME", "ID", "STATE", "BRICK", "DRIVES", "CODE", "WHY", NULL};
    struct cli_words words;
    int exit_code = begin(connect, argc, argv, NULL, 0, 0, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    return show_list(connect, "/v1/vms", "vms", heads, add_vm, "no VMs: kiln-connect create");
}

static void print_row(const char *name, const char *text)
{
    cli_print_row(name, 10, *text ? text : "-");
}

static void print_drives(const struct json *vm)
{
    const struct json *drives = json_member(vm, "drives");
    for (size_t i = 0; i < json_count(drives); i++) {
        const struct json *drive = json_at(drives, i);
        char text[512];
        snprintf(text, sizeof text, "%s (%s) %s %s %s", connect_text(drive, "name"),
                 connect_text(drive, "mode"), connect_text(drive, "status"), connect_text(drive, "code"),
                 connect_text(drive, "detail"));
        print_row(i == 0 ? "drives" : "", text);
    }
}

static void print_vm(const struct json *vm)
{
    static const char *const rows[] = {"name",   "id",    "state", "story",   "code",
                                       "detail", "brick", "owner", "address", "key"};
    char time[CLI_TIME_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        print_row(rows[i], connect_text(vm, rows[i]));
    print_row("since", cli_time_text(connect_int(vm, "entered"), time));
    print_row("deadline", cli_time_text(connect_int(vm, "deadline"), time));
    print_row("created", cli_time_text(connect_int(vm, "created"), time));
    printf("%-10s %lld\n", "bridges", (long long)connect_int(vm, "bridges"));
    print_drives(vm);
}

static int run_show(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct json *vm;
    int exit_code = begin(connect, argc, argv, NULL, 1, 1, &words);
    if (exit_code == CLI_OK)
        exit_code = connect_find_vm(connect, words.word[0], &vm);
    if (exit_code != CLI_OK)
        return exit_code;
    if (connect->json)
        connect_print_json(vm);
    else
        print_vm(vm);
    json_destroy(vm);
    return CLI_OK;
}

/* Adds one "--drive DRIVE[:reader]". */
static int write_drive(struct connect *connect, struct json_writer *body, const char *word)
{
    char name[64];
    struct json *drive;
    const char *colon = strchr(word, ':');
    size_t len = colon ? (size_t)(colon - word) : strlen(word);
    if (len >= sizeof name || (colon && strcmp(colon, ":reader") != 0 && strcmp(colon, ":writer") != 0))
        return cli_usage_error("'%s' is not DRIVE, DRIVE:reader or DRIVE:writer", word);
    memcpy(name, word, len);
    name[len] = '\0';
    int exit_code = connect_find_drive(connect, name, &drive);
    if (exit_code != CLI_OK)
        return exit_code;
    json_write_object_begin(body, NULL);
    json_write_text(body, "drive", connect_text(drive, "id"));
    json_write_text(body, "mode", colon ? colon + 1 : "writer");
    json_write_object_end(body);
    json_destroy(drive);
    return CLI_OK;
}

static int send_create(struct connect *connect, const char *body)
{
    struct json *answer;
    int exit_code = connect_call(connect, "POST", "/v1/vms", body, true, &answer);
    if (exit_code != CLI_OK)
        return exit_code;
    if (connect->json)
        connect_print_json(answer);
    else
        print_row("created", connect_text(answer, "id"));
    json_destroy(answer);
    return CLI_OK;
}

static int run_create(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct cli_list drives = {.count = 0};
    const char *brick = NULL;
    const struct cli_option options[] = {CLI_VALUE("--brick", &brick), CLI_VALUES("--drive", &drives),
                                         CLI_END};
    int exit_code = cli_words_read(argc, argv, options, 1, 1, &words);
    if (exit_code == CLI_OK && !brick)
        exit_code = cli_usage_error("--brick is missing");
    if (exit_code == CLI_OK)
        exit_code = connect_open(connect);
    if (exit_code != CLI_OK)
        return exit_code;
    struct json_writer body = json_writer_init(0);
    json_write_object_begin(&body, NULL);
    json_write_text(&body, "name", words.word[0]);
    json_write_text(&body, "brick", brick);
    json_write_array_begin(&body, "drives");
    for (size_t i = 0; exit_code == CLI_OK && i < drives.count; i++)
        exit_code = write_drive(connect, &body, drives.item[i]);
    json_write_array_end(&body);
    json_write_object_end(&body);
    if (exit_code == CLI_OK)
        exit_code = send_create(connect, body.text);
    json_writer_finish(&body);
    return exit_code;
}

/* GET of what hangs below a VM. */
static int get_below(struct connect *connect, const char *word, const char *below, struct json **ret_answer)
{
    char path[PATH_BYTES];
    struct json *vm;
    int exit_code = connect_find_vm(connect, word, &vm);
    if (exit_code != CLI_OK)
        return exit_code;
    snprintf(path, sizeof path, "/v1/vms/%.36s/%s", connect_text(vm, "id"), below);
    json_destroy(vm);
    return connect_call(connect, "GET", path, NULL, false, ret_answer);
}

static void print_why(const struct json *why)
{
    static const char *const rows[] = {"state", "story", "waiting_for", "code", "words", "detail"};
    const struct json *console = json_member(why, "console");
    char time[CLI_TIME_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        print_row(rows[i], connect_text(why, rows[i]));
    print_row("deadline", cli_time_text(connect_int(why, "deadline"), time));
    for (size_t i = 0; i < json_count(console); i++)
        print_row(i == 0 ? "console" : "",
                  json_text(json_at(console, i)) ? json_text(json_at(console, i)) : "");
}

static int run_why(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct json *why;
    int exit_code = begin(connect, argc, argv, NULL, 1, 1, &words);
    if (exit_code == CLI_OK)
        exit_code = get_below(connect, words.word[0], "why", &why);
    if (exit_code != CLI_OK)
        return exit_code;
    if (connect->json)
        connect_print_json(why);
    else
        print_why(why);
    json_destroy(why);
    return CLI_OK;
}

static int add_step(struct connect *connect, const struct json *step, void *table)
{
    char time[CLI_TIME_BYTES];
    (void)connect;
    table_cell(table, cli_time_text(connect_int(step, "time"), time));
    table_cell(table, connect_shown(step, "from"));
    table_cell(table, connect_shown(step, "to"));
    table_cell(table, connect_shown(step, "actor"));
    table_cell(table, connect_shown(step, "code"));
    table_cell(table, connect_shown(step, "story"));
    return CLI_OK;
}

static int run_history(struct connect *connect, int argc, char **argv)
{
    static const char *const heads[] = {"TIME", "FROM", "TO", "ACTOR", "CODE", "STORY", NULL};
    struct cli_words words;
    struct json *vm;
    char path[PATH_BYTES];
    int exit_code = begin(connect, argc, argv, NULL, 1, 1, &words);
    if (exit_code == CLI_OK)
        exit_code = connect_find_vm(connect, words.word[0], &vm);
    if (exit_code != CLI_OK)
        return exit_code;
    snprintf(path, sizeof path, "/v1/vms/%.36s/history", connect_text(vm, "id"));
    json_destroy(vm);
    return show_list(connect, path, "history", heads, add_step, "no history");
}

static int send_destroy(struct connect *connect, const char *id, const char *reason, bool force)
{
    char path[PATH_BYTES];
    struct json *answer;
    struct json_writer body = json_writer_init(0);
    snprintf(path, sizeof path, "/v1/vms/%.36s", id);
    json_write_object_begin(&body, NULL);
    if (reason)
        json_write_text(&body, "reason", reason);
    json_write_bool(&body, "force", force);
    json_write_object_end(&body);
    int exit_code = connect_call(connect, "DELETE", path, body.text, true, &answer);
    json_writer_finish(&body);
    if (exit_code != CLI_OK)
        return exit_code;
    if (connect->json)
        connect_print_json(answer);
    else
        print_row(connect_text(answer, "state"), connect_text(answer, "id"));
    json_destroy(answer);
    return CLI_OK;
}

static int run_destroy(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct json *vm;
    const char *reason = NULL;
    bool force = false;
    const struct cli_option options[] = {CLI_VALUE("--reason", &reason), CLI_FLAG("--force", &force),
                                         CLI_END};
    int exit_code = begin(connect, argc, argv, options, 1, 1, &words);
    if (exit_code == CLI_OK)
        exit_code = connect_find_vm(connect, words.word[0], &vm);
    if (exit_code != CLI_OK)
        return exit_code;
    connect_say_object("destroys ", words.word[0], vm);
    exit_code = send_destroy(connect, connect_text(vm, "id"), reason, force);
    json_destroy(vm);
    return exit_code;
}

static int run_me(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct json *me;
    int exit_code = begin(connect, argc, argv, NULL, 0, 0, &words);
    if (exit_code == CLI_OK)
        exit_code = connect_call(connect, "GET", "/v1/me", NULL, false, &me);
    if (exit_code != CLI_OK)
        return exit_code;
    if (connect->json) {
        connect_print_json(me);
    } else {
        print_row("name", connect_text(me, "name"));
        print_row("role", connect_text(me, "role"));
        print_row("key", connect_text(me, "fingerprint"));
    }
    json_destroy(me);
    return CLI_OK;
}

const struct connect_command connect_vm_commands[] = {
    {"me", NULL, run_me, "", "who you are to the host"},
    {"bricks", NULL, run_bricks, "", "what VMs can be made of"},
    {"list", NULL, run_list, "", "your VMs"},
    {"show", NULL, run_show, "VM", "everything about one"},
    {"create", NULL, run_create, "NAME --brick BRICK [--drive DRIVE[:reader]]...", "makes a VM"},
    {"watch", NULL, connect_watch_run, "[VM] [--until STATE] [--timeout S]", "changes as they happen"},
    {"why", NULL, run_why, "VM", "what it waits for, or why it ended"},
    {"history", NULL, run_history, "VM", "everything that happened to it"},
    {"destroy", NULL, run_destroy, "VM [--reason WORDS] [--force]", "ends it; its drives stay"},
    {NULL, NULL, NULL, NULL, NULL},
};
