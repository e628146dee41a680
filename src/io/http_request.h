/*
 * HTTP request: what evhttp read, in the shape of http_server.h, and the answers to it. For the server's
 * files. In: evhttp's requests. Out: calls of handlers, answers to evhttp. Kept: the request in its
 * connection.
 */
#ifndef KILN_IO_HTTP_REQUEST_H
#define KILN_IO_HTTP_REQUEST_H

#include "src/io/http_connection.h"

/* evhttp has a whole request for LIST's server (`void *` as evhttp_set_gencb wants it). Gives it to its
 * route's handler, or refuses it. */
void http_request_on_whole(struct evhttp_request *evhttp, void *list);
/* Forgets the request; what evhttp has of it stays. */
void http_request_finish(struct http_request *request);

/* Answers what cannot be read on from with STATUS and a failure of protocol/README.md 1.8, and closes. The
 * answer is written past evhttp, which may have no request to answer. */
void http_connection_refuse(struct http_connection *connection, int status, bool with_body);

#endif
