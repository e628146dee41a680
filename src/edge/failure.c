/*
 * Failure: see failure.h.
 */
#include "src/edge/failure.h"

#include <stddef.h>

#include "protocol/api_failure.h"
#include "protocol/json_write.h"
#include "src/io/http_server.h"
#include "src/io/rpc.h"
#include "src/io/ws_handshake.h"

#define RETRY_AFTER_S "2" /* kilnd's restart takes about that long */

void failure_answer(struct http_request *request, enum kiln_code code, const char *detail)
{
    const struct code_info *info = code_info(code);
    struct json_writer body = json_writer_init(0);
    api_failure_write(&body, code, detail);
    if (info->http_status == 503)
        http_request_add_header(request, "Retry-After", RETRY_AFTER_S);
    http_request_add_header(request, "Cache-Control", "no-store");
    http_answer(request, info->http_status, "application/json", body.text, body.len);
    json_writer_finish(&body);
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
