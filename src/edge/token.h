/*
 * Token: where a request carries its session (protocol/README.md 8.2). In: a request's head. Out: the token's
 * text.
 */
#ifndef KILN_EDGE_TOKEN_H
#define KILN_EDGE_TOKEN_H

struct http_request;

#define TOKEN_MAX 129 /* with the NUL; longer ones cannot be good and read as none */

/* From "Authorization: Bearer", else from the subprotocol "kiln.token.<token>"; "" when there is none.
 * A secret: the caller wipes it. */
void token_read(const struct http_request *request, char ret_token[TOKEN_MAX]);
/* The subprotocol to answer an upgrade with: "kiln.v1" when it was offered, else NULL. */
const char *token_protocol(const struct http_request *request);

#endif
