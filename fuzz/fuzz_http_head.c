/* links: kiln_io */
/*
 * Bytes as the head of a request and of an answer. Claims: what is taken names a path that stays below its
 * root, has no control character in a value and no more fields than the limit; what is refused leaves nothing
 * behind.
 */
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

static void check_path(const char *path)
{
    CLAIM(path[0] == '/');
    for (const char *at = path; (at = strchr(at, '/')) != NULL; at++) {
        size_t len = strcspn(at + 1, "/");
        CLAIM(!(len == 1 && at[1] == '.') && !(len == 2 && at[1] == '.' && at[2] == '.'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_head head;
    size_t whole = http_head_length((const char *)data, size);
    CLAIM(whole <= size);
    if (whole == 0)
        return 0;
    if (http_parse_request((const char *)data, whole, &head) == 0) {
        check_fields(&head);
        check_path(head.path);
        http_head_finish(&head);
    }
    if (http_parse_answer((const char *)data, whole, &head) == 0) {
        check_fields(&head);
        CLAIM(head.status >= 100 && head.status <= 599);
        http_head_finish(&head);
    }
    return 0;
}
