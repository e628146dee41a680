/*
 * HTTP client: one HTTPS request, one connection, one answer.
 * In: a request. Out: one call with the whole answer, or with the body in a file. Kept: nothing after the
 * call.
 */
#ifndef KILN_IO_HTTP_CLIENT_H
#define KILN_IO_HTTP_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "src/io/http_parse.h"
#include "src/io/tls.h"

struct http_call;
struct loop;

#define HTTP_CLIENT_BODY_MAX 1048576 /* bytes, when the caller names no limit */

struct http_client_request {
    const char *method; /* "GET" */
    const char *host;   /* address or name */
    uint16_t port;
    const char *target;  /* "/v1/host" */
    const char *headers; /* complete lines ending in CRLF, or NULL */
    const void *body;
    size_t body_bytes;
    int body_fd;             /* > 0: a 2xx body is written there (borrowed) instead of to memory */
    size_t answer_max_bytes; /* 0: HTTP_CLIENT_BODY_MAX */
    uint32_t timeout_ms;     /* the whole call; 0: 30 s */
};

struct http_answer {
    int error; /* 0, or -ETIMEDOUT, -ECONNREFUSED, -EKEYREJECTED, -EFBIG, -EPROTO ...; the rest is unset then
                */
    int status;
    const struct http_head *head;
    const char *body; /* NUL after it; "" with body_fd */
    size_t body_bytes;
    uint8_t fingerprint[TLS_FINGERPRINT_BYTES]; /* of the server's certificate */
};

/* Starts the call; everything in REQUEST is copied but body_fd. FN is called exactly once, never from inside
 * this function, and the call is gone after it. TLS NULL: plain. */
int http_client_call(struct loop *loop, struct tls_client *tls, const struct http_client_request *request,
                     void (*fn)(void *arg, const struct http_answer *answer), void *arg,
                     struct http_call **ret_call);
/* Gives up; FN is not called. NULL does nothing. */
void http_call_cancel(struct http_call *call);

#endif
