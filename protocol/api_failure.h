/*
 * API failure: the body of an HTTP answer that refuses (README 1.8).
 */
#ifndef KILN_PROTOCOL_API_FAILURE_H
#define KILN_PROTOCOL_API_FAILURE_H

#include "protocol/code.h"

struct json_writer;

/* Writes {"error": {"code", "message", "detail"}}, whole. CODE is one of the table; DETAIL NULL is "". */
void api_failure_write(struct json_writer *writer, enum kiln_code code, const char *detail);

#endif
