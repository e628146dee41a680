/*
 * Certificate: when the edge's is over, said in the log while there is time. In: the edge. Out: lines of the
 * log. Kept: a timer.
 */
#ifndef KILN_EDGE_CERTIFICATE_H
#define KILN_EDGE_CERTIFICATE_H

struct certificate;
struct edge;

#define CERTIFICATE_WARN_DAYS 30

/* Looks now and once a day. EDGE is borrowed. -ENOMEM. */
int certificate_create(struct edge *edge, struct certificate **ret_certificate);
/* Looks now: another one was taken. */
void certificate_look(struct certificate *certificate);
void certificate_destroy(struct certificate *certificate);

#endif
