/*
 * Links: the guests' link WebSockets, passed on to kilnd record by record without a look inside.
 * In: accepted upgrades, records. Out: link.open, link.data, link.close; records to guests. Kept: open links.
 */
#ifndef KILN_EDGE_LINKS_H
#define KILN_EDGE_LINKS_H

#include <stddef.h>
#include <stdint.h>

struct edge;
struct http_request;
struct links;

#define LINK_RECORD_MAX (65536 + 64) /* README 1.7: one WebSocket message */
#define LINK_QUEUE_MAX 1048576       /* bytes; a guest that reads too slowly is cut off and comes again */
#define LINK_BURST 64                /* records that a guest may send in one LINK_TICK_MS; then it waits */
#define LINK_TICK_MS 250

int links_create(struct edge *edge, struct links **ret_links);
void links_destroy(struct links *links);

/* Makes REQUEST, an upgrade by the guest of VM that kilnd has let in, a link. The request is answered. */
void links_accept(struct links *links, struct http_request *request, const char *vm);
void links_send(struct links *links, uint64_t link, const void *record, size_t len_bytes);
void links_close(struct links *links, uint64_t link);
/* All of them, so that guests come again. */
void links_close_all(struct links *links);

#endif
