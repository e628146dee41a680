/*
 * Refusal: see refusal.h.
 */
#include "guest/refusal.h"

#include "protocol/json.h"

const struct code_info *refusal_read(const char *body, size_t len_bytes)
{
    struct json *tree = NULL;
    if (json_parse(body, len_bytes, NULL, &tree) < 0)
        return NULL;
    const char *name = json_text(json_member(json_member(tree, "error"), "code"));
    const struct code_info *info = name != NULL ? code_find(name) : NULL;
    json_destroy(tree);
    return info;
}
