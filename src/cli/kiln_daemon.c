/*
 * kiln status, reload, audit, explain. In: words. Out: calls, tables. Kept: nothing.
 */
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include "src/cli/kiln.h"
#include "src/io/loop.h"

#define DAY_MS 86400000LL
#define WARN_DAYS 30 /* as kiln-edge does */

static int call_without_words(const struct kiln *kiln, int argc, char **argv, const char *method,
                              kiln_show *show)
{
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, NULL, 0, 0, &words);
    return exit_code != CLI_OK ? exit_code : kiln_call(kiln, method, NULL, show, NULL);
}

/* Said when it is time to do something about it; `--json` has it always. */
static void show_certificate(int64_t expires_ms)
{
    char time[CLI_TIME_BYTES];
    int64_t left_days = (expires_ms - loop_wall_ms()) / DAY_MS;
    if (expires_ms > 0 && left_days < WARN_DAYS)
        printf("          its certificate %s %s\n", left_days < 0 ? "expired" : "expires",
               cli_time_text(expires_ms, time));
}

static bool is_recovering(const struct json *status)
{
    return strcmp(kiln_text(status, "store"), "recovering") == 0;
}

static int show_status(const struct kiln *kiln, const struct json *status, void *arg)
{
    char span[CLI_TIME_BYTES];
    (void)kiln;
    (void)arg;
    printf("version   %s\n", kiln_text(status, "version"));
    printf("up        %s\n", cli_span_text(kiln_int(status, "uptime_s") * 1000, span));
    printf("identity  %s\n", kiln_text(status, "identity"));
    printf("libvirt   %s\n", kiln_text(status, "libvirt"));
    printf("edge      %s\n", kiln_text(status, "edge"));
    show_certificate(kiln_int(status, "edge_certificate_expires"));
    if (kiln_text(status, "store_error")[0] != '-')
        printf("store     cannot be written: %s; %s changes wait\n", kiln_text(status, "store_error"),
               kiln_text(status, "store_waiting"));
    else
        printf("store     %s\n", is_recovering(status) ? "is read and checked: everything else waits for it"
                                                       : kiln_text(status, "store"));
    printf("VMs       %s\n", kiln_text(status, "vms"));
    if (kiln_int(status, "recovering") > 0)
        printf("          %s recovering: libvirt has not yet shown their domains\n",
               kiln_text(status, "recovering"));
    if (kiln_int(status, "orphans") > 0)
        printf("orphans   %s: domains of Kiln's without a record\n", kiln_text(status, "orphans"));
    printf("boots     %s waiting\n", kiln_text(status, "queue"));
    printf("stalls    %s\n", kiln_text(status, "stalls"));
    return CLI_OK;
}

static int status(const struct kiln *kiln, int argc, char **argv)
{
    return call_without_words(kiln, argc, argv, "daemon.status", show_status);
}

static int reload(const struct kiln *kiln, int argc, char **argv)
{
    return call_without_words(kiln, argc, argv, "daemon.reload", NULL);
}

static int add_entries(const struct kiln *kiln, const struct json *result, void *table)
{
    const struct json *entries = json_member(result, "entries");
    char time[CLI_TIME_BYTES];
    (void)kiln;
    for (size_t i = 0; i < json_count(entries); i++) {
        const struct json *entry = json_at(entries, i);
        table_cell(table, kiln_text(entry, "seq"));
        table_cell(table, cli_time_text(kiln_int(entry, "time"), time));
        table_cellf(table, "%.12s", kiln_text(entry, "actor"));
        table_cell(table, kiln_text(entry, "what"));
        table_cell(table, kiln_text(entry, "object"));
        table_cell(table, kiln_text(entry, "to"));
        table_cell(table, kiln_text(entry, "story"));
    }
    return CLI_OK;
}

static int audit_list(const struct kiln *kiln, int argc, char **argv)
{
    static const char *const heads[] = {"SEQ", "TIME", "ACTOR", "WHAT", "OBJECT", "TO", "STORY", NULL};
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, NULL, 0, 0, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    struct table *table = table_create(heads);
    exit_code = kiln_call_pages(kiln, "audit.list", "since", NULL, add_entries, table);
    if (exit_code == CLI_OK && !kiln->json)
        table_print(table, stdout, "no entries");
    return exit_code;
}

static int show_verdict(const struct kiln *kiln, const struct json *result, void *arg)
{
    bool good = json_bool(json_member(result, "good"));
    (void)arg;
    if (kiln->json)
        kiln_show_json(kiln, result, NULL);
    else if (good)
        printf("%s entries, all good\nhead %s\n", kiln_text(result, "entries"), kiln_text(result, "head"));
    else
        printf("the chain is broken at entry %s: %s\n", kiln_text(result, "at"), kiln_text(result, "words"));
    return good ? CLI_OK : CLI_REFUSED;
}

/* The verdict is the exit code, with --json too. */
static int audit_verify(const struct kiln *kiln, int argc, char **argv)
{
    struct cli_words words;
    const char *head = NULL;
    const struct cli_option options[] = {CLI_VALUE("--head", &head), CLI_END};
    int exit_code = cli_words_read(argc, argv, options, 0, 0, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    struct json_writer params = kiln_params("head", head);
    return kiln_call_shown(kiln, "audit.verify", &params, show_verdict, NULL);
}

static int show_head(const struct kiln *kiln, const struct json *result, void *arg)
{
    (void)kiln;
    (void)arg;
    puts(kiln_text(result, "head"));
    return CLI_OK;
}

static int audit_head(const struct kiln *kiln, int argc, char **argv)
{
    return call_without_words(kiln, argc, argv, "audit.head", show_head);
}

static int audit_export(const struct kiln *kiln, int argc, char **argv)
{
    struct cli_words words;
    struct kiln plain = *kiln;
    int exit_code = cli_words_read(argc, argv, NULL, 0, 0, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    plain.json = false;
    return kiln_call_pages(&plain, "audit.list", "since", NULL, kiln_show_lines, "entries");
}

static int explain(const struct kiln *kiln, int argc, char **argv)
{
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, NULL, 1, 1, &words);
    (void)kiln;
    return exit_code != CLI_OK ? exit_code : cli_explain(words.word[0]);
}

const struct kiln_command kiln_daemon_commands[] = {
    {"status", NULL, status, "", "shows how kilnd fares"},
    {"reload", NULL, reload, "",
     "makes kilnd read its configuration again and tell guests of a newer release"},
    {"audit", "list", audit_list, "", "lists who did what"},
    {"audit", "verify", audit_verify, "[--head SEQ:HASH]",
     "checks the audit's chain, and that an earlier head is in it; exit code 1 when it is broken"},
    {"audit", "head", audit_head, "",
     "prints the chain's end, to be kept where nobody of this host can change it"},
    {"audit", "export", audit_export, "", "prints every entry, one JSON object a line"},
    {"explain", NULL, explain, "CODE", "says what a stable code means and what to do next"},
    {NULL, NULL, NULL, NULL, NULL},
};
