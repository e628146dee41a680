/*
 * Token: see token.h.
 */
#include "src/edge/token.h"

#include "src/io/http_parse.h"
#include "src/io/http_server.h"

#define PROTOCOL "kiln.v1"
#define OFFER "Sec-WebSocket-Protocol"

void token_read(const struct http_request *request, char ret_token[LOGIN_TOKEN_TEXT])
{
    const struct http_head *head = http_request_head(request);
    login_token_find(http_head_field(head, "Authorization"), http_head_field(head, OFFER), ret_token);
}

const char *token_protocol(const struct http_request *request)
{
    return http_head_has_token(http_request_head(request), OFFER, PROTOCOL) ? PROTOCOL : NULL;
}
