/*
 * kiln-connect: from a word to the VM or drive it names. In: a word. Out: the object. Kept: nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/connect.h"

enum { PREFIX_MIN = 4, PATH_BYTES = 80, TERMINAL_ID_CHARS = 16 };

struct search {
    const char *word;
    char id[UUID_TEXT_BYTES]; /* what was found */
    int exact, prefixed;      /* how often */
    bool by_id;               /* the word is a whole id */
    bool live;                /* what was found has not ended */
};

/* A name that several VMs had belongs to the one that is not destroyed. */
static int look_at(struct connect *connect, const struct json *item, void *arg)
{
    struct search *search = arg;
    const char *id = connect_text(item, "id"), *name = connect_text(item, "name");
    bool live = strcmp(connect_text(item, "state"), "destroyed") != 0;
    /* The host's list is not signed: whoever gives an id gets that object and no other that is called so. */
    bool exact = strcmp(id, search->word) == 0 || (!search->by_id && strcmp(name, search->word) == 0);
    bool prefixed =
        strlen(search->word) >= PREFIX_MIN && strncmp(id, search->word, strlen(search->word)) == 0;
    (void)connect;
    if (strlen(id) >= sizeof search->id || (!exact && !prefixed))
        return CLI_OK;
    if (exact && (search->exact == 0 || live || !search->live)) {
        strcpy(search->id, id);
        search->exact = search->exact && live == search->live ? search->exact + 1 : 1;
        search->live = live;
    } else if (!exact && search->exact == 0) {
        strcpy(search->id, id);
        search->prefixed++;
    }
    return CLI_OK;
}

static int find(struct connect *connect, const char *path, const char *key, const char *word,
                struct json **ret_object)
{
    struct search search = {.word = word};
    char object[PATH_BYTES];
    uint8_t uuid[UUID_BYTES];
    search.by_id = uuid_parse(word, uuid) == 0;
    int exit_code = connect_each_of(connect, path, key, look_at, &search);
    if (exit_code != CLI_OK)
        return exit_code;
    if (search.exact + search.prefixed == 0)
        return cli_failure("NOT_FOUND", NULL, word);
    if (search.exact > 1 || (search.exact == 0 && search.prefixed > 1))
        return cli_usage_error("'%s' is the name of several: give an id", word);
    if (uuid_parse(search.id, uuid) < 0)
        return cli_unreachable_error("the host's list names an id that is none");
    snprintf(object, sizeof object, "%s/%s", path, search.id);
    struct json *found;
    exit_code = connect_call(connect, "GET", object, NULL, false, &found);
    if (exit_code != CLI_OK)
        return exit_code;
    /* Its id goes into paths of requests that are signed and of files. */
    if (strcmp(connect_text(found, "id"), search.id) != 0) {
        json_destroy(found);
        return cli_unreachable_error("the host shows another object than was asked for");
    }
    *ret_object = found;
    return CLI_OK;
}

void connect_say_object(const char *deed, const char *word, const struct json *object)
{
    fputs(deed, stderr);
    cli_print_text(stderr, word);
    fprintf(stderr, ", id %.36s\n", connect_text(object, "id"));
}

bool connect_terminal_id_valid(const char *text)
{
    return strlen(text) == TERMINAL_ID_CHARS && strspn(text, "0123456789abcdef") == TERMINAL_ID_CHARS;
}

int connect_find_vm(struct connect *connect, const char *word, struct json **ret_vm)
{
    return find(connect, "/v1/vms", "vms", word, ret_vm);
}

int connect_find_drive(struct connect *connect, const char *word, struct json **ret_drive)
{
    return find(connect, "/v1/drives", "drives", word, ret_drive);
}
