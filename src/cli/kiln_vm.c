/*
 * kiln vm: VMs. In: words. Out: calls, tables. Kept: nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/kiln.h"
#include "src/io/loop.h"

static int call_with_vm(const struct kiln *kiln, int argc, char **argv, const char *method, kiln_show *show)
{
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, NULL, 1, 1, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    struct json_writer params = kiln_params("vm", words.word[0]);
    return kiln_call(kiln, method, &params, show, NULL);
}

/* ---- list ---- */

static int add_vms(const struct kiln *kiln, const struct json *result, void *arg)
{
    struct table *table = arg;
    const struct json *vms = json_member(result, "vms");
    char span[CLI_TIME_BYTES];
    (void)kiln;
    for (size_t i = 0; i < json_count(vms); i++) {
        const struct json *vm = json_at(vms, i);
        table_cellf(table, "%.8s", kiln_text(vm, "id"));
        table_cell(table, kiln_text(vm, "name"));
        table_cell(table, kiln_text(vm, "owner"));
        table_cell(table, kiln_text(vm, "brick"));
        table_cellf(table, "%s%s", kiln_text(vm, "state"),
                    json_bool(json_member(vm, "unreachable"))  ? " (unreachable)"
                    : json_bool(json_member(vm, "recovering")) ? " (recovering)"
                                                               : "");
        table_cell(table, cli_span_text(loop_wall_ms() - kiln_int(vm, "entered"), span));
        table_cell(table, kiln_text(vm, "address"));
        table_cell(table, kiln_text(vm, "code"));
    }
    return CLI_OK;
}

static int vm_list(const struct kiln *kiln, int argc, char **argv)
{
    static const char *const heads[] = {"ID",    "NAME",    "OWNER", "BRICK", "STATE",
                                        "SINCE", "ADDRESS", "CODE",  NULL};
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, NULL, 0, 0, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    if (kiln->json)
        return kiln_call_pages(kiln, "vm.list", "after", NULL, NULL, NULL);
    struct table *table = table_create(heads);
    exit_code = kiln_call_pages(kiln, "vm.list", "after", NULL, add_vms, table);
    if (exit_code == CLI_OK)
        table_print(table, stdout, "no VMs");
    return exit_code;
}

/* ---- show ---- */

static void print_line(const char *title, const char *text)
{
    printf("%-16s", title);
    cli_print_text(stdout, text);
    putchar('\n');
}

static void print_time(const char *title, int64_t ms)
{
    char text[CLI_TIME_BYTES];
    print_line(title, cli_time_text(ms, text));
}

static void print_drives(const struct json *drives)
{
    static const char *const heads[] = {"DRIVE", "NAME", "MODE", "STATUS", "CODE", "DETAIL", NULL};
    struct table *table = table_create(heads);
    for (size_t i = 0; i < json_count(drives); i++) {
        const struct json *drive = json_at(drives, i);
        table_cell(table, kiln_text(drive, "id"));
        table_cell(table, kiln_text(drive, "name"));
        table_cell(table, kiln_text(drive, "mode"));
        table_cell(table, kiln_text(drive, "status"));
        table_cell(table, kiln_text(drive, "code"));
        table_cell(table, kiln_text(drive, "detail"));
    }
    table_print(table, stdout, "no drives");
}

static int show_vm(const struct kiln *kiln, const struct json *vm, void *arg)
{
    static const char *const keys[] = {"id",    "name", "owner",  "brick",   "state",
                                       "story", "code", "detail", "address", "key"};
    (void)kiln;
    (void)arg;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        print_line(keys[i], kiln_text(vm, keys[i]));
    print_time("created", kiln_int(vm, "created"));
    print_time("entered", kiln_int(vm, "entered"));
    print_time("deadline", kiln_int(vm, "deadline"));
    print_line("owner connected", json_bool(json_member(vm, "owner_connected")) ? "yes" : "no");
    print_line("unreachable", json_bool(json_member(vm, "unreachable")) ? "yes" : "no");
    print_line("recovering", json_bool(json_member(vm, "recovering")) ? "yes" : "no");
    printf("%-16s%lld\n\n", "bridges", (long long)kiln_int(vm, "bridges"));
    print_drives(json_member(vm, "drives"));
    return CLI_OK;
}

static int vm_show(const struct kiln *kiln, int argc, char **argv)
{
    return call_with_vm(kiln, argc, argv, "vm.show", show_vm);
}

/* ---- create and destroy ---- */

/* "NAME" or "NAME:reader", separated by commas. */
static void write_drives(struct json_writer *params, const char *list)
{
    json_write_array_begin(params, "drives");
    while (*list) {
        size_t length = strcspn(list, ","), name = strcspn(list, ",:");
        json_write_object_begin(params, NULL);
        json_write_text_bytes(params, "drive", list, name);
        if (name < length)
            json_write_text_bytes(params, "mode", list + name + 1, length - name - 1);
        json_write_object_end(params);
        list += length + (list[length] == ',');
    }
    json_write_array_end(params);
}

static int show_id(const struct kiln *kiln, const struct json *result, void *arg)
{
    (void)kiln;
    (void)arg;
    puts(kiln_text(result, "id"));
    return CLI_OK;
}

static int vm_create(const struct kiln *kiln, int argc, char **argv)
{
    const char *brick = NULL, *owner = NULL, *drives = "";
    const struct cli_option options[] = {CLI_VALUE("--brick", &brick), CLI_VALUE("--owner", &owner),
                                         CLI_VALUE("--drives", &drives), CLI_END};
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, options, 1, 1, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    if (!brick || !owner)
        return cli_usage_error("vm create needs --brick and --owner");
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "name", words.word[0]);
    json_write_text(&params, "brick", brick);
    json_write_text(&params, "owner", owner);
    write_drives(&params, drives);
    json_write_object_end(&params);
    return kiln_call(kiln, "vm.create", &params, show_id, NULL);
}

static int show_state(const struct kiln *kiln, const struct json *result, void *arg)
{
    (void)kiln;
    (void)arg;
    printf("%s %s\n", kiln_text(result, "id"), kiln_text(result, "state"));
    return CLI_OK;
}

static int vm_destroy(const struct kiln *kiln, int argc, char **argv)
{
    const char *reason = "";
    bool force = false;
    const struct cli_option options[] = {CLI_VALUE("--reason", &reason), CLI_FLAG("--force", &force),
                                         CLI_END};
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, options, 1, 1, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "vm", words.word[0]);
    json_write_text(&params, "reason", reason);
    json_write_bool(&params, "force", force);
    json_write_object_end(&params);
    return kiln_call(kiln, "vm.destroy", &params, show_state, NULL);
}

/* ---- history, why, console, watch ---- */

struct history {
    struct table *table;
    const char *vm;
};

static void write_vm(struct json_writer *params, void *arg)
{
    json_write_text(params, "vm", ((struct history *)arg)->vm);
}

static int add_history(const struct kiln *kiln, const struct json *result, void *arg)
{
    struct table *table = ((struct history *)arg)->table;
    const struct json *list = json_member(result, "history");
    char time[CLI_TIME_BYTES];
    (void)kiln;
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *entry = json_at(list, i);
        table_cell(table, cli_time_text(kiln_int(entry, "time"), time));
        table_cell(table, kiln_text(entry, "event"));
        table_cell(table, kiln_text(entry, "to"));
        table_cellf(table, "%.12s", kiln_text(entry, "actor"));
        table_cell(table, kiln_text(entry, "story"));
        table_cell(table, kiln_text(entry, "code"));
        table_cell(table, kiln_text(entry, "detail"));
    }
    return CLI_OK;
}

static int vm_history(const struct kiln *kiln, int argc, char **argv)
{
    static const char *const heads[] = {"TIME", "EVENT", "STATE", "ACTOR", "STORY", "CODE", "DETAIL", NULL};
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, NULL, 1, 1, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    struct history history = {.vm = words.word[0], .table = table_create(heads)};
    exit_code = kiln_call_pages(kiln, "vm.history", "after", write_vm, add_history, &history);
    if (exit_code == CLI_OK && !kiln->json)
        table_print(history.table, stdout, "no history");
    return exit_code;
}

static void print_console(const struct json *lines)
{
    for (size_t i = 0; i < json_count(lines); i++) {
        fputs("  ", stdout);
        cli_print_text(stdout, json_text(json_at(lines, i)));
        putchar('\n');
    }
}

static int show_why(const struct kiln *kiln, const struct json *why, void *arg)
{
    static const char *const keys[] = {"state", "story", "waiting_for", "code", "words", "detail"};
    const struct json *console = json_member(why, "console");
    (void)kiln;
    (void)arg;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        print_line(keys[i], kiln_text(why, keys[i]));
    print_time("deadline", kiln_int(why, "deadline"));
    printf("console%s\n", json_count(console) ? ":" : "         nothing was read");
    print_console(console);
    return CLI_OK;
}

static int vm_why(const struct kiln *kiln, int argc, char **argv)
{
    return call_with_vm(kiln, argc, argv, "vm.why", show_why);
}

static int show_console(const struct kiln *kiln, const struct json *result, void *arg)
{
    const struct json *lines = json_member(result, "console");
    (void)kiln;
    (void)arg;
    for (size_t i = 0; i < json_count(lines); i++) {
        cli_print_text(stdout, json_text(json_at(lines, i)));
        putchar('\n');
    }
    return CLI_OK;
}

static int vm_console(const struct kiln *kiln, int argc, char **argv)
{
    return call_with_vm(kiln, argc, argv, "vm.console", show_console);
}

static int show_event(const struct kiln *kiln, const struct json *event, void *arg)
{
    char time[CLI_TIME_BYTES];
    (void)kiln;
    (void)arg;
    printf("%lld %s %.8s ", (long long)kiln_int(event, "seq"), cli_time_text(kiln_int(event, "time"), time),
           kiln_text(event, "vm"));
    cli_print_text(stdout, kiln_text(event, "name"));
    printf(" %s -> %s: ", kiln_text(event, "from"), kiln_text(event, "to"));
    cli_print_text(stdout, kiln_text(event, "story"));
    if (json_member(event, "code")) {
        printf(" [%s] ", kiln_text(event, "code"));
        cli_print_text(stdout, kiln_text(event, "detail"));
    }
    putchar('\n');
    fflush(stdout);
    return CLI_OK;
}

static int vm_watch(const struct kiln *kiln, int argc, char **argv)
{
    const char *since = NULL;
    char *end = "";
    const struct cli_option options[] = {CLI_VALUE("--since", &since), CLI_END};
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, options, 0, 1, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    long long from = since ? strtoll(since, &end, 10) : 0;
    if (*end || from < 0)
        return cli_usage_error("--since takes a number");
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    if (words.count)
        json_write_text(&params, "vm", words.word[0]);
    if (since)
        json_write_int(&params, "since", from);
    json_write_object_end(&params);
    return kiln_follow(kiln, "vm.watch", &params, show_event, NULL);
}

const struct kiln_command kiln_vm_commands[] = {
    {"vm", "list", vm_list, "", "lists VMs"},
    {"vm", "show", vm_show, "VM", "shows one; VM is an id, the first 4 or more digits of one, or a name"},
    {"vm", "create", vm_create, "NAME --brick BRICK --owner USER [--drives DRIVE[:reader],...]",
     "makes a VM for a user"},
    {"vm", "destroy", vm_destroy, "VM [--reason WORDS] [--force]", "ends a VM; its drives stay unharmed"},
    {"vm", "history", vm_history, "VM", "shows what happened to it, and why"},
    {"vm", "why", vm_why, "VM", "shows what it waits for or why it ended, with the last console lines"},
    {"vm", "watch", vm_watch, "[VM] [--since NUMBER]", "follows changes as they happen"},
    {"vm", "console", vm_console, "VM", "shows the last lines of its serial console"},
    {NULL, NULL, NULL, NULL, NULL},
};
