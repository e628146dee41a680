/*
 * Token: where a request carries its session (protocol/README.md 8.2). In: a request's head. Out: the token's
 * text.
 */
#ifndef KILN_EDGE_TOKEN_H
#define KILN_EDGE_TOKEN_H

#include "protocol/login.h"

struct http_request;

/* login_token_find of the request's headers. A secret: the caller wipes it. */
void token_read(const struct http_request *request, char ret_token[LOGIN_TOKEN_TEXT]);
/* The subprotocol to answer an upgrade with: "kiln.v1" when it was offered, else NULL. */
const char *token_protocol(const struct http_request *request);

#endif
