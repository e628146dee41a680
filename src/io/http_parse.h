/*
 * HTTP/1.1 heads (RFC 9112), pure: the text of an answer, for our clients; what is to hold of any head's
 * fields, length and target, for them and for http_request.c, whose text evhttp has read.
 * In: text, names and values. Out: a head. Nothing is kept.
 * Strict where laxness has made trouble elsewhere: no space before the colon, no control byte in a value, one
 * Content-Length, no Transfer-Encoding; in answers no folded lines and no bare LF.
 */
#ifndef KILN_IO_HTTP_PARSE_H
#define KILN_IO_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX 8192 /* bytes of a whole head */
#define HTTP_FIELDS_MAX 64

struct http_field {
    const char *name;  /* as sent */
    const char *value; /* without surrounding space */
};

struct http_head {
    char *text;         /* answers: owned, what every pointer below points into */
    const char *method; /* requests: "GET" */
    const char *target; /* requests: as sent, "/v1/vms?x=1" */
    char *path;         /* requests: owned, decoded, without the query, no "." or ".." segment, no NUL */
    const char *query;  /* requests: after '?', "" when there is none */
    int minor;          /* requests: of HTTP/1.minor */
    int status;         /* answers: 100 to 599 */
    struct http_field fields[HTTP_FIELDS_MAX];
    size_t nfields;
    int64_t content_length; /* -1 when not stated */
    bool keep_alive;        /* what the version and Connection say together */
};

/* Length of the head at the start of TEXT, its empty line included; 0 when it is not whole yet. */
size_t http_head_length(const char *text, size_t len_bytes);
/* LEN_BYTES as http_head_length found it. -EBADMSG malformed, -EPROTONOSUPPORT a version that is not 1.0
 * or 1.1, -ENOTSUP a Transfer-Encoding, -E2BIG too many fields, -ENOMEM. RET_HEAD is written on success
 * only. */
int http_parse_answer(const char *text, size_t len_bytes, struct http_head *ret_head);
void http_head_finish(struct http_head *head);

/* Adds a field; both strings are borrowed. -EBADMSG a name that is no token, a control byte in the value;
 * -E2BIG. */
int http_head_add_field(struct http_head *head, const char *name, const char *value);
/* Reads content_length off the fields (RFC 9112 6.3). -EBADMSG, -ENOTSUP a Transfer-Encoding. */
int http_head_read_length(struct http_head *head);
/* Reads keep_alive off the fields, for HTTP/1.MINOR. */
void http_head_read_keep_alive(struct http_head *head, int minor);
/* Takes a request's target (borrowed, "/v1/vms?x=1") apart into path and query. -EBADMSG what is no such or
 * could name another place than it shows, -ENOMEM. */
int http_head_set_target(struct http_head *head, const char *target);

/* The first field of that name in any case, or NULL. */
const char *http_head_field(const struct http_head *head, const char *name);
/* Whether a comma-separated field holds TOKEN, in any case ("Connection: keep-alive, Upgrade"). */
bool http_head_has_token(const struct http_head *head, const char *name, const char *token);
/* "OK" for 200 and so on. */
const char *http_reason(int status);

#endif
