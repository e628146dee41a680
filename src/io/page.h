/*
 * Page: the files of the owner's page, as kiln-edge and `kiln-connect web` serve them
 * (protocol/README.md 8.5). In: a folder, a request. Out: an answer: compressed if the browser takes it, 304
 * if it has it. Nothing is kept.
 */
#ifndef KILN_IO_PAGE_H
#define KILN_IO_PAGE_H

#include <stdbool.h>

struct http_head;
struct http_request;

/* Lines for every answer to a browser: scripts and styles only from here, no frames around it, no address of
 * ours told to others. */
#define PAGE_HEADERS                                                                                         \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "                     \
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "      \
    "form-action 'none'; frame-ancestors 'none'\r\n"                                                         \
    "X-Content-Type-Options: nosniff\r\n"                                                                    \
    "Referrer-Policy: no-referrer\r\n"                                                                       \
    "Cross-Origin-Opener-Policy: same-origin\r\n"                                                            \
    "Cross-Origin-Resource-Policy: same-origin\r\n"                                                          \
    "Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()\r\n"
/* One more where TLS is spoken. */
#define PAGE_HEADERS_TLS PAGE_HEADERS "Strict-Transport-Security: max-age=31536000\r\n"

/* Answers with FOLDER_FD's file PATH (relative, decoded). -ENOENT: there is none, and the request is still to
 * be answered. */
int page_answer(struct http_request *request, int folder_fd, const char *path);

/* Whether a page of another origin than SCHEME ("https") and the request's Host sent it. A request without an
 * Origin is no page's. */
bool page_is_foreign(const struct http_head *head, const char *scheme);

/* Whether FIELD, an Accept-Encoding or NULL, takes CODING ("br"): it is named, and not with a weight of 0. */
bool page_takes_coding(const char *field, const char *coding);
/* Whether FIELD, an If-None-Match or NULL, holds TAG (with its quotes) or is "*". */
bool page_has_tag(const char *field, const char *tag);

#endif
