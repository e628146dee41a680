/*
 * API failure: see api_failure.h.
 */
#include "protocol/api_failure.h"

#include <stddef.h>

#include "protocol/json_write.h"

void api_failure_write(struct json_writer *writer, enum kiln_code code, const char *detail)
{
    const struct code_info *info = code_info(code);
    json_write_object_begin(writer, NULL);
    json_write_object_begin(writer, "error");
    json_write_text(writer, "code", info->name);
    json_write_text(writer, "message", info->words);
    json_write_text(writer, "detail", detail != NULL ? detail : "");
    json_write_object_end(writer);
    json_write_object_end(writer);
}
