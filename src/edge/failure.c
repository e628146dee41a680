/*
 * Failure: see failure.h.
 */
#include "src/edge/failure.h"

#include <stddef.h>
#include <stdio.h>

#include "protocol/api_failure.h"
#include "protocol/json_write.h"
#include "src/io/http_server.h"
#include "src/io/rpc.h"
#include "src/io/ws_handshake.h"

#define RETRY_AFTER_S 2  /* kilnd's restart takes about that long */
#define LIMIT_AFTER_S 10 /* until somebody ends what he holds */
#define SECONDS_TEXT_MAX 16

/* RETRY_AFTER_S 0: the answer does not say. */
static void answer(struct http_request *request, enum kiln_code code, const char *detail,
                   unsigned retry_after_s)
{
    char seconds[SECONDS_TEXT_MAX];
    const struct code_info *info = code_info(code);
    struct json_writer body = json_writer_init(0);
    api_failure_write(&body, code, detail);
    snprintf(seconds, sizeof(seconds), "%u", retry_after_s);
    if (retry_after_s > 0)
        http_request_add_header(request, "Retry-After", seconds);
    http_request_add_header(request, "Cache-Control", "no-store");
    http_answer(request, info->http_status, "application/json", body.text, body.len);
    json_writer_finish(&body);
}

void failure_answer(struct http_request *request, enum kiln_code code, const char *detail)
{
    int status = code_info(code)->http_status;
    unsigned limit_after_s = status == 429 ? LIMIT_AFTER_S : 0;
    answer(request, code, detail, status == 503 ? RETRY_AFTER_S : limit_after_s);
}

void failure_answer_later(struct http_request *request, uint32_t wait_ms)
{
    answer(request, CODE_LIMIT_REACHED, "requests of this address", wait_ms / 1000 + 1);
}

void failure_answer_upgrade(struct http_request *request)
{
    http_request_add_header(request, "Sec-WebSocket-Version", WS_VERSION);
    failure_answer(request, CODE_BAD_PARAMETER, "Upgrade");
}

enum kiln_code failure_code(const struct rpc_answer *answer)
{
    const struct code_info *info = answer->error == 0 ? code_find(answer->name) : NULL;
    return info != NULL ? info->code : CODE_UNAVAILABLE;
}
