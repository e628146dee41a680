/*
 * Edge: what the parts of kiln-edge share. It holds TLS, HTTP, WebSockets and the SSH bridge; it is trusted
 * with nothing but delivery. In: a configuration. Out: listeners, and a link to kilnd. Kept: connections.
 */
#ifndef KILN_EDGE_EDGE_H
#define KILN_EDGE_EDGE_H

#include <stdint.h>

#include "src/io/config.h"
#include "src/io/tls.h"

struct bridges;
struct certificate;
struct events;
struct http_server;
struct kilnd;
struct known;
struct limits;
struct links;
struct loop;
struct rates;
struct relays;

struct edge {
    struct loop *loop;           /* borrowed */
    const struct config *config; /* borrowed */
    struct tls_server *tls;      /* owned, as all below */
    uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
    struct certificate *certificate; /* its watch */
    int web_fd, release_fd;          /* folders that files are served from; -1 when there is none */
    struct limits *limits;           /* connections that outlive their HTTP request, by address */
    struct rates *guest_handshakes, *owner_handshakes; /* new connections of an address */
    struct rates *guest_strangers, *owner_strangers;   /* of all that are not known */
    struct known *known;     /* addresses of owners who lately showed a good session */
    struct rates *strangers; /* requests of an address that show no good session */
    struct rates *relinks;   /* links that a guest opens, which are all in the audit */
    struct rates *guests;    /* what a guest asks for or tries that does not lead to a link */
    struct kilnd *kilnd;
    struct links *links;
    struct relays *relays;
    struct events *events;
    struct bridges *bridges;
    struct http_server *guest_server, *owner_server;
};

/* Opens everything and starts listening. Logs what it cannot do. 0 or a negative errno. */
int edge_open(struct edge *edge, struct loop *loop, const struct config *config);
/* Takes certificate and key anew from their files. */
void edge_reload(struct edge *edge);
void edge_close(struct edge *edge);

#endif
