/*
 * Token: see token.h.
 */
#include "src/edge/token.h"

#include <string.h>
#include <strings.h>

#include "src/io/http_parse.h"
#include "src/io/http_server.h"

#define PROTOCOL "kiln.v1"
#define TOKEN_PROTOCOL "kiln.token."
#define OFFER "Sec-WebSocket-Protocol"

static void take_word(const char *text, char ret_token[TOKEN_MAX])
{
    size_t len = strcspn(text, ", \t");
    if (len >= TOKEN_MAX)
        len = 0;
    memcpy(ret_token, text, len);
    ret_token[len] = '\0';
}

void token_read(const struct http_request *request, char ret_token[TOKEN_MAX])
{
    const struct http_head *head = http_request_head(request);
    const char *bearer = http_head_field(head, "Authorization");
    const char *offer = http_head_field(head, OFFER);
    const char *at = offer != NULL ? strstr(offer, TOKEN_PROTOCOL) : NULL;
    ret_token[0] = '\0';
    if (bearer != NULL && strncasecmp(bearer, "Bearer ", 7) == 0)
        take_word(bearer + 7, ret_token);
    else if (at != NULL)
        take_word(at + strlen(TOKEN_PROTOCOL), ret_token);
}

const char *token_protocol(const struct http_request *request)
{
    return http_head_has_token(http_request_head(request), OFFER, PROTOCOL) ? PROTOCOL : NULL;
}
