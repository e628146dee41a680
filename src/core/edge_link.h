/*
 * Edge link: edge.sock, the one way to and from kiln-edge (protocol/README 6.3).
 *
 * In: the edge's calls. Nothing that it says is acted on unless a MAC, a signature, a session or a ticket
 * proves it, but facts of delivery: a link or relay opened or closed, a peer's address for the log. Out:
 * answers, messages to links, readers and relays. Kept: the connection of the edge that said hello last.
 */
#ifndef KILN_CORE_EDGE_LINK_H
#define KILN_CORE_EDGE_LINK_H

#include "src/core/verbs.h"

struct edge_link;

/* Listens on PATH. VERBS is borrowed. 0 or a negative errno. */
int edge_link_create(struct verbs *verbs, const char *path, struct edge_link **ret_edge);
/* For verbs_serve: takes what waited for it, and waits for the edge. */
void edge_link_serve(struct edge_link *edge);
void edge_link_destroy(struct edge_link *edge);

/* Each sends a notification; without an edge (EDGE may be NULL at the end), or without memory, nothing
 * happens. */
void edge_send_link(struct edge_link *edge, uint64_t link, const void *record, size_t len_bytes);
void edge_close_link(struct edge_link *edge, uint64_t link);
void edge_send_event(struct edge_link *edge, uint64_t subscription, const char *params);
void edge_close_events(struct edge_link *edge, uint64_t subscription);
/* KIND: "channel", "bridge" or "all". */
void edge_close_relays(struct edge_link *edge, const uint8_t vm[VM_UUID_LEN], const char *kind);

#endif
