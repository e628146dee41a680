/* links: kiln_io */
/*
 * Bytes as the head of an answer, and as a request's target. Claims: a head that is taken has no control
 * character in a value and no more fields than the limit, a target names a path that stays below its root;
 * what is refused leaves nothing behind.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/claim.h"
#include "src/io/http_parse.h"

static void check_fields(const struct http_head *head)
{
    CLAIM(head->nfields <= HTTP_FIELDS_MAX);
    CLAIM(head->content_length >= -1);
    for (size_t i = 0; i < head->nfields; i++) {
        CLAIM(head->fields[i].name[0] != '\0');
        for (const char *at = head->fields[i].value; *at != '\0'; at++)
            CLAIM((unsigned char)*at >= 0x20 || *at == '\t');
    }
    CLAIM(http_head_field(head, "Transfer-Encoding") == NULL);
}

static void check_answer(const char *text, size_t size)
{
    struct http_head head;
    size_t whole = http_head_length(text, size);
    CLAIM(whole <= size);
    if (whole == 0 || http_parse_answer(text, whole, &head) < 0)
        return;
    check_fields(&head);
    CLAIM(head.status >= 100 && head.status <= 599);
    http_head_finish(&head);
}

static void check_path(const char *path)
{
    CLAIM(path[0] == '/');
    for (const char *at = path; (at = strchr(at, '/')) != NULL; at++) {
        size_t len = strcspn(at + 1, "/");
        CLAIM(!(len == 1 && at[1] == '.') && !(len == 2 && at[1] == '.' && at[2] == '.'));
    }
}

static void check_target(const char *text)
{
    struct http_head head = {.content_length = -1};
    if (http_head_set_target(&head, text) < 0) {
        CLAIM(head.path == NULL);
        return;
    }
    check_path(head.path);
    CLAIM(strlen(head.path) <= strlen(text) && strchr(head.query, '#') == NULL);
    http_head_finish(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    CLAIM(text != NULL);
    check_answer((const char *)data, size);
    check_target(text);
    free(text);
    return 0;
}
