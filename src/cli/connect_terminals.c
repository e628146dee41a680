/*
 * kiln-connect terminal: which terminals of a VM there are; opens, attaches to, lists and closes them.
 *
 * In: words. Out: calls over the channel, a table. Kept: nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/connect_pair.h"
#include "src/cli/connect_terminal.h"

enum { ID_CHARS = 16, ID_SHORTEST = 4 };

static int ask_list(struct connect_channel *channel, struct json **ret_answer)
{
    return connect_channel_call(channel, "terminal.list", NULL, ret_answer);
}

static const char *state_of(const struct json *terminal)
{
    if (json_kind(json_member(terminal, "status")) == JSON_NUMBER)
        return "ended";
    return json_kind(json_member(terminal, "detached")) == JSON_NULL ? "attached" : "detached";
}

static void print_list(const struct json *list)
{
    static const char *const heads[] = {"ID", "USER", "STATE", "OPENED", "DETACHED", "SIZE", NULL};
    char opened[CLI_TIME_BYTES], detached[CLI_TIME_BYTES];
    struct table *table = table_create(heads);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *terminal = json_at(list, i);
        table_cell(table, connect_text(terminal, "terminal"));
        table_cell(table, connect_text(terminal, "user"));
        table_cell(table, state_of(terminal));
        table_cell(table, cli_time_text(connect_int(terminal, "opened"), opened));
        table_cell(table, cli_time_text(connect_int(terminal, "detached"), detached));
        table_cellf(table, "%dx%d", (int)connect_int(terminal, "columns"),
                    (int)connect_int(terminal, "rows"));
    }
    table_print(table, stdout, "there are no terminals");
}

static int list(struct connect *connect, struct connect_channel *channel)
{
    struct json *answer;
    int exit_code = ask_list(channel, &answer);
    if (exit_code != CLI_OK)
        return exit_code;
    if (connect->json)
        connect_print_json(answer);
    else
        print_list(json_member(answer, "terminals"));
    json_destroy(answer);
    return CLI_OK;
}

/* The one id that begins with WORD. */
static int find(struct connect_channel *channel, const char *word, char ret_id[ID_CHARS + 1])
{
    struct json *answer;
    size_t found = 0;
    int exit_code = ask_list(channel, &answer);
    if (exit_code != CLI_OK)
        return exit_code;
    const struct json *terminals = json_member(answer, "terminals");
    for (size_t i = 0; i < json_count(terminals); i++) {
        const char *id = connect_text(json_at(terminals, i), "terminal");
        if (strlen(word) < ID_SHORTEST || strncmp(id, word, strlen(word)) != 0 ||
            !connect_terminal_id_valid(id))
            continue;
        found++;
        memcpy(ret_id, id, ID_CHARS + 1);
    }
    json_destroy(answer);
    return found == 1 ? CLI_OK : cli_failure("NOT_FOUND", "there is no such terminal", word);
}

static int close_one(struct connect_channel *channel, const char *id)
{
    char params[64];
    snprintf(params, sizeof params, "{\"terminal\":\"%s\"}", id);
    return connect_channel_call(channel, "terminal.close", params, NULL);
}

struct wishes {
    bool list;
    const char *attach, *close, *user, *keep;
};

static int read_keep(const char *text, int64_t *ret_keep_s)
{
    *ret_keep_s = -1;
    if (!text)
        return CLI_OK;
    if (!*text || strlen(text) > 6 || strspn(text, "0123456789") != strlen(text))
        return cli_usage_error("--keep needs a number of seconds, at most 604800");
    *ret_keep_s = atoll(text);
    return CLI_OK;
}

static int perform(struct connect *connect, const struct wishes *wishes, int64_t keep_s, struct json *vm,
                   struct connect_channel *channel)
{
    char id[ID_CHARS + 1] = "";
    struct connect_terminal_wish wish = {.user = wishes->user, .keep_s = keep_s};
    const char *word = wishes->attach ? wishes->attach : wishes->close;
    int exit_code = word ? find(channel, word, id) : CLI_OK;
    if (exit_code == CLI_OK && !wishes->list && !wishes->close) {
        wish.id = word ? id : NULL;
        return connect_terminal_show(connect, vm, channel, &wish);
    }
    if (exit_code == CLI_OK)
        exit_code = wishes->list ? list(connect, channel) : close_one(channel, id);
    connect_channel_close(channel);
    return exit_code;
}

int connect_terminal_run(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct wishes wishes = {.list = false};
    const struct cli_option options[] = {
        CLI_FLAG("--list", &wishes.list),    CLI_VALUE("--attach", &wishes.attach),
        CLI_VALUE("--close", &wishes.close), CLI_VALUE("--user", &wishes.user),
        CLI_VALUE("--keep", &wishes.keep),   CLI_END};
    struct connect_channel *channel;
    struct json *vm;
    int64_t keep_s;
    int exit_code = cli_words_read(argc, argv, options, 1, 1, &words);
    if (exit_code == CLI_OK && wishes.list + (wishes.attach != NULL) + (wishes.close != NULL) > 1)
        exit_code = cli_usage_error("only one of --list, --attach and --close");
    if (exit_code == CLI_OK)
        exit_code = read_keep(wishes.keep, &keep_s);
    if (exit_code == CLI_OK)
        exit_code = connect_pair_begin(connect, words.word[0], &vm, &channel);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = perform(connect, &wishes, keep_s, vm, channel);
    json_destroy(vm);
    return exit_code;
}
